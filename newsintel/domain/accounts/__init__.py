"""Accounts: who somebody is, and what a request may do in their name."""
