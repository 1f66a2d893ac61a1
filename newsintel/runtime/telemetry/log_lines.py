"""How a record of the log becomes a line: JSON for machines, text for people, both with the same members in the same order."""

import json
import logging
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TextIO

from structlog.contextvars import get_contextvars

from newsintel.domain.security.redactor import Redactor

FIELDS = "fields"
"""The attribute of a record that holds the fields of an event of ours."""

Members = Mapping[str, Any]

_STANDARD = frozenset({*logging.makeLogRecord({}).__dict__, "message", "asctime", "taskName"})
"""The attributes that every record has; any other is a field that a library added (`extra`)."""

_BARE = re.compile(r'[^\s"=\\]+')
"""Text that needs no quotes as a field's value."""

_SURROGATES = re.compile(r"\\\\|\\ud[89ab]..\\ud[c-f]..|(\\ud[89a-f]..)")
"""In JSON: a backslash, a pair of surrogates, or half of one, which jq takes for the end of the log."""

_COLORS = {"debug": 2, "info": 32, "warning": 33, "error": 31, "critical": 31}
"""ECMA-48's SGR codes for each level: faint, green, yellow, red."""


class Line(logging.Formatter):
    """Makes one line of a record, ours or a library's.

    Args:
        secrets: the texts to hide. Only colors are added after that.
        as_json: one JSON object; else text, with a traceback in lines of its own.
        colored: whether text has colors.
        alone: whether nothing but such lines may be written where they are.

    Attributes:
        redact_text: hides the same in text that is no line of the log.
    """

    def __init__(self, secrets: Iterable[str], *, as_json: bool, colored: bool = False, alone: bool = False) -> None:
        super().__init__()
        secrets = tuple(secrets)
        self.redact_text = Redactor(secrets, as_json=False)
        self._redact = Redactor(secrets, as_json=True) if as_json else self.redact_text
        self.alone = alone
        self._render = _json if as_json else _text
        self._colored = colored and not as_json

    def format(self, record: logging.LogRecord) -> str:
        """The record's line."""
        head = {
            "timestamp": _moment(datetime.fromtimestamp(record.created, UTC)),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            "logger": record.name,
        }
        fields = record.__dict__.get(FIELDS)
        if fields is None:
            fields = {name: value for name, value in record.__dict__.items() if name not in _STANDARD}
        # The head comes first, and no field takes its place.
        members = {**head, **get_contextvars(), **fields, **head}
        if record.exc_info:
            members["exception"] = self.formatException(record.exc_info)
        if record.stack_info:
            members["stack"] = self.formatStack(record.stack_info)
        line = self._redact(self._render(members))
        return _painted(line, head["level"]) if self._colored else line


def wants_color(stream: TextIO, environ: Mapping[str, str] = os.environ) -> bool:
    """Whether a stream is to have colors: the rules of no-color.org and force-color.org, of which the first counts if both are set."""
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and environ.get("TERM") != "dumb"


def _json(members: Members) -> str:
    """ASCII, so that no locale can break a line; what JSON cannot hold is its repr."""
    try:
        line = _encode(members)
    except (TypeError, ValueError):  # a key that is no text, a number that is none, a value that holds itself
        line = json.dumps({str(name): value if isinstance(value, str | int | None) else _plain(value) for name, value in members.items()})
    return _SURROGATES.sub(lambda found: "\\ufffd" if found[1] else found[0], line) if "\\ud" in line else line


def _text(members: Members) -> str:
    """The event, then its fields; a traceback follows in lines of its own."""
    rest = dict(members)
    timestamp, level, event = (rest.pop(name) for name in ("timestamp", "level", "event"))
    below = [_printable(part) for name in ("exception", "stack") for part in rest.pop(name, "").splitlines()]
    rest["logger"] = rest.pop("logger")
    fields = "".join(f" {_printable(name)}={_value(value)}" for name, value in rest.items())
    return "\n".join([f"{timestamp} {level:<8} {_printable(event)}{fields}", *below])


def _value(value: Any) -> str:
    if isinstance(value, Sequence) and not isinstance(value, str | bytes) and value:
        return ",".join(map(_value, value))
    text = value if isinstance(value, str) else _plain(value)
    return text if _BARE.fullmatch(text) and text.isprintable() else json.dumps(text, ensure_ascii=not text.isprintable())


def _plain(value: Any) -> str:
    """Any value as text; moments in the form that timestamps have."""
    return _moment(value) if isinstance(value, datetime) else repr(value)


_encode = json.JSONEncoder(default=_plain, allow_nan=False).encode
"""Made once: `json.dumps` would make an encoder for each line, which takes longer than the line."""


def _moment(moment: datetime) -> str:
    """RFC 3339 in UTC, in milliseconds, as answers have the moments that our own clock took."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _printable(text: str) -> str:
    """Text that can forge no line and steers no terminal."""
    return text if text.isprintable() else json.dumps(text)[1:-1]


def _painted(line: str, level: str) -> str:
    timestamp, _, rest = line.partition(" ")
    word, _, rest = rest.partition(" ")
    return f"\x1b[2m{timestamp}\x1b[0m \x1b[{_COLORS.get(level, 0)}m{word}\x1b[0m {rest}"
