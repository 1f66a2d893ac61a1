"""Limits: when a source may be asked, and how many calls a person may make."""
