"""Makes inputs that are almost valid, and counts the work that they cost.

The work is a number of calls, which does not depend on the machine.
"""

import sys
from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import Any

from hypothesis import strategies as st

Draw = Callable[[st.SearchStrategy[Any]], Any]
"""`data.draw` of a test. The corpus is no strategy: it would be part of every report."""

ODD_VALUES = [
    *(None, True, False, 0, -1, 0.5, -0.0, 2**31, 2**63, 2**70, 1e308, -1e-308),
    *("", " ", "\x00", "a\x00b", "\ud800", "\udfff\ud800", "\ufeff", "\u202e", "\u200d" * 40),
    *("<script>", "<" * 300, "&" * 300, "&#x110000;", "&#0;", "</p>" * 90, "<!--", "]]>"),
    *("x" * 5_000, "e\u0301" * 900, "\u0316" * 3_000, "😀" * 300, "السلام عليكم", "日本語の見出し"),
    *("a - b | c " * 60, " - " * 200, "(((" * 200, '"' * 300, "“”‘’«»" * 50, "ﷺ" * 200, "ﬁ" * 300),
    *("http://", "http://[::1", "https://a b/", "javascript:alert(1)", "data:text/html,x", "//x"),
    *(
        "https://a" + ".b" * 200,
        "https://x/" + "%2e" * 700,
        "https://x/?" + "u=" * 900,
        "[Removed]",
    ),
    *("https://user:pw@x/", "https://xn--/", "https://١٢٧.0.0.1/", "https://news.google.com/rss/x"),
    *("9999-12-31T23:59:59Z", "0000-00-00", "1970-01-01", "2026-02-30T00:00:00Z", "NaN", "-1", "٣"),
    *("2026-11-20T10:00:00+99:99", "2026-11-20T10:00:00.1234567Z", "20261120T100000"),
    *([], {}, [[]], [{}], [None] * 300, {"": None}, {"title": {"title": []}}, [[[[[[]]]]]]),
]
"""Values that readers of JSON forget."""

ODD_BYTES = [
    *(b"", b"\x00", b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\r\n", b"\n", b"\t"),
    *(b'"', b"\\", b"\\u0000", b"\\ud800", b"\\", b"{", b"}", b"[" * 50, b"]", b",", b":", b"null"),
    *(b"NaN", b"-Infinity", b"1e999", b"9" * 400, b"<html>", b"=", b";", b"; ", b"%00", b"%", b"&"),
    *(b" OR ", b"-", b"(", b")", b"AND", "“".encode(), "é".encode(), "😀".encode(), b"A" * 600),
]
"""Pieces that readers of text forget."""
PIECES = st.sampled_from(ODD_BYTES) | st.binary(max_size=4)


def mutate_bytes(draw: Draw, corpus: Sequence[bytes]) -> bytes:
    """Return an entry of a corpus after up to eight changes: pieces cut out, doubled, put in."""
    data = bytearray(corpus[draw(st.integers(0, len(corpus) - 1))])
    for _ in range(draw(st.integers(0, 8))):
        start, length = draw(st.integers(0, len(data))), draw(st.integers(0, 12))
        cut = bytes(data[start : start + length])
        piece = draw(st.sampled_from([b"", cut * 2, cut[::-1]]) | PIECES)
        data[start : start + length] = piece
    return bytes(data)


def mutate_json(draw: Draw, corpus: Sequence[Any]) -> Any:
    """Return a value of a corpus in which up to five places hold something else, or nothing."""
    value = deepcopy(corpus[draw(st.integers(0, len(corpus) - 1))])
    for _ in range(draw(st.integers(1, 5))):
        _change(draw, value)
    return value


def _change(draw: Draw, value: Any) -> None:
    """Replace, delete or double one place below a value."""
    while isinstance(value, dict | list) and value:
        at = draw(st.sampled_from([*value] if isinstance(value, dict) else range(len(value))))
        if isinstance(value[at], dict | list) and value[at] and draw(st.integers(0, 4)):
            value = value[at]
            continue
        match draw(st.integers(0, 4)):
            case 0:
                del value[at]
            case 1 if isinstance(value, list):
                value += [value[at]] * 3
            case _:
                value[at] = deepcopy(ODD_VALUES[draw(st.integers(0, len(ODD_VALUES) - 1))])
        return


def shorten(value: Any, most: int = 3) -> Any:
    """A value of JSON whose lists have at most three members: an example costs less."""
    if isinstance(value, list):
        return [shorten(one, most) for one in value[:most]]
    if isinstance(value, dict):
        return {name: shorten(one, most) for name, one in value.items()}
    return value


def count_calls(work: Callable[[], Any]) -> tuple[Any, int]:
    """Do some work; return its result, and the number of calls that it made in Python and C."""
    calls = 0

    def note(_frame: Any, event: str, _argument: Any) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        return work(), calls
    finally:
        sys.setprofile(before)
