"""Hostile inputs replayed through the real program."""
