"""JSON Schemas of every body, for /openapi.json and for the tests that validate real bodies."""
