"""Limits on time and memory: work in slices, and caches and queues that count bytes."""
