"""Latency and quality of intelligence: `just bench-intelligence`."""
