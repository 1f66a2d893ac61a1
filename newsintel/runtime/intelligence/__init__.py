"""Recommendations and widely discussed articles, computed per request."""
