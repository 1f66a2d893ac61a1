"""The ports on Redis, one file per noun."""
