"""What operators measure and tune."""
