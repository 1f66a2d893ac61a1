"""Limits that the running service counts."""
