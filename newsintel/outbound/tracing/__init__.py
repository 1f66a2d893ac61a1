"""Traces for OpenTelemetry: whether they are on, and the way to the collector."""
