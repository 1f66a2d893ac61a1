"""Live searches: queries, articles, outcomes, stories, scores, answers."""
