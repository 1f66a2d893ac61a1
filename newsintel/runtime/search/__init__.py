"""Running searches: the desk, flights, answers in memory, claims among processes."""
