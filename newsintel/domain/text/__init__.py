"""Text: cleaning, URLs, splitting into words, and the grammar of queries."""
