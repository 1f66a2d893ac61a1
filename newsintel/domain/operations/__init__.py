"""Metrics, latencies and notices for operators."""
