"""Creates the objects between actors and routes, for the composition root. Starts no actor."""
