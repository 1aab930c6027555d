"""Makes `python -m tests.parity` find this folder before any installed package of the same name."""
