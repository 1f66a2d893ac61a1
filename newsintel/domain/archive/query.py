"""Parses a search of the archive.

docs/archive.md describes the grammar: that of live searches, and `field:` before a word or phrase.
Unlike a live search it may consist only of exclusions: the archive is finite and local, so
everything that is not excluded is a valid answer.
"""

import hashlib
import json
import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from attrs import asdict, define, field

from newsintel.domain.archive.model import ArchiveQuery, ArchiveSort, Condition, Field
from newsintel.domain.search.query_model import Query
from newsintel.domain.text.grammar import QueryToken, fold_case, parse_query, tidy_query
from newsintel.domain.text.moments import parse_time
from newsintel.domain.text.spelling import DASHES
from newsintel.errors import InvalidParameterError

_CONDITIONS = {one.value: one for one in Field if one is not Field.ANY}
_BOUNDS = ("before", "after")
_FIELDS = (*_CONDITIONS, *_BOUNDS)

_HYPHENS = {ord(dash): "-" for dash in DASHES}

_TICK = timedelta(microseconds=1)
"""The resolution of Python's datetime and PostgreSQL's timestamptz."""


def build_fallback_query(query: Query, every_source: Sequence[str]) -> ArchiveQuery:
    """Return the archive query for a live search that no source answered.

    It has the same words and filters, newest first.

    Args:
        query: the live search.
        every_source: all existing sources. A search of all of them includes everything imported
            from other sources.
    """
    return ArchiveQuery(
        alternatives=tuple(
            tuple(
                Condition(Field.ANY, one.text, one.phrase, negated=negated)
                for terms, negated in ((clause.wanted, False), (clause.unwanted, True))
                for one in terms
            )
            for clause in query.clauses
        ),
        sources=() if set(query.sources) >= set(every_source) else query.sources,
        start=query.start,
        end=query.end,
        language=query.language,
        sort=ArchiveSort.NEWEST,
    )


def build_archive_query(
    q: str | None,
    *,
    sources: Sequence[str] = (),
    publisher: str | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
    language: str | None = None,
    sort: ArchiveSort | None = None,
) -> ArchiveQuery:
    """Parse a search of the archive.

    Args:
        q: as typed; None matches everything.
        sources: the adapters wanted; () = all.
        publisher: the whole name of a publisher, as typed.
        start: earliest time, inclusive, aware.
        end: latest time, inclusive, aware, not before `start`.
        language: two lower-case letters.
        sort: None = by relevance if q has words to rank by, else newest first. Without such words
            relevance means newest first, too.

    Raises:
        InvalidParameterError: it names q (blank, too long, too complex, without words, a wrong or
            empty time range) or publisher.
    """
    span = _TimeRange(start and start.astimezone(UTC), end and end.astimezone(UTC))
    conditions = () if q is None else _parse_alternatives(tidy_query(q), span)
    ranked = any(_can_rank(condition) for alternative in conditions for condition in alternative)
    return ArchiveQuery(
        alternatives=conditions,
        sources=tuple(sources),
        publisher=publisher if publisher is None else tidy_query(publisher, "publisher"),
        start=span.start,
        end=span.end,
        language=language,
        sort=(sort or ArchiveSort.RELEVANCE)
        if ranked or sort is ArchiveSort.OLDEST
        else ArchiveSort.NEWEST,
    )


def hash_query(query: ArchiveQuery) -> str:
    """Return 32 hex digits, equal for equal queries, to bind cursors and to key cached results.

    Case counts, since the archive uses it to distinguish the name `IT` from the word `it`.
    """
    return hashlib.sha256(json.dumps(asdict(query), default=str).encode()).hexdigest()[:32]


@define
class _TimeRange:
    """The wanted time range. Each `before:` and `after:` narrows it."""

    start: datetime | None
    end: datetime | None
    narrowed: bool = field(default=False, init=False)

    def narrow(self, token: QueryToken) -> None:
        """Apply one of _BOUNDS.

        `after:` includes its time and `before:` excludes it, so adjacent ranges share no article.
        """
        if token.excluded:
            raise InvalidParameterError(
                "q", "not_excludable", f"{token.field}: in q cannot be excluded."
            )
        try:
            moment = parse_time(unicodedata.normalize("NFKC", token.text).translate(_HYPHENS))
            if token.field == "after":
                self.start = max(moment, self.start or moment)
            else:
                self.end = min(moment - _TICK, self.end or moment)
        except (ValueError, OverflowError):
            rule = "a date such as 2026-01-31 or a time such as 2026-01-31T12:00:00Z"
            raise InvalidParameterError(
                "q", "date", f"{token.field}: in q must be followed by {rule}."
            ) from None
        self.narrowed = True
        if self.start and self.end and self.start > self.end:
            raise InvalidParameterError(
                "q",
                "empty_span",
                "after: and before: in q, with from and to, must leave a span of time.",
            )


def _parse_alternatives(text: str, span: _TimeRange) -> tuple[tuple[Condition, ...], ...]:
    """Return the alternatives and apply the time bounds to `span`."""
    parsed = parse_query(text, _FIELDS, _BOUNDS)
    for token in parsed.bounds:
        span.narrow(token)
    if not parsed.alternatives and not span.narrowed:
        raise InvalidParameterError(
            "q", "no_words", "q must hold a word to look for; leave it out to see everything."
        )
    return tuple(tuple(map(_build_condition, tokens)) for tokens in parsed.alternatives)


def _build_condition(token: QueryToken) -> Condition:
    looks_at = Field.ANY if token.field is None else _CONDITIONS[token.field]
    text = fold_case(token.text) if looks_at is Field.SOURCE else token.text
    return Condition(looks_at, text, token.phrase, token.excluded)


def _can_rank(condition: Condition) -> bool:
    """Whether articles can be ranked by a condition."""
    return condition.field in (Field.ANY, Field.TITLE) and not condition.negated
