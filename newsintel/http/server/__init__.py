"""The server: sockets, connections, HTTP/1.1, refusals before the application, its log."""
