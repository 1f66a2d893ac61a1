"""The ports of one account's own data on PostgreSQL."""
