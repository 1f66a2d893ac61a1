"""Scores the rules of deduplication on labelled headlines."""
