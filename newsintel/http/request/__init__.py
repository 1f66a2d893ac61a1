"""Reading a request: parameters, bodies, addresses, credentials."""
