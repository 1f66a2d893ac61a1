"""The one way out: HTTP clients, sources, sign-in providers."""
