"""Formats a log record as a line: JSON for machines, or text for people.

Both have the same members in the same order.
"""

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
"""The attribute of a record that holds the fields of our own events."""

Members = Mapping[str, Any]

_STANDARD = frozenset({*logging.makeLogRecord({}).__dict__, "message", "asctime", "taskName"})
"""The attributes that every record has; all others are fields that a library added (`extra`)."""

_BARE = re.compile(r'[^\s"=\\]+')
"""Text that needs no quotes as a field's value."""

_SURROGATES = re.compile(r"\\\\|\\ud[89ab]..\\ud[c-f]..|(\\ud[89a-f]..)")
"""In JSON: an escaped backslash, a surrogate pair, or a lone surrogate, where jq stops reading."""

_COLORS = {"debug": 2, "info": 32, "warning": 33, "error": 31, "critical": 31}
"""The SGR code (ECMA-48) of each level: faint, green, yellow, red."""


class LineFormatter(logging.Formatter):
    """Formats a record of our own or of a library as one line.

    Args:
        secrets: the texts to hide. Only colors are added after they are hidden.
        as_json: True for one JSON object; False for text, where a traceback has lines of its own.
        colored: whether text has colors.
        alone: whether only such lines may be written to the log's stream.
        common: fields of every line.

    Attributes:
        redact_text: hides the secrets in any other text.
    """

    def __init__(
        self,
        secrets: Iterable[str],
        *,
        as_json: bool,
        colored: bool = False,
        alone: bool = False,
        common: Members | None = None,
    ) -> None:
        super().__init__()
        secrets = tuple(secrets)
        self.redact_text = Redactor(secrets, as_json=False)
        self._redact = Redactor(secrets, as_json=True) if as_json else self.redact_text
        self.alone = alone
        self._common = common or {}
        self._render = _format_json if as_json else _format_text
        self._colored = colored and not as_json

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record."""
        head = {
            "timestamp": _format_time(datetime.fromtimestamp(record.created, UTC)),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            "logger": record.name,
        }
        fields = record.__dict__.get(FIELDS)
        if fields is None:
            fields = {
                name: value for name, value in record.__dict__.items() if name not in _STANDARD
            }
        # The head comes first, and fields cannot overwrite it.
        members = {**head, **self._common, **get_contextvars(), **fields, **head}
        if record.exc_info:
            members["exception"] = self.formatException(record.exc_info)
        if record.stack_info:
            members["stack"] = self.formatStack(record.stack_info)
        line = self._redact(self._render(members))
        return _colorize(line, head["level"]) if self._colored else line


def wants_color(stream: TextIO, environ: Mapping[str, str] = os.environ) -> bool:
    """Return whether to write colors to a stream.

    It follows the rules of no-color.org and force-color.org; NO_COLOR wins if both are set.
    """
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and environ.get("TERM") != "dumb"


def _format_json(members: Members) -> str:
    """Format as ASCII JSON, so that no locale can break a line.

    A value that JSON cannot represent is written as text by `_to_text`.
    """
    try:
        line = _encode(members)
    except (TypeError, ValueError):  # a key that is not text, NaN, or a value that contains itself
        line = json.dumps(
            {
                str(name): value if isinstance(value, str | int | None) else _to_text(value)
                for name, value in members.items()
            }
        )
    return (
        _SURROGATES.sub(lambda found: "\\ufffd" if found[1] else found[0], line)
        if "\\ud" in line
        else line
    )


def _format_text(members: Members) -> str:
    """Format the event, then its fields; a traceback follows in lines of its own."""
    rest = dict(members)
    timestamp, level, event = (rest.pop(name) for name in ("timestamp", "level", "event"))
    below = [
        _escape_unprintable(part)
        for name in ("exception", "stack")
        for part in rest.pop(name, "").splitlines()
    ]
    rest["logger"] = rest.pop("logger")
    fields = "".join(
        f" {_escape_unprintable(name)}={_format_value(value)}" for name, value in rest.items()
    )
    return "\n".join([f"{timestamp} {level:<8} {_escape_unprintable(event)}{fields}", *below])


def _format_value(value: Any) -> str:
    if isinstance(value, Sequence) and not isinstance(value, str | bytes) and value:
        return ",".join(map(_format_value, value))
    text = value if isinstance(value, str) else _to_text(value)
    return (
        text
        if _BARE.fullmatch(text) and text.isprintable()
        else json.dumps(text, ensure_ascii=not text.isprintable())
    )


def _to_text(value: Any) -> str:
    """Return any value as text; a datetime has the format of the timestamps."""
    return _format_time(value) if isinstance(value, datetime) else repr(value)


_encode = json.JSONEncoder(default=_to_text, allow_nan=False).encode
"""Created once: `json.dumps` would create an encoder per line, which takes longer than encoding."""


def _format_time(moment: datetime) -> str:
    """Format as RFC 3339 in UTC with milliseconds, as answers do for times of our own clock."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _escape_unprintable(text: str) -> str:
    """Escape text that could forge a line or control the terminal."""
    return text if text.isprintable() else json.dumps(text)[1:-1]


def _colorize(line: str, level: str) -> str:
    timestamp, _, rest = line.partition(" ")
    word, _, rest = rest.partition(" ")
    return f"\x1b[2m{timestamp}\x1b[0m \x1b[{_COLORS.get(level, 0)}m{word}\x1b[0m {rest}"
