"""Bodies of responses: pure functions from domain values to JSON values."""
