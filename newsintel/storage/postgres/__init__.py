"""The archive and the search history in PostgreSQL, one file per noun."""
