"""Reads of Google Reader's API: subscriptions, streams, item ids, contents, counts."""

from typing import Any

from attrs import frozen
from quart import Response, request

from newsintel.domain.accounts.model import Access
from newsintel.domain.reader.item_ids import compute_number
from newsintel.domain.reader.model import STREAM_ITEMS, Item
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
from newsintel.http.bodies.greader_atom import ATOM_TYPE, build_atom
from newsintel.http.bodies.schemas.parts import one_of
from newsintel.http.pages.assets import ASSETS
from newsintel.http.paths import READER_API, READER_ATOM
from newsintel.http.request.access import get_current_account
from newsintel.http.response.answers import answer_json
from newsintel.http.response.links import build_url
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
from newsintel.runtime.turns import run_in_turns

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
    c: Item | None

    def select(self, most: int) -> Selection:
        """Return what the request wants, at most `most` items."""
        return Selection(
            min(self.n, most),
            oldest_first=self.r == "o",
            include=frozenset(one for one in self.it if one is not None),
            exclude=frozenset(one for one in self.xt if one is not None),
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
    contents, atom = READER_API + "/stream/contents", ATOM_TYPE.partition(";")[0]
    ids = "/stream/items"
    return (
        _build_route(READER_API + "/subscription/list", list_subscriptions, "What you follow"),
        _build_route(READER_API + "/tag/list", list_tags, "The states that items can have"),
        _build_route(READER_API + "/unread-count", count_all_unread, "How much is not read"),
        _build_route(contents, show_stream, "Items of a stream", takes=(*SELECTION, STREAM)),
        *_build_streams(contents, show_feed, show_state),
        *_build_streams(READER_ATOM, show_atom_feed, show_atom_state, media=atom),
        _build_route(READER_API + ids + "/ids", list_ids, "Item ids", takes=(*SELECTION, STREAM)),
        _build_route(READER_API + ids + "/contents", show_items, "Items by ids", takes=(ITEMS,)),
        _build_route(
            READER_API + ids + "/contents",
            show_items,
            "Items by their ids, in a form",
            method=Method.POST,
            form=(ITEMS,),
        ),
    )


def _build_streams(
    path: str, of_feed: View, of_state: View, media: str | None = None
) -> tuple[Route, Route]:
    """Return the routes of streams that are named in the path."""
    stream = opaque_id(
        {"type": "string", "pattern": "^[fw]_[a-z2-7]{20}$"},
        "You have no subscription with this id.",
    )
    user = opaque_id({"type": "string", "pattern": "^[!-.0-~]{1,64}$"}, "No stream has this name.")
    state = opaque_id(one_of((State.READING_LIST, State.STARRED)), "No stream has this name.")
    more: dict[str, Any] = {"takes": SELECTION, "media": media}
    return (
        _build_route(
            path + "/feed/{id}", of_feed, "Items of a subscription", in_path={"id": stream}, **more
        ),
        _build_route(
            path + "/user/{user}/state/com.google/{state}",
            of_state,
            "Items of a list",
            in_path={"user": user, "state": state},
            **more,
        ),
    )


def _build_route(path: str, view: View, about: str, **more: Any) -> Route:
    return Route(
        path,
        view,
        about,
        {200: None if more.get("media") else {"type": "object"}},
        problems=("not_found", "busy", "archive_timeout"),
        need=Access.READ,
        foreign=True,
        **more,
    )


async def list_subscriptions(services: Services) -> Response:
    """Answer with the streams that the person follows."""
    streams = await services.reader.streams.list_streams(get_current_account().id)
    base = services.settings.public_url
    icon_url = base + ASSETS["icon.svg"].path
    return answer_json(build_subscriptions(streams, base, f"{base}{READER_ATOM}/", icon_url))


async def list_tags(_services: Services) -> Response:
    """Answer with the tags."""
    return answer_json(build_tags())


async def count_all_unread(services: Services) -> Response:
    """Answer with the number of unread items of each stream, and of all together."""
    user_id = get_current_account().id
    filled = await fill_streams(services, user_id)
    everything = await run_in_turns(merge_items(one.items for one in filled))
    states = await find_states(services, user_id, everything)
    lists = [(one.stream.id, one.items) for one in filled] + [(READING_LIST, everything)]
    counts = [
        (name, await run_in_turns(count_unread(items, states)), items) for name, items in lists
    ]
    return answer_json(build_unread_counts(counts, STREAM_ITEMS))


async def show_stream(services: Services, given: StreamParameters) -> Response:
    """Answer with items and their texts; without a stream, with those of all."""
    return answer_json(await _read_stream(services, given.s or READING_LIST, given))


async def show_feed(services: Services, given: FeedParameters) -> Response:
    """Answer with items of a subscription."""
    return answer_json(await _read_stream(services, f"feed/{given.id}", given))


async def show_state(services: Services, given: StateParameters) -> Response:
    """Answer with items of a list."""
    return answer_json(await _read_stream(services, STATE_PREFIX + given.state, given))


async def show_atom_feed(services: Services, given: FeedParameters) -> Response:
    """Answer with items of a subscription as Atom."""
    return await _answer_atom(services, f"feed/{given.id}", given)


async def show_atom_state(services: Services, given: StateParameters) -> Response:
    """Answer with items of a list as Atom."""
    return await _answer_atom(services, STATE_PREFIX + given.state, given)


async def _answer_atom(services: Services, stream: str, given: SelectionParameters) -> Response:
    body = await _read_stream(services, stream, given)
    titles = {item["origin"]["title"] for item in body["items"]}
    title = titles.pop() if len(titles) == 1 else "newsintel"
    url = build_url(services.settings.public_url, request.path, request.query_string)
    return Response(await run_in_turns(build_atom(body, title, url)), content_type=ATOM_TYPE)


async def _read_stream(
    services: Services, stream: str, given: SelectionParameters
) -> dict[str, Any]:
    user_id = get_current_account().id
    filled = await fill_streams(services, user_id)
    items = await list_items(services, user_id, stream, filled)
    page = await choose_page(services, user_id, items, given.select(MOST_CONTENTS))
    numbers = [compute_number(item.id) for item in page.items]
    shown = await build_items(services, user_id, numbers, filled)
    return build_contents(stream, shown, page.continuation, services.now())


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
