"""What an API searches: its own rows as it will send them, each with the text and the time that decide whether it is found."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from attrs import frozen

from newsintel.demo.matching import Expression, fold

Row = dict[str, Any]


@frozen
class Document:
    """One row of one API.

    Attributes:
        row: what the API sends, complete.
        fields: the row's searchable text by the API's own field names, folded; the first one weighs most.
        at: when it was published.
        weight: how popular it is, on a scale of its API's own.
        story: names the invented event that it reports; rows with the same name are the same story. "" where nobody knows.
    """

    row: Row
    fields: Mapping[str, str]
    at: datetime
    weight: float = 0.0
    story: str = ""

    @classmethod
    def of(cls, row: Row, fields: Mapping[str, str | None], at: datetime, weight: float = 0.0, story: str = "") -> "Document":
        """A document whose fields are given as written."""
        return cls(row, {name: fold(text or "") for name, text in fields.items()}, at, weight, story)

    def text(self, names: Iterable[str] | None = None) -> str:
        """The folded text of some fields, of all by default. No phrase reaches over the end of a field."""
        return "|".join(text for name, text in self.fields.items() if names is None or name in names)

    def relevance(self, wanted: Sequence[str]) -> int:
        """How well it answers a query: 4 for each word in the first field, 1 for each elsewhere."""
        first = next(iter(self.fields.values()), "")
        rest = self.text()
        return sum(4 * (needle in first) + (needle in rest) for needle in wanted)


@frozen
class Corpus:
    """Everything that the three simulated APIs know."""

    newsapi: Sequence[Document]
    guardian: Sequence[Document]
    reddit: Sequence[Document]


def newest(document: Document) -> tuple[float, str]:
    """Sort key: the latest first; of the same second, in the order of their text."""
    return (-document.at.timestamp(), document.text())


def heaviest(document: Document) -> tuple[float, float]:
    """Sort key: the most popular first."""
    return (-document.weight, -document.at.timestamp())


def most_relevant(expression: Expression) -> Callable[[Document], tuple[int, float]]:
    """Sort key: the best answer to a query first, the latest of equals."""
    wanted = expression.wanted()
    return lambda document: (-document.relevance(wanted), -document.at.timestamp())


def parse_time(text: str, *, end: bool = False) -> datetime | None:
    """An ISO 8601 date or time as these APIs take it, aware; None if it is not one.

    Args:
        text: `2026-11-23` or `2026-11-23T10:00:00`, with or without a zone; without one it is UTC.
        end: a bare date means its last moment rather than its first.
    """
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        return None
    if len(text) == len("2026-11-23") and end:
        when = when.replace(hour=23, minute=59, second=59)
    return when if when.tzinfo else when.replace(tzinfo=UTC)
