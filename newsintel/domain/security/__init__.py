"""Keys, encrypted values, and redaction of secrets in the log."""
