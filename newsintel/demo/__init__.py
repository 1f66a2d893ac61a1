"""Simulated upstreams: one HTTP server that imitates NewsAPI, the Guardian and Reddit.

It serves invented news in the formats of the real APIs.
"""
