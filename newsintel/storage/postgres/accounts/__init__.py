"""The ports of accounts on PostgreSQL."""
