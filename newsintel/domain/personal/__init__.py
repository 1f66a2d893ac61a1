"""One person's own data: preferences, saved articles, a view of a search."""
