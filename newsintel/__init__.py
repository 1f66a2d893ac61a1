"""newsintel: one search over every news source, in parallel, each under its own deadline."""

__version__ = "0.1.0"
