"""The kinds of value of Google Reader's API, and the parameters that several routes share."""

import re
from typing import Any

from newsintel.domain.reader.item_ids import MOST, PATTERN, parse_item_id
from newsintel.domain.reader.selection import CONTINUATION, State, parse_continuation
from newsintel.http.bodies.greader import READING_LIST, STARRED, STATE_PREFIX
from newsintel.http.request.query_kinds import Kind, whole_number
from newsintel.http.request.query_string import Parameter

MOST_IDS = 10_000
"""Item ids of one answer. A person's streams have fewer, or nearly so."""

_USER = re.compile("user/[^/]{1,64}/state/com.google/")
_TEXT: dict[str, Any] = {"type": "string"}
_MOST = 10**19
"""Readers send times in seconds, in microseconds, and some in nanoseconds."""


def normalize_tag(text: str) -> str:
    """Return a tag or a stream of a person with `-` for the person, as in our answers."""
    return _USER.sub(STATE_PREFIX, text, count=1) if _USER.match(text) else text


def _parse_stream(raw: str) -> str:
    stream = normalize_tag(raw)
    if stream in (READING_LIST, STARRED) or re.fullmatch(r"feed/[!-~]+", stream):
        return stream
    raise ValueError(f"must be {READING_LIST}, {STARRED} or the id of a subscription")


def _parse_state(raw: str) -> State | None:
    """Return the state that a tag names; None for tags that we do not keep."""
    name = normalize_tag(raw).removeprefix(STATE_PREFIX)
    return State(name) if name in set(State) else None


STREAM_KIND = Kind(
    _TEXT
    | {"pattern": "^(user/[^/]{1,64}/state/com[.]google/(reading-list|starred)|feed/[!-~]+)$"},
    _parse_stream,
)
STATE_KIND = Kind(_TEXT, _parse_state)
NUMBER_KIND = whole_number(0, _MOST)
ITEM_KIND = Kind(
    {"anyOf": [{"type": "integer", "minimum": 0, "maximum": MOST}, _TEXT | {"pattern": PATTERN}]},
    parse_item_id,
)
CONTINUATION_KIND = Kind(_TEXT | {"pattern": f"^{CONTINUATION}$"}, parse_continuation)

STREAM = Parameter("s", STREAM_KIND, "The stream.")
ITEMS = Parameter("i", ITEM_KIND, "Item ids, in any form.", (), required=True, many=True)

SELECTION = (
    Parameter("n", NUMBER_KIND, "How many items at most.", 20),
    Parameter("r", Kind(_TEXT, str), "`o`: the oldest first; else the newest.", "d"),
    Parameter("it", STATE_KIND, "Only items with this state.", (), many=True),
    Parameter("xt", STATE_KIND, "No items with this state.", (), many=True),
    Parameter("ot", NUMBER_KIND, "Only items that arrived since then, in seconds of Unix time."),
    Parameter("nt", NUMBER_KIND, "Only items that arrived until then, in seconds of Unix time."),
    Parameter("c", CONTINUATION_KIND, "`continuation` of an answer to the same request."),
)
