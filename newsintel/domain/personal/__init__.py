"""What belongs to one person: preferences, saved articles, a view of a search."""
