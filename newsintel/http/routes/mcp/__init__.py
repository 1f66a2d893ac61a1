"""The Model Context Protocol: our reads as tools for language models."""
