"""Decides whether two headlines tell the same story (the `normal` mode of searches)."""
