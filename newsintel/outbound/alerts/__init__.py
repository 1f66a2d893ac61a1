"""The ways to the receivers of alerts."""
