"""Lines as other programs write them, valid or not.

Each has the reason why `import` and `dedupe` refuse it, or none.
"""

import json
from typing import NamedTuple

LEAST = {
    "url": "https://example.org/{number}",
    "title": "Story {number}",
    "source": "guardian",
    "publisher": "The Guardian",
    "published_at": "2026-01-01T00:00:00Z",
}
TAKEN = None


class Case(NamedTuple):
    """A line, and the reason each command gives to refuse it; None if it accepts the line."""

    line: bytes
    imported: str | None = TAKEN
    deduped: str | None = TAKEN


def line(number, *, raw=(), end=b"\n", **changes):
    """A valid line with changes; `...` leaves a field out.

    `raw` adds members as literal text, such as `"points": NaN`.
    """
    fields = {name: value.format(number=number) for name, value in LEAST.items()} | changes
    written = [
        f"{json.dumps(name)}: {json.dumps(value)}"
        for name, value in fields.items()
        if value is not ...
    ]
    return ("{" + ", ".join([*written, *raw]) + "}").encode() + end


def not_json(text, reason=""):
    """A line that neither command can read as JSON."""
    return Case(text, f"not JSON: {reason}", f"is not JSON: {reason}")


BAD_TIME = "published_at is not a time such as 2026-01-31T12:00:00Z"
NO_TITLE = "has no title, or one that is not text"

# Each case is one line of the file, in this order, so its position is the line number in reports.
CASES = (
    Case(b"\xef\xbb\xbf" + line(1, end=b"\r\n")),
    Case(line(2, end=b"\r\n")),
    Case(b"\r\n"),
    Case(b" \t \n"),
    Case(b"\xef\xbb\xbf" + line(5)),
    Case(b"  " + line(6)),
    # JSON
    not_json(b"{\n", "unexpected end of data at column 1"),
    not_json(line(8)[:-30] + b"\n", "unexpected control character in string"),
    not_json(line(9)[:-1] + line(9), "unexpected content after document"),
    not_json(line(10).replace(b'"', b"'"), "unexpected character"),
    Case(b"[]\n", "not a JSON object", "is not a JSON object"),
    Case(b"null\n", "not a JSON object", "is not a JSON object"),
    not_json(b'"{""title"": ""x""}"\n'),
    not_json(b"\0" * 20 + b"\n"),
    not_json(b"\x1a\n"),
    not_json(b"[" * 5000 + b"\n", "nested too deeply"),
    Case(
        line(17, description="x" * 2**20),
        "longer than 1,048,576 bytes",
        "is longer than 1,048,576 bytes",
    ),
    # encodings
    not_json(line(18, title="Ä").replace(rb"\u00c4", b"\xc4"), "byte 45 is not UTF-8"),
    Case(line(19, title="half \ud83d of a pair")),
    Case(line(20, title="\udc00 Story 20")),
    Case(line(21, title="\ud800"), "title is missing or empty"),
    Case(line(22, url="https://example.org/\ud800"), "url is not an http or https address"),
    Case(
        line(23, external_id="x\ud800"),
        "external_id is longer than 2048 characters or has invisible ones",
    ),
    Case(line(24, title="Story 24 \x00 NUL")),
    # numbers
    Case(line(25, raw=['"points": 12.0', '"comments": 3.0'])),
    Case(line(26, raw=['"points": 1.2e1', '"comments": -0.0'])),
    Case(line(27, raw=['"points": 12.5', '"comments": 3']), "points is not a whole number"),
    not_json(line(28, raw=['"points": NaN', '"comments": 3']), "points is or holds NaN"),
    not_json(line(29, raw=['"points": 3', '"comments": -Infinity']), "comments is or holds"),
    Case(line(30, raw=['"points": 3', '"comments": 1e999']), "comments is not a whole number"),
    Case(
        line(31, raw=['"points": 123456789012345678901234567890', '"comments": 3']),
        "points or comments do not fit 32 bits",
    ),
    Case(line(32, raw=['"points": "12"', '"comments": "3"']), "points is not a whole number"),
    not_json(line(33, raw=['"author": NaN']), "author is or holds NaN"),
    Case(line(34, title="Story 34, NaN and Infinity")),
    Case(line(35, raw=['"id": 123456789012345678901234567890'])),
    Case(line(36, raw=['"external_id": 123456789012345678901234567890'])),
    Case(line(37, raw=['"external_id": -9007199254740993'])),
    Case(line(38, raw=['"external_id": 1.5']), "external_id is not text"),
    Case(line(39, raw=['"id": ' + "9" * 5000])),
    not_json(line(40, raw=['"points": 007', '"comments": 3']), "number with leading zero"),
    # times, including the examples of RFC 3339, 5.8
    Case(line(41, published_at="2026-01-01t00:00:00z")),
    Case(line(42, published_at="2026-01-01 00:00:00Z")),
    Case(line(43, published_at="1985-04-12T23:20:50.52Z")),
    Case(line(44, published_at="1996-12-19T16:39:57-08:00")),
    Case(line(45, published_at="1990-12-31T23:59:60Z")),
    Case(line(46, published_at="1990-12-31T15:59:60-08:00")),
    Case(line(47, published_at="1937-01-01T12:00:27.87+00:20")),
    Case(line(48, published_at="2026-01-01T00:00:00.1234567Z")),
    Case(line(49, published_at="2026-02-30T00:00:00Z"), BAD_TIME),
    Case(line(50, published_at="2026-01-01T24:30:00Z"), BAD_TIME),
    Case(line(51, published_at="2026-01-01T00:00:61Z"), BAD_TIME),
    Case(line(52, published_at="2026-01-01T00:00:00"), "published_at has no offset such as Z"),
    Case(line(53, published_at="01.01.2026"), BAD_TIME),
    Case(line(54, published_at="\ud800"), BAD_TIME),
    Case(line(55, published_at=1767225600), "published_at is not text"),
    Case(line(56, published_at=""), BAD_TIME),
    # fields
    Case(line(57, title=...), "title is missing or empty", NO_TITLE),
    Case(line(58, title=5), "title is not text", NO_TITLE),
    Case(line(59, title=None), "title is missing or empty", NO_TITLE),
    Case(line(60, url=5), "url is not text", "has a url that is not text"),
    Case(line(61, url=""), "url is missing or empty"),
    Case(line(62, url="javascript:alert(1)"), "url is not an http or https address"),
    Case(line(63, source="The Guardian"), "source must match"),
    Case(line(64, tittle="x"), "unknown field 'tittle'"),
    Case(line(65, author=["a"]), "author is not text"),
    Case(line(66, raw=['"title": "Story 66"'])),
    Case(line(67, end=b"")),
)
FILE = b"".join(case.line for case in CASES)
"""All lines; the last one has no line end."""


def refusals(command):
    """The lines that `imported` or `deduped` refuses: number, and start of the reason."""
    return {
        number: reason
        for number, case in enumerate(CASES, start=1)
        if (reason := getattr(case, command)) is not TAKEN
    }


def taken(command):
    """The numbers of the accepted lines."""
    return [
        number
        for number, case in enumerate(CASES, start=1)
        if getattr(case, command) is TAKEN and case.line.strip()
    ]
