"""What a source file gives: its options, and how a query becomes a request and a reply becomes a page."""

from collections.abc import Callable, Mapping
from datetime import datetime

from attrs import field, frozen

from newsintel.model import Page, Query, Refusal
from newsintel.options import SourceOptions
from newsintel.settings import SourceSettings


@frozen
class Request:
    """A GET to send. Its repr hides every value: a key may be among them."""

    path: str
    params: tuple[tuple[str, str], ...] = field(repr=False)
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)


@frozen
class Response:
    """A reply as it came. `headers` have lower-case names; `body` is content-decoded."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


@frozen
class Source:
    """One source."""

    options: SourceOptions
    request: Callable[[Query, SourceSettings, str], Request]
    read: Callable[[Response, Query, datetime], Page | Refusal]
    ignored: Callable[[Query], tuple[str, ...]]
    uses_token: bool = False
