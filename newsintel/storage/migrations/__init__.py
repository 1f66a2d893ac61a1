"""The schema, step by step. A revision's id is a number of four digits, so that 'older' is a comparison of text."""
