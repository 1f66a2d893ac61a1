"""The server: sockets, connections, HTTP/1.1, error responses to invalid bytes, the log."""
