"""How well the score ranks recorded articles: `just eval-ranking`."""
