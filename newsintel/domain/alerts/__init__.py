"""Saved searches that alert: what matches, when it is due, and what each channel is sent."""
