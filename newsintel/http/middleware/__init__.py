"""Middleware: the steps that every request passes before its route."""
