"""Comparison of `magic-mirror run-stage` with the published Python implementations."""
