"""Counters, gauges and the log."""
