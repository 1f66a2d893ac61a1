"""The ports on PostgreSQL, one file per noun."""
