"""A line of the log: valid JSON, or text without control characters, with one format of time."""

import io
import itertools
import json
import logging
import shutil
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rfc3339_validator import validate_rfc3339
from rich.console import Console
from rich.text import Text

from newsintel.runtime.telemetry.log_lines import LineFormatter, wants_color
from tests.values import unhurried

MOMENT = datetime(2026, 3, 14, 13, 30, 0, 1999, tzinfo=UTC)

needs_jq = pytest.mark.skipif(
    shutil.which("jq") is None, reason="jq is not installed (Debian: apt-get install jq)"
)


def record(event, fields=None, *, level=logging.INFO, exc_info=None, **extra):
    """Return a record: with `fields` one of our own, otherwise one of a library."""
    made = logging.LogRecord("newsintel.test", level, __file__, 1, event, (), exc_info)
    made.created = MOMENT.timestamp()
    made.__dict__.update(extra if fields is None else {"fields": fields})
    return made


def as_json(made):
    """Return a record's line of JSON, parsed."""
    return json.loads(LineFormatter((), as_json=True).format(made))


def as_text(made, **how):
    """Return a record's line of text."""
    return LineFormatter((), as_json=False, **how).format(made)


def failure():
    """Return an exception with its traceback."""
    try:
        raise ValueError("two\nlines \x1b[31m")
    except ValueError:
        return sys.exc_info()


def test_a_line_has_its_fixed_members_first():
    """They are time, level, event and logger; a field cannot replace them.

    All times have one format.
    """
    line = as_json(
        record(
            "store_failing", {"store": "redis", "level": "x", "retry_at": MOMENT, "status": None}
        )
    )
    assert list(line) == ["timestamp", "level", "event", "logger", "store", "retry_at", "status"]
    assert (line["timestamp"], line["level"], line["retry_at"]) == (
        "2026-03-14T13:30:00.001Z",
        "info",
        "2026-03-14T13:30:00.001Z",
    )
    assert as_text(
        record(
            "store_failing",
            {"store": "redis", "why": "it is away", "sources": ("a", "b c"), "n": 1.5},
        )
    ) == (
        "2026-03-14T13:30:00.001Z info     store_failing "
        'store=redis why="it is away" sources=a,"b c" n=1.5 logger=newsintel.test'
    )


def test_a_record_of_a_library_has_the_same_form():
    """Its message is the event, and its extra attributes are fields."""
    line = as_json(record("%s is broken", url="x", level=logging.WARNING))
    assert (line["event"], line["url"], line["level"]) == ("%s is broken", "x", "warning")


def test_a_traceback_is_a_field_in_json_and_follows_the_line_in_text():
    """JSON stays one line; in text, control characters are escaped."""
    assert "ValueError: two\nlines" in as_json(record("bug", {}, exc_info=failure()))["exception"]
    first, *below = as_text(record("bug", {}, exc_info=failure())).splitlines()
    assert first.endswith("bug logger=newsintel.test")
    assert below[0] == "Traceback (most recent call last):"
    assert below[-1] == r"lines \u001b[31m"


HOSTILE = [
    "\x1b[2J",
    "a\nb",
    "a\r2026-01-01T00:00:00Z info forged",
    "\x9b31m",
    "\ud800",
    "\u202e",
    "\x00",
    "\x7f",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_text_cannot_forge_a_line_or_control_a_terminal(text):
    """The text is the event, a field of our own or a field of a library."""
    for made in (record(text), record("event", {"path": text}), record("event", path=text)):
        line = as_text(made)
        assert line.isprintable()


words = st.text(max_size=12)
values = st.one_of(
    words,
    st.integers(),
    st.sampled_from([float("nan"), float("-inf"), 1.5, None, b"\xff", MOMENT, {1: {2}}]),
)
fields = st.dictionaries(words, st.one_of(values, st.lists(values, max_size=2)), max_size=4)
lightly = settings(unhurried, max_examples=60, suppress_health_check=[HealthCheck.too_slow])


@lightly
@given(fields, words)
def test_any_event_is_one_line_of_ascii_json(given, event):
    """Values include infinities, bytes and lone surrogates; Python's parser must find no NaN."""
    line = LineFormatter((), as_json=True).format(record(event, given))
    assert line.isascii()
    assert "\n" not in line
    told = json.loads(line, parse_constant=pytest.fail)
    assert set(given) <= set(told)
    assert validate_rfc3339(told["timestamp"])


@lightly
@given(fields, words)
def test_any_event_is_one_line_of_text(given, event):
    """It begins with a time that another library's parser of RFC 3339 accepts."""
    line = as_text(record(event, given))
    assert len(line.splitlines()) == 1
    assert validate_rfc3339(line.split(" ")[0])


@needs_jq
def test_jq_reads_every_line(tmp_path):
    """Each line is one object with the same event."""
    given = [*HOSTILE, 'quo"ted', "back\\slash", "Zürich", "😀"]
    lines = [
        LineFormatter((), as_json=True).format(
            record(text, {"n": [float("nan"), {1: {2}}], "text": text})
        )
        for text in given
    ]
    (tmp_path / "log").write_text("\n".join(lines), encoding="ascii")
    done = subprocess.run(
        ["jq", "-c", "[.event, .text, .level]", tmp_path / "log"], capture_output=True, check=True
    )
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line[0].encode(errors="replace") for line in told] == [
        text.encode(errors="surrogatepass").replace(b"\xed\xa0\x80", "\ufffd".encode())
        for text in given
    ]
    assert {line[2] for line in told} == {"info"}


class Stream(io.StringIO):
    """A stream that says whether it is a terminal."""

    def __init__(self, *, terminal):
        super().__init__()
        self.terminal = terminal

    def isatty(self):
        """Return what the test chose."""
        return self.terminal


ENVIRONS = [
    {
        name: value
        for name, value in zip(("NO_COLOR", "FORCE_COLOR", "TERM"), values, strict=True)
        if value is not None
    }
    for values in itertools.product(
        (None, "", "0", "1"), (None, "", "0", "1"), (None, "xterm", "dumb")
    )
]


@pytest.mark.parametrize("terminal", [True, False])
@pytest.mark.parametrize("environ", ENVIRONS, ids=str)
def test_no_color_and_force_color_are_respected(environ, terminal):
    """Rich is the oracle for no-color.org and force-color.org.

    FORCE_COLOR beats a dumb terminal, as in the tracebacks of Python 3.13.
    """
    stream = Stream(terminal=terminal)
    # An empty variable counts as unset.
    rich = Console(file=stream, _environ={name: value for name, value in environ.items() if value})
    expected = rich.color_system is not None and not rich.no_color
    if environ.get("FORCE_COLOR") and environ.get("TERM") == "dumb":
        expected = not environ.get("NO_COLOR")
    assert wants_color(stream, environ) is expected


def test_colors_are_added_after_redaction():
    """So a colour code cannot split a secret; without the codes the line is the same."""
    made = record("event", {"password": "planted", "why": "planted-key"})
    plain = LineFormatter(["planted-key"], as_json=False).format(made)
    colored = LineFormatter(["planted-key"], as_json=False, colored=True).format(made)
    assert "planted" not in colored
    assert "\x1b[" in colored
    assert Text.from_ansi(colored).plain == plain
    assert "\x1b" not in LineFormatter((), as_json=True, colored=True).format(made)


@pytest.mark.parametrize("as_json", [True, False])
def test_common_fields_are_on_every_line(as_json):
    """An event's own field of that name wins."""
    formatter = LineFormatter((), as_json=as_json, common={"worker": 2})
    shown = {True: '"worker": {}', False: "worker={}"}[as_json]
    assert shown.format(2) in formatter.format(record("said", {"a": 1}))
    assert shown.format(5) in formatter.format(record("said", {"worker": 5}))
