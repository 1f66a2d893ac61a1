"""The default list of feeds: public feeds of publishers, in `default_list.toml`."""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

from attrs import evolve

from newsintel.domain.feeds.model import Subscription
from newsintel.domain.text.safe_urls import get_host


@cache
def load_default_feeds() -> tuple[Subscription, ...]:
    """Return the feeds of the default list, in its order."""
    table = _load_table()
    return tuple(
        Subscription(
            address=row["address"],
            publisher=row.get("publisher"),
            language=row["language"],
            country=row["country"],
            licence=table["terms"][row.get("terms", "publisher")],
            title=row.get("title") or row["publisher"],
        )
        for row in table["feeds"]
    )


def mark_state_media(feed: Subscription) -> Subscription:
    """Return a feed, marked if its host is one of state media."""
    host = get_host(feed.address)
    known: list[str] = _load_table()["state_media"]["hosts"]
    if any(host == one or host.endswith("." + one) for one in known):
        return evolve(feed, state_media=True)
    return feed


@cache
def _load_table() -> dict[str, Any]:
    file = files("newsintel.outbound.sources.feeds").joinpath("default_list.toml")
    return tomllib.loads(file.read_text(encoding="utf-8"))
