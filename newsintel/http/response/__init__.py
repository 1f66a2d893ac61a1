"""Writing a response: headers, problems, cookies, shared answers."""
