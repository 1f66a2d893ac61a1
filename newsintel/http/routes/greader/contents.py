"""Reads a person's streams: their items, which the stores keep for a minute, and their articles."""

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import evolve, frozen
from werkzeug.exceptions import NotFound

from newsintel.domain.archive.model import ArchiveQuery, Hit
from newsintel.domain.archive.query import hash_query
from newsintel.domain.bounds.slices import Sliced
from newsintel.domain.reader.item_ids import compute_number, restore_prefix
from newsintel.domain.reader.model import (
    STREAM_AGE,
    STREAM_ITEMS,
    UNTOUCHED,
    Item,
    ItemState,
    Stream,
)
from newsintel.domain.reader.selection import (
    Page,
    Selection,
    merge_items,
    select_page,
)
from newsintel.errors import InvalidParameterError
from newsintel.http.bodies.greader import (
    READING_LIST,
    STARRED,
    Origin,
    build_item,
    count_chars,
)
from newsintel.http.response.shared_answers import read_shared
from newsintel.http.services import Services
from newsintel.runtime.turns import run_in_turns

CACHE_PREFIX = "reader"
"""The prefix of the keys in Redis."""

SAVED_ORIGIN = Origin("feed/saved", "Saved articles")
"""Of saved articles that are in none of the person's streams."""


@frozen
class FilledStream:
    """A stream with its items, the newest first."""

    stream: Stream
    items: tuple[Item, ...]


async def fill_streams(services: Services, user_id: int) -> list[FilledStream]:
    """Return a person's streams with their items."""
    streams = await services.reader.streams.list_streams(user_id)
    return [FilledStream(one, await _list_items(services, one.query)) for one in streams]


async def _list_items(services: Services, query: ArchiveQuery) -> tuple[Item, ...]:
    """Return the items of a query, the newest first."""
    today = services.now().replace(hour=0, minute=0, second=0, microsecond=0)
    start = max(today - STREAM_AGE, query.start or today - STREAM_AGE)
    query = evolve(query, start=start)

    async def make() -> dict[str, Any]:
        try:
            items = await services.reader.articles.list_items(query, STREAM_ITEMS)
        except InvalidParameterError:  # the query has only function words: it finds nothing
            items = ()
        return {"items": [{"i": one.id, "s": one.seen_us, "p": one.published_us} for one in items]}

    if query.end is not None and query.end < start:
        return ()
    body = await read_shared(services, CACHE_PREFIX, [hash_query(query)], make)
    items = [Item(one["i"], one["s"], one["p"]) for one in body["items"]]
    return await run_in_turns(merge_items([items]))


async def list_items(
    services: Services, user_id: int, stream: str, filled: Sequence[FilledStream]
) -> tuple[Item, ...]:
    """Return the items of a stream, the newest first.

    Raises:
        NotFound: it is none of the person's streams.
    """
    if stream == STARRED:
        return await run_in_turns(merge_items([await services.reader.marks.list_starred(user_id)]))
    if stream == READING_LIST:
        return await run_in_turns(merge_items(one.items for one in filled))
    for one in filled:
        if one.stream.id == stream:
            return one.items
    raise NotFound("You have no subscription with this id.")


async def find_states(
    services: Services, user_id: int, items: Sequence[Item]
) -> Mapping[str, ItemState]:
    """Return the states of items."""
    if not items:
        return {}
    return await services.reader.marks.find_states(user_id, [item.id for item in items])


async def choose_page(
    services: Services, user_id: int, items: Sequence[Item], wanted: Selection
) -> Page:
    """Return the page of items that a request wants."""
    states = await find_states(services, user_id, items)
    return await run_in_turns(select_page(items, states, wanted))


async def find_articles(services: Services, numbers: Sequence[int], chars: int) -> dict[int, Hit]:
    """Return the archived articles of item numbers, by number, with so much of each text."""
    if not numbers:
        return {}
    hits = await services.reader.articles.find_articles([*map(restore_prefix, numbers)], chars)
    return {compute_number(hit.article.id): hit for hit in hits}


async def build_items(
    services: Services, user_id: int, numbers: Sequence[int], filled: Sequence[FilledStream]
) -> list[dict[str, Any]]:
    """Return the bodies of items in the order of their numbers; those that are gone are missing."""
    found = await find_articles(services, numbers, count_chars(len(numbers)))
    ids = [hit.article.id for hit in found.values()]
    states = await services.reader.marks.find_states(user_id, ids) if ids else {}
    origins = await run_in_turns(_find_origins(filled, frozenset(ids)))
    base = services.settings.public_url

    def build() -> Sliced[list[dict[str, Any]]]:
        bodies = []
        for hit in (found[number] for number in dict.fromkeys(numbers) if number in found):
            one = hit.article.id
            state, origin = states.get(one, UNTOUCHED), origins.get(one, SAVED_ORIGIN)
            bodies.append(build_item(hit, state, origin, base, shown=len(numbers)))
            yield
        return bodies

    return await run_in_turns(build())


def _find_origins(
    filled: Sequence[FilledStream], article_ids: frozenset[str]
) -> Sliced[dict[str, Origin]]:
    """Return the first stream of each of these articles, by id. 120 streams have 60,000 items."""
    found: dict[str, Origin] = {}
    for one in reversed(filled):
        origin = Origin(one.stream.id, one.stream.title)
        found |= {item.id: origin for item in one.items if item.id in article_ids}
        yield
    return found
