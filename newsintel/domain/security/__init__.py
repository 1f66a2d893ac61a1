"""Keys, sealed values, and secrets kept out of the log."""
