"""The archive: what is asked of it, and its file format."""
