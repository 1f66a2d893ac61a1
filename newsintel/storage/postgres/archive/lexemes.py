"""Lexemes put into a tsquery as they are: no parser of PostgreSQL's stems or splits them again."""

from collections.abc import Iterable


def quoted(lexeme: str) -> str:
    """A lexeme in a tsquery: in quotes, with quotes and backslashes doubled inside."""
    return "'" + lexeme.replace("\\", "\\\\").replace("'", "''") + "'"


def any_of(lexemes: Iterable[str]) -> str:
    """A tsquery that holds where one of some lexemes is."""
    return " | ".join(map(quoted, lexemes))
