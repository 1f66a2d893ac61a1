"""Simulated upstreams: one real HTTP server that speaks the contracts of NewsAPI, the Guardian and Reddit over invented news."""
