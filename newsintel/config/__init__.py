"""Settings: read from the environment, checked, explained."""
