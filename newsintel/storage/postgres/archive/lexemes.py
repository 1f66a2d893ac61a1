"""Puts lexemes into a tsquery unchanged: PostgreSQL's parser does not stem or split them again."""

from collections.abc import Iterable


def quote_lexeme(lexeme: str) -> str:
    """Quote a lexeme for a tsquery; quotes and backslashes in it are doubled."""
    return "'" + lexeme.replace("\\", "\\\\").replace("'", "''") + "'"


def join_with_or(lexemes: Iterable[str]) -> str:
    """Return a tsquery that matches if any of the lexemes occurs."""
    return " | ".join(map(quote_lexeme, lexemes))
