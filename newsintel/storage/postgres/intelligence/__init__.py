"""What intelligence reads and counts in PostgreSQL."""
