"""Bounds on time and memory: work in slices, caches and queues that count bytes."""
