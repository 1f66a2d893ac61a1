"""What an API searches: its rows as it sends them, each with its searchable text and its time."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from attrs import frozen

from newsintel.demo.matching import Expression, fold_text

Row = dict[str, Any]


@frozen
class Document:
    """One row of one API.

    Attributes:
        row: the complete JSON object that the API sends.
        fields: the row's searchable text by the API's field names, folded; the first field has the
            highest weight.
        at: time of publication.
        weight: popularity, on the API's own scale.
        story: name of the invented event; rows of one story have the same name. "" if unknown.
    """

    row: Row
    fields: Mapping[str, str]
    at: datetime
    weight: float = 0.0
    story: str = ""

    @classmethod
    def of(
        cls,
        row: Row,
        fields: Mapping[str, str | None],
        at: datetime,
        weight: float = 0.0,
        story: str = "",
    ) -> "Document":
        """Create a document from fields that are not folded yet."""
        return cls(
            row, {name: fold_text(text or "") for name, text in fields.items()}, at, weight, story
        )

    def join_text(self, names: Iterable[str] | None = None) -> str:
        """Return the folded text of some fields (default: all). No phrase matches across fields."""
        return "|".join(
            text for name, text in self.fields.items() if names is None or name in names
        )

    def score_relevance(self, wanted: Sequence[str]) -> int:
        """Score the match with a query: 4 per word in the first field, 1 per word in any field."""
        first = next(iter(self.fields.values()), "")
        rest = self.join_text()
        return sum(4 * (needle in first) + (needle in rest) for needle in wanted)


@frozen
class Corpus:
    """The documents of the simulated APIs. Recordings have none of those without a key."""

    newsapi: Sequence[Document]
    guardian: Sequence[Document]
    reddit: Sequence[Document]
    hackernews: Sequence[Document] = ()
    gdelt: Sequence[Document] = ()


def by_date(document: Document) -> tuple[float, str]:
    """Sort key: the latest first; documents of the same time in the order of their text."""
    return (-document.at.timestamp(), document.join_text())


def by_popularity(document: Document) -> tuple[float, float]:
    """Sort key: the most popular first."""
    return (-document.weight, -document.at.timestamp())


def by_relevance(expression: Expression) -> Callable[[Document], tuple[int, float]]:
    """Return a sort key: the best match with a query first, then the latest."""
    wanted = expression.list_needles()
    return lambda document: (-document.score_relevance(wanted), -document.at.timestamp())


def parse_time(text: str, *, end: bool = False) -> datetime | None:
    """Parse an ISO 8601 date or time as these APIs do. Returns an aware time, or None if invalid.

    Args:
        text: `2026-11-23` or `2026-11-23T10:00:00`, with or without a zone; the default is UTC.
        end: a date without a time means its last second, not its first.
    """
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        return None
    if len(text) == len("2026-11-23") and end:
        when = when.replace(hour=23, minute=59, second=59)
    return when if when.tzinfo else when.replace(tzinfo=UTC)
