"""The members of the bodies of saved searches."""

from typing import Any

from attrs import evolve, frozen

from newsintel.domain.alerts.channels import ChannelKind
from newsintel.domain.alerts.digests import Every, is_time_zone
from newsintel.domain.alerts.model import MOST_CHANNELS, WatchedQuery
from newsintel.domain.archive.model import SOURCE_NAME
from newsintel.domain.text.request_urls import MAX_ADDRESS
from newsintel.http.request.json_body import LEFT_OUT, Member
from newsintel.http.request.json_kinds import choice, matching_string, nullable, string
from newsintel.http.request.json_objects import json_list, json_object
from newsintel.http.request.query_kinds import Kind

MOST_SOURCES = 50
"""In one query; there are fewer adapters."""


@frozen
class WantedChannel:
    """A channel as a person asks for it. `to` is empty for a feed."""

    kind: ChannelKind
    to: str


def _make_query(q: str | None, sources: Any, publisher: str | None, language: Any) -> WatchedQuery:
    return WatchedQuery(q, sources or (), publisher, language and language.lower())


def _make_channel(kind: ChannelKind, to: str | None) -> WantedChannel:
    return WantedChannel(kind, to or "")


def _parse_every(value: Any) -> Every:
    try:
        return Every(value)
    except ValueError:
        raise ValueError(f"must be one of {', '.join(one.value for one in Every)}") from None


def _parse_time_zone(value: Any) -> str:
    if not isinstance(value, str) or not is_time_zone(value):
        raise ValueError("must be the IANA name of a time zone, such as Europe/Berlin")
    return value


def _parse_flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")  # noqa: TRY004 - as every kind
    return value


_SOURCE = matching_string(
    {"type": "string", "pattern": f"^{SOURCE_NAME}$"}, "the name of a source, such as guardian"
)
_LANGUAGE = matching_string(
    {"type": "string", "pattern": "^[A-Za-z]{2}$"}, "two letters such as en"
)
_TEXT = nullable(string(1, 256))

QUERY = Member(
    "query",
    json_object(
        Member("q", _TEXT, "As GET /archive takes it.", None),
        Member("sources", nullable(json_list(_SOURCE, 0, MOST_SOURCES)), "Null: all.", None),
        Member("publisher", _TEXT, "Its whole name.", None),
        Member("language", nullable(_LANGUAGE), "As GET /archive takes it.", None),
        make=_make_query,
    ),
    "What to look for, with the grammar and filters of GET /archive.",
    required=True,
)
NAME = Member("name", string(1, 100), "A name for your own use.", required=True)
DELIVER = Member(
    "deliver",
    json_list(
        json_object(
            Member("kind", choice(*ChannelKind), "How.", required=True),
            Member("to", nullable(string(1, MAX_ADDRESS)), "Where; a feed has no address.", None),
            make=_make_channel,
        ),
        1,
        MOST_CHANNELS,
    ),
    "Where alerts are sent.",
    required=True,
)
EVERY = Member(
    "every",
    Kind({"type": "string", "enum": [one.value for one in Every]}, _parse_every),
    "When: at once, or together at each full hour, or each day at 08:00.",
    Every.AT_ONCE,
)
TIME_ZONE = Member(
    "time_zone",
    Kind({"type": "string", "maxLength": 64, "format": "iana-time-zone"}, _parse_time_zone),
    "The IANA name of the time zone of those hours.",
    "UTC",
)
LATER_MEMBERS = Member(
    "later_members",
    Kind({"type": "boolean"}, _parse_flag),
    "True: a story alerts again for each publisher that tells it later.",
    False,
)
PAUSED = Member(
    "paused",
    Kind({"type": "boolean"}, _parse_flag),
    "True: nothing is matched or sent until it is false again.",
)

NEW_SEARCH = (NAME, QUERY, DELIVER, EVERY, TIME_ZONE, LATER_MEMBERS)
CHANGES = tuple(
    evolve(one, required=False, default=LEFT_OUT)
    for one in (NAME, QUERY, DELIVER, EVERY, TIME_ZONE, LATER_MEMBERS, PAUSED)
)
PREVIEWED = (QUERY,)
