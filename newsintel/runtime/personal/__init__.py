"""Data about people that the process keeps for a short time."""
