"""The REST API: an application factory, one file of routes per resource, and the HTTP server."""
