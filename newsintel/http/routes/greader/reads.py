"""Reads of Google Reader's API: subscriptions, streams, item ids, contents, counts."""

from typing import Any

from attrs import frozen
from quart import Response

from newsintel.domain.accounts.model import Access
from newsintel.domain.reader.item_ids import compute_number
from newsintel.domain.reader.model import STREAM_ITEMS
from newsintel.domain.reader.selection import Selection, State, count_unread, merge_items
from newsintel.http.bodies.greader import (
    READING_LIST,
    STATE_PREFIX,
    build_contents,
    build_ids,
    build_subscriptions,
    build_tags,
    build_unread_counts,
)
from newsintel.http.bodies.schemas import one_of
from newsintel.http.paths import READER_API
from newsintel.http.request.access import get_current_account
from newsintel.http.request.query_kinds import Kind
from newsintel.http.response.answers import answer_json
from newsintel.http.route import Method, Route, View
from newsintel.http.routes.greader.contents import (
    build_items,
    choose_page,
    fill_streams,
    find_states,
    list_items,
)
from newsintel.http.routes.greader.kinds import ITEMS, MOST_IDS, SELECTION, STREAM
from newsintel.http.routes.ids import opaque_id
from newsintel.http.services import Services

MOST_CONTENTS = 1_000
"""Items with their texts of one answer."""


@frozen
class SelectionParameters:
    """The values of SELECTION."""

    n: int
    r: str
    it: tuple[State | None, ...]
    xt: tuple[State | None, ...]
    ot: int | None
    nt: int | None
    c: tuple[int, int, str] | None

    def select(self, most: int) -> Selection:
        """Return what the request wants, at most `most` items."""
        return Selection(
            min(self.n, most),
            oldest_first=self.r == "o",
            include=tuple(one for one in self.it if one is not None),
            exclude=tuple(one for one in self.xt if one is not None),
            since_s=self.ot,
            until_s=self.nt,
            after=self.c,
        )


@frozen
class StreamParameters(SelectionParameters):
    """The values of a selection from the stream in the query string."""

    s: str | None


@frozen
class FeedParameters(SelectionParameters):
    """The values of a selection from a subscription in the path."""

    id: str


@frozen
class StateParameters(SelectionParameters):
    """The values of a selection from a person's list in the path."""

    user: str
    state: str


@frozen
class ItemsParameters:
    """The values of stream/items/contents."""

    i: tuple[int, ...]


def build_routes() -> tuple[Route, ...]:
    """The routes that read."""
    text = Kind({"type": "string"}, str)
    state = opaque_id(one_of((State.READING_LIST, State.STARRED)), "No stream has this name.")
    contents = "/stream/contents"
    return (
        _build_route("/subscription/list", list_subscriptions, "What you follow"),
        _build_route("/tag/list", list_tags, "The states that items can have"),
        _build_route("/unread-count", count_all_unread, "How many items are not read"),
        _build_route(contents, show_stream, "Items of a stream", takes=(*SELECTION, STREAM)),
        _build_route(
            contents + "/feed/{id}",
            show_feed,
            "Items of a subscription",
            takes=SELECTION,
            in_path={"id": text},
        ),
        _build_route(
            contents + "/user/{user}/state/com.google/{state}",
            show_state,
            "Items of a list",
            takes=SELECTION,
            in_path={"user": text, "state": state},
        ),
        _build_route("/stream/items/ids", list_ids, "Item ids", takes=(*SELECTION, STREAM)),
        _build_route("/stream/items/contents", show_items, "Items by their ids", takes=(ITEMS,)),
        _build_route(
            "/stream/items/contents",
            show_items,
            "Items by their ids, in a form",
            method=Method.POST,
            form=(ITEMS,),
        ),
    )


def _build_route(path: str, view: View, about: str, **more: Any) -> Route:
    return Route(
        READER_API + path,
        view,
        about,
        {200: {"type": "object"}},
        problems=("not_found", "busy", "archive_timeout"),
        need=Access.READ,
        foreign=True,
        **more,
    )


async def list_subscriptions(services: Services) -> Response:
    """Answer with the streams that the person follows."""
    streams = await services.reader.streams.list_streams(get_current_account().id)
    return answer_json(build_subscriptions(streams, services.settings.public_url))


async def list_tags(_services: Services) -> Response:
    """Answer with the tags."""
    return answer_json(build_tags())


async def count_all_unread(services: Services) -> Response:
    """Answer with the number of unread items of each stream, and of all together."""
    user_id = get_current_account().id
    filled = await fill_streams(services, user_id)
    everything = merge_items(one.items for one in filled)
    states = await find_states(services, user_id, everything)
    lists = [(one.stream.id, one.items) for one in filled] + [(READING_LIST, everything)]
    counts = [(name, count_unread(items, states), items) for name, items in lists]
    return answer_json(build_unread_counts(counts, STREAM_ITEMS))


async def show_stream(services: Services, given: StreamParameters) -> Response:
    """Answer with items and their texts; without a stream, with those of all."""
    return await _answer_stream(services, given.s or READING_LIST, given)


async def show_feed(services: Services, given: FeedParameters) -> Response:
    """Answer with items of a subscription."""
    return await _answer_stream(services, f"feed/{given.id}", given)


async def show_state(services: Services, given: StateParameters) -> Response:
    """Answer with items of a list."""
    return await _answer_stream(services, STATE_PREFIX + given.state, given)


async def _answer_stream(services: Services, stream: str, given: SelectionParameters) -> Response:
    user_id = get_current_account().id
    filled = await fill_streams(services, user_id)
    items = await list_items(services, user_id, stream, filled)
    page = await choose_page(services, user_id, items, given.select(MOST_CONTENTS))
    numbers = [compute_number(item.id) for item in page.items]
    shown = await build_items(services, user_id, numbers, filled)
    return answer_json(build_contents(stream, shown, page.continuation, services.now()))


async def list_ids(services: Services, given: StreamParameters) -> Response:
    """Answer with item ids alone."""
    user_id, stream = get_current_account().id, given.s or READING_LIST
    filled = await fill_streams(services, user_id)
    items = await list_items(services, user_id, stream, filled)
    page = await choose_page(services, user_id, items, given.select(MOST_IDS))
    return answer_json(build_ids(page))


async def show_items(services: Services, given: ItemsParameters) -> Response:
    """Answer with the articles of the archive that have these ids."""
    user_id = get_current_account().id
    filled = await fill_streams(services, user_id)
    shown = await build_items(services, user_id, given.i[:MOST_CONTENTS], filled)
    return answer_json(build_contents(READING_LIST, shown, None, services.now()))
