"""Recommendations and what is talked about, put together while somebody waits."""
