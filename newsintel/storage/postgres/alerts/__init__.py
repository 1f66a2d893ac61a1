"""The ports of alerts on PostgreSQL."""
