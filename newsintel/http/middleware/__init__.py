"""What every request passes, in order."""
