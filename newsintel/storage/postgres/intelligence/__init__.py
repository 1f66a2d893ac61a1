"""The ports of intelligence on PostgreSQL."""
