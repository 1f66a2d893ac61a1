"""The formats in which a list of articles can leave: JSON, and three that other programs read.

Pure: they are made from the same plain values as the JSON body, so they show what it shows.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

from attrs import frozen

from newsintel.domain.bounds.slices import Sliced
from newsintel.domain.search.codec import to_json
from newsintel.http.bodies.channel import Channel
from newsintel.http.bodies.csv_table import build_csv
from newsintel.http.bodies.json_feed import build_json_feed
from newsintel.http.bodies.rss import build_rss

Body = Mapping[str, Any]


class Format(StrEnum):
    """A value of the parameter `format`."""

    JSON = "json"
    RSS = "rss"
    JSON_FEED = "jsonfeed"
    CSV = "csv"


MEDIA_TYPES: Mapping[Format, str] = {
    Format.JSON: "application/json",
    Format.RSS: "application/rss+xml; charset=utf-8",
    Format.JSON_FEED: "application/feed+json; charset=utf-8",
    Format.CSV: "text/csv; charset=utf-8; header=present",
}
"""The Content-Type of each format (RFC 8259; the RSS Board's; JSON Feed 1.1; RFC 4180)."""


@frozen
class Content:
    """A finished body and its Content-Type."""

    data: bytes
    media_type: str


def _refuse_channel(_: Body) -> Channel:
    raise AssertionError("this format has no channel")


@frozen
class Encoding:
    """How a body becomes bytes; it has `articles`, unless the format is JSON.

    Attributes:
        format: the format.
        describe: returns the channel of a body; JSON and CSV have none.
    """

    format: Format
    describe: Callable[[Body], Channel] = _refuse_channel

    @property
    def media_type(self) -> str:
        """The Content-Type."""
        return MEDIA_TYPES[self.format]

    def encode(self, body: Body) -> Sliced[bytes]:
        """Return the finished body, in slices."""
        match self.format:
            case Format.RSS:
                return (yield from build_rss(body["articles"], self.describe(body)))
            case Format.JSON_FEED:
                return to_json(build_json_feed(body["articles"], self.describe(body)))
            case Format.CSV:
                return (yield from build_csv(body["articles"]))
        return to_json(body)


AS_JSON = Encoding(Format.JSON)
