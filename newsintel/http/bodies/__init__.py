"""Bodies of responses: pure functions from values to JSON."""
