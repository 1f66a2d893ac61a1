"""What belongs to one account, in PostgreSQL."""
