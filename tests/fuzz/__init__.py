"""libFuzzer targets and the inputs that they start from."""
