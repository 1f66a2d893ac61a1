"""What is remembered of people for a short while."""
