"""Text as the world writes it: cleaned, addressed, taken apart into words; and the grammar of queries."""
