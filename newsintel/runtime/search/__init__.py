"""Searches in the air: the desk, flights, answers in memory, claims among processes."""
