"""The paths that several files know: a route serves each, and what lies before the routes treats some of them in its own way."""

SEARCH = "/articles"
HEALTH = "/health"
READY = "/health/ready"
METRICS = "/metrics"
DESCRIPTION = "/openapi.json"
PROBLEM_PAGES = "/problems/"
"""Each problem's page lies below, under its code."""
