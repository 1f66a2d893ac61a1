"""Trends, related searches, similar articles and recommendations: pure decisions."""
