"""Feeds: which are read, when, and what came of it."""
