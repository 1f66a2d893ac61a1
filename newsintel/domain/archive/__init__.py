"""The archive: its queries, and its file format."""
