"""Accounts: identity, and what a request may do for an account."""
