"""Serialises values: answers for the cache, bodies for responses. All cattrs hooks are here.

Loaded bytes are not trusted: a cache outlives versions, and others may write to it. The result is a
whole answer or a ValueError.

The merge of an answer is stored as positions in its harvest's list of articles. That takes a
twentieth of the bytes, and nothing has to be merged again.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, get_args, get_origin

import orjson
from attrs import evolve
from cattrs import Converter
from cattrs.preconf.orjson import make_converter

from newsintel.domain.bounds.slices import Sliced
from newsintel.domain.search.article import Article, Group, Member, Rule
from newsintel.domain.search.harvest import Answer, Harvest, Merge, Origin, Ranked, ScoreParts
from newsintel.domain.search.outcome import FetchOutcome, HeldFrom, Status
from newsintel.domain.search.query_model import Dedupe, Sort

# Increase it with every change to the fields of Answer or of a value within. Then what another
# version wrote is not read.
FORMAT = 8

MAX_BYTES = 2 * 2**20
"""Maximum size of an answer in the cache. Parsing a larger one would block the event loop too long.
300 articles usually have 0.4 MiB."""

MAX_BRACKETS = 12_000
"""Maximum number of objects and lists in an answer, counted by their opening brackets, because a
parser in C cannot be paused. 300 articles usually have 1,800."""


def to_json(value: Any) -> bytes:
    """Serialise plain values (dicts, lists, strings, numbers) as UTF-8 JSON."""
    return orjson.dumps(value)


def dump_answer(answer: Answer) -> Sliced[bytes]:
    """Serialise an answer, its harvest and default merge, for `load_answer`.

    Raises:
        ValueError: the result exceeds MAX_BYTES or MAX_BRACKETS.
    """
    harvest = answer.harvest
    row = _converter.unstructure(evolve(harvest, outcomes=(), archived=()))
    row["archived"] = yield from _dump_articles(harvest.archived)
    for outcome in harvest.outcomes:
        bare = _converter.unstructure(evolve(outcome, articles=()))
        row["outcomes"].append(bare | {"articles": (yield from _dump_articles(outcome.articles))})
    places = {id(article): place for place, article in enumerate(harvest.articles)}
    merge = [_dump_ranked(ranked, places) for ranked in answer.merge.ranked]
    yield
    data = orjson.dumps({"format": FORMAT, "harvest": row, "merge": merge})
    _check_brackets(data)
    check_size(data, MAX_BYTES)
    return data


def load_answer(data: bytes) -> Sliced[Answer]:
    """Return the answer that `dump_answer` serialised.

    Raises:
        ValueError: the bytes are not an answer in this format. The message gives the reason and
            quotes nothing of the bytes.
    """
    _check_brackets(data)
    envelope = read_envelope(data, FORMAT, MAX_BYTES)
    yield
    try:
        harvest = yield from _read_harvest(envelope["harvest"])
        return Answer(harvest, (yield from _read_merge(envelope["merge"], harvest.articles)))
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise ValueError(f"not an answer ({type(error).__name__})") from error


def read_envelope(data: bytes, expected: int, max_bytes: int) -> dict[str, Any]:
    """Return the JSON object in bytes whose member `format` must be as expected.

    Raises:
        ValueError: it is another one or too large. The message quotes nothing of the bytes.
    """
    check_size(data, max_bytes)
    try:
        envelope = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise ValueError("not JSON") from error
    if not isinstance(envelope, dict) or envelope.get("format") != expected:
        raise ValueError(f"not format {expected}")
    return envelope


def check_size(data: bytes, max_bytes: int) -> None:
    """Raise ValueError for a value that is too large to be parsed in one step."""
    if len(data) > max_bytes:
        raise ValueError(f"more than {max_bytes:,} bytes")


def _check_brackets(data: bytes) -> None:
    if data.count(b"{") + data.count(b"[") > MAX_BRACKETS:
        raise ValueError(f"not an answer (more than {MAX_BRACKETS:,} objects and lists)")


def _dump_articles(articles: Sequence[Article]) -> Sliced[list[Any]]:
    rows = []
    for article in articles:
        rows.append(article_to_row(article))
        yield
    return rows


def _read_harvest(row: Any) -> Sliced[Harvest]:
    """Structure a harvest, one article per slice."""
    archived = yield from _read_articles(row["archived"])
    outcomes = []
    for each in row["outcomes"]:
        articles = yield from _read_articles(each["articles"])
        outcomes.append(
            evolve(_converter.structure({**each, "articles": []}, FetchOutcome), articles=articles)
        )
    bare = _converter.structure({**row, "archived": [], "outcomes": []}, Harvest)
    return evolve(bare, archived=archived, outcomes=tuple(outcomes))


def _read_articles(rows: Any) -> Sliced[tuple[Article, ...]]:
    if type(rows) is not list:
        raise TypeError("expected a list")
    articles = []
    for row in rows:
        articles.append(article_from_row(row))
        yield
    return tuple(articles)


def _dump_ranked(ranked: Ranked, places: dict[int, int]) -> list[Any]:
    """Return a ranked group as a row.

    It holds the leader, the members with rule and similarity, the parts of the score, the
    popularity.
    """
    parts = ranked.parts
    return [
        places[id(ranked.group.leader)],
        [
            [places[id(member.article)], member.rule, member.similarity]
            for member in ranked.group.members
        ],
        [
            parts.title,
            parts.description,
            parts.recency,
            parts.corroboration,
            parts.engagement,
            parts.source_rank,
        ],
        ranked.popularity,
    ]


def _read_merge(rows: Any, articles: Sequence[Article]) -> Sliced[Merge]:
    """Restore a merge of these articles. Every article must occur in it exactly once."""
    if type(rows) is not list:
        raise TypeError("expected a list")
    ranked = []
    for row in rows:
        ranked.append(_read_ranked(row, articles))
        yield
    members = [member.article for one in ranked for member in one.group.members]
    if len(members) != len(articles) or len({*map(id, members)}) != len(articles):
        raise ValueError("not every article once")
    return Merge(Dedupe.NORMAL, tuple(ranked))


def _read_ranked(row: Any, articles: Sequence[Article]) -> Ranked:
    leader, members, parts, popularity = row
    group = Group(
        tuple([_read_member(articles, *member) for member in members]),
        articles[_read_place(leader)],
    )
    if not any(member.article is group.leader for member in group.members):
        raise ValueError("leader is not a member")
    title, description, recency, corroboration, engagement, source_rank = (
        _structure_float(part, float) for part in parts
    )
    return Ranked(
        group,
        ScoreParts(title, description, recency, corroboration, engagement, source_rank),
        _structure_float(popularity, float),
    )


def _read_member(articles: Sequence[Article], place: Any, rule: Any, similarity: Any) -> Member:
    return Member(
        articles[_read_place(place)],
        None if rule is None else Rule(rule),
        None if similarity is None else _structure_float(similarity, float),
    )


def _read_place(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise TypeError("expected a place")
    return value


def _require_type(kind: type) -> Callable[[Any, Any], Any]:
    """Make a hook that accepts only this exact type, where cattrs would convert 5 to "5"."""

    def check(value: Any, _: Any) -> Any:
        if type(value) is not kind:
            raise TypeError(f"expected {kind.__name__}")
        return value

    return check


def _structure_enum(value: Any, enum: type[StrEnum]) -> StrEnum:
    return enum(value)


def _structure_float(value: Any, _: Any) -> float:
    if type(value) not in (int, float):
        raise TypeError("expected a number")
    return float(value)


def _structure_time(value: Any, _: Any) -> datetime:
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError("expected an offset")
    return moment.astimezone(UTC)


def _is_tuple(kind: Any) -> bool:
    origin: Any = get_origin(kind)
    return origin is tuple


def _make_tuple_hook(kind: Any, converter: Converter) -> Callable[[Any, Any], tuple[Any, ...]]:
    """Structure `tuple[X, ...]` only from a list: cattrs would also split a string into letters."""
    item = get_args(kind)[0]
    hook = converter.get_structure_hook(item)

    def structure(value: Any, _: Any) -> tuple[Any, ...]:
        if type(value) is not list:
            raise TypeError("expected a list")
        return tuple([hook(each, item) for each in value])

    return structure


def _make_converter() -> Converter:
    """Make the converter.

    It does not use detailed validation, which takes twice the time to locate errors in a harvest.
    """
    converter = make_converter(detailed_validation=False)
    for kind in (str, int, bool):
        converter.register_structure_hook(kind, _require_type(kind))
    for enum in (HeldFrom, Origin, Sort, Status):  # else the hook of their base str applies
        converter.register_structure_hook(enum, _structure_enum)
    converter.register_structure_hook(float, _structure_float)
    converter.register_structure_hook(datetime, _structure_time)
    converter.register_structure_hook_factory(_is_tuple)(_make_tuple_hook)
    for model in (Harvest, FetchOutcome, Article):  # compile now, not at the first answer
        converter.get_structure_hook(model)
        converter.get_unstructure_hook(model)
    return converter


_converter = _make_converter()
article_to_row: Callable[[Article], Any] = _converter.get_unstructure_hook(Article)


def article_from_row(row: Any) -> Article:
    """Return the article that `article_to_row` made plain.

    Raises:
        ValueError, TypeError or another error of a value that does not fit.
    """
    return _converter.structure(row, Article)
