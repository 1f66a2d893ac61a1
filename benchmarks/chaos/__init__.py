"""Random faults under load, and a check of everything that was answered. See `__main__`."""
