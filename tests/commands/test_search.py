"""`newsintel search`: its query, and its output for people and programs."""

import json
import re
import shutil
import subprocess
from datetime import UTC, datetime

import pytest
from attrs import evolve
from rfc3339_validator import validate_rfc3339
from rich.console import Console

from newsintel.commands import search
from newsintel.commands.main import build_parser
from newsintel.commands.source_lines import show_outcomes
from newsintel.commands.stories import print_lines, print_table
from newsintel.config.reading import read_settings
from newsintel.domain.search.article import Engagement
from newsintel.domain.search.merging import GroupedHarvest
from newsintel.domain.search.outcome import FetchOutcome, Status
from newsintel.errors import InvalidParameterError, OverloadedError
from newsintel.http.bodies.search import View, render
from newsintel.outbound.sources import REGISTRY
from newsintel.runtime.search.flight import Failed, Landed, SourceReported
from tests.make import NOON, answer, article, outcome
from tests.service import PATIENT, newsintel

SETTINGS = read_settings(
    [source.options for source in REGISTRY.values()], {"NEWSINTEL_SOURCES": "reddit,guardian"}
)


def asked(*words):
    """The query of a command line."""
    return search._build_query(build_parser("search").parse_args(["search", *words]), SETTINGS)


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["climate"], "climate"),
        (["climate", "change"], "climate change"),
        (["climate", "-football"], "climate -football"),
        (["-football", "climate"], "-football climate"),
        (["climate", "-hot", "OR", "weather"], "climate -hot OR weather"),
        (["climate", "--limit", "3", "-football", "talks"], "climate -football talks"),
        (['"machine learning"', "-crypto"], '"machine learning" -crypto'),
        (['climate -"heat wave"'], 'climate -"heat wave"'),
        (["--json", "climate"], "climate"),
        (["--limit", "3", "--", "climate", "-x"], "climate -x"),
    ],
)
def test_words_need_no_quotes(words, text):
    """All words are one query; a word with one dash is excluded, wherever options stand."""
    assert asked(*words).text == text


def test_filters_are_those_of_the_api():
    """Sources in configured order, dates as whole UTC days, a language in either case, the sort."""
    query = asked(
        "a",
        "--sources",
        "guardian,reddit",
        "--from",
        "2026-01-02",
        "--to",
        "2026-01-03",
        "--language",
        "EN",
        "--sort",
        "newest",
    )
    assert query.sources == ("reddit", "guardian")
    assert query.start == datetime(2026, 1, 2, tzinfo=UTC)
    assert query.end == datetime(2026, 1, 3, 23, 59, 59, 999_999, tzinfo=UTC)
    assert (query.language, query.sort) == ("en", "newest")
    others = [name for name in REGISTRY if name not in ("reddit", "guardian")]
    assert asked("a").sources == ("reddit", "guardian", *others)


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (
            ["a", "--sources", "guardian,bbc"],
            "argument --sources: must be a comma list out of newsapi, guardian, reddit",
        ),
        (["a", "--sort", "best"], "argument --sort: invalid choice: 'best'"),
        (["a", "--from", "yesterday"], "argument --from: must be a date such as 2026-01-31"),
        (["a", "--language", "eng"], "argument --language: must be two letters such as en"),
        (["a", "--limit", "0"], "argument --limit: must be a whole number from 1 to 100"),
        (["a", "--limit", "-5"], "argument --limit: must be a whole number from 1 to 100"),
        (["a", "--colour"], "unrecognized arguments: --colour"),
        ([], "the following arguments are required: QUERY"),
    ],
)
def test_bad_argument_is_one_line(words, problem, capsys):
    """It names the argument, its allowed values and the help; exit code 2."""
    with pytest.raises(SystemExit) as ended:
        asked(*words)
    out, err = capsys.readouterr()
    assert (ended.value.code, out) == (2, "")
    assert re.fullmatch(
        rf"newsintel: {re.escape(problem)}.* \(see newsintel( search)? --help\)\n", err
    )


def test_from_after_to_is_refused():
    """The message is that of the API."""
    with pytest.raises(InvalidParameterError, match="from must not be later than to"):
        asked("a", "--from", "2026-02-01", "--to", "2026-01-01")


STORY = article(
    "one",
    title="Talks\topen\nin \x1b[31mPort",
    url="https://example.org/" + "long/" * 30 + "story",
    publisher="The Paper",
    published_at=NOON,
)
ANSWER = answer(outcome(articles=(STORY,)))
BODY = render(ANSWER, View())


def test_piped_stories_are_a_line_each(capsys):
    """Six cells separated by tabs, whatever upstreams wrote; the rest is on standard error."""
    print_lines(BODY)
    out, err = capsys.readouterr()
    score, published, publisher, title, url, others = out.removesuffix("\n").split("\t")
    assert re.fullmatch(r"[01]\.\d{3}", score)
    assert validate_rfc3339(published)
    assert (publisher, title, url, others) == ("The Paper", "Talks open in [31mPort", STORY.url, "")
    assert err == "1 of 1 stories, live\n"


def test_terminal_shows_stories_without_upstream_escape_sequences(capsys):
    """Title, publisher and full address, also on a narrow terminal.

    No escape sequence of an upstream reaches the terminal.
    """
    console = Console(force_terminal=True, width=50, no_color=True)
    with console.capture() as shown:
        print_table(BODY, console)
    # The pattern matches our own links and styles
    text = re.sub(r"\x1b\][^\x1b]*\x1b\\|\x1b\[[0-9;]*m", "", shown.get())
    assert "\x1b" not in text
    assert "Talks open in" in text
    assert STORY.url in re.sub(r"\s+", "", text)
    assert "1 of 1 stories, live" in text


THREAD = "https://www.reddit.com/r/worldnews/comments/1abc/"
TALK = article("two", publisher="r/worldnews", engagement=Engagement(9, 1, THREAD))


@pytest.mark.parametrize(
    ("story", "line"),
    [
        (STORY, "The Paper"),
        (evolve(STORY, engagement=Engagement(7, 3, THREAD)), "The Paper via r/worldnews"),
        (evolve(STORY, engagement=Engagement(7, 3, "https://forum.example/1")), "The Paper"),
        (evolve(STORY, engagement=Engagement(7, 3)), "The Paper"),
        (TALK, "r/worldnews"),
    ],
)
def test_terminal_says_where_a_story_is_discussed(story, line):
    """A post without a link names its subreddit once."""
    console = Console(force_terminal=True, width=500, no_color=True)
    with console.capture() as shown:
        print_table(render(answer(outcome(articles=(story,))), View()), console)
    text = re.sub(r"\x1b\][^\x1b]*\x1b\\|\x1b\[[0-9;]*m", "", shown.get())
    assert line in [one.strip() for one in text.splitlines()]


class Flight:
    """A flight that has ended."""

    def __init__(self, *events):
        self.events = events

    async def wait_for_events(self, seen):
        """All events after the first `seen`."""
        return self.events[seen:]


OUTCOMES = (
    FetchOutcome("guardian", Status.OK, NOON, articles=(STORY,), latency_ms=312.4),
    FetchOutcome("reddit", Status.UNREACHABLE, NOON, latency_ms=20.0, detail="cannot connect"),
    FetchOutcome("newsapi", Status.DISABLED, NOON),
)


async def test_each_source_has_a_line(capsys):
    """Status, time and articles, or the reason; and a message if no source was asked."""
    found = GroupedHarvest(ANSWER.harvest)
    flight = Flight(*(SourceReported(one, found) for one in OUTCOMES), Landed(ANSWER, asked=True))
    assert await show_outcomes(flight, ("guardian", "reddit", "newsapi")) is ANSWER
    assert await show_outcomes(Flight(Landed(ANSWER, asked=False)), ()) is ANSWER
    assert capsys.readouterr().err.splitlines() == [
        "guardian   ok                 312 ms     1 articles",
        "reddit     unreachable         20 ms  cannot connect",
        "newsapi    disabled",
        "answered from the cache, fetched at 12:00:00 UTC",
    ]
    with pytest.raises(OverloadedError):
        await show_outcomes(Flight(Failed(OverloadedError("full"))), ())


@pytest.mark.slow
@pytest.mark.parametrize("form", ["json", "emf", "text", ""])
def test_standard_output_is_one_document(tmp_path, form):
    """An unreachable source, one without a token, an unknown setting.

    Each message about them is one line on standard error.
    """
    away = {
        "GUARDIAN_KEY": "k" * 8,
        "GUARDIAN_URL": "http://127.0.0.1:9",
        "GUARDIAN_PACE_S": "0",
        "NEWSAPI_DEADLINE": "1",
    }
    reddit = {
        "REDDIT_CLIENT_ID": "i",
        "REDDIT_CLIENT_SECRET": "s" * 8,
        "REDDIT_USER_AGENT": "test:newsintel:v1 (by /u/nobody)",
    }
    names = ("REDDIT_URL", "REDDIT_AUTH_URL", "HACKERNEWS_URL", "GDELT_URL")
    urls = dict.fromkeys(names, "http://127.0.0.1:9") | {"SOURCES": ""}
    done = newsintel(
        tmp_path,
        "search",
        "climate",
        "change",
        "--json",
        LOG_FORMAT=form,
        LOG_LEVEL="debug",
        **away,
        **reddit,
        **(PATIENT | urls),
    )
    body = json.loads(done.stdout)
    assert done.stdout.count("\n") == 1
    assert body["sources"]["guardian"]["status"] == "unreachable"
    assert done.returncode == 1
    lines = done.stderr.splitlines()
    if form in ("json", "emf"):
        events = [json.loads(line) for line in lines]
        assert {"unknown_setting", "source_answered"} <= {event["event"] for event in events}
        assert all(validate_rfc3339(event["timestamp"]) for event in events)
    elif form == "text":
        logged = [line for line in lines if re.match(r"\d{4}-", line)]
        assert all(validate_rfc3339(line.split(" ")[0]) for line in logged)
        assert any(
            "unknown_setting" in line and "did_you_mean=NEWSINTEL_NEWSAPI_DEADLINE_S" in line
            for line in logged
        )
        assert {line.split()[0] for line in lines if line not in logged} == set(REGISTRY)
    assert "\x1b" not in done.stdout + done.stderr


@pytest.mark.skipif(
    shutil.which("jq") is None, reason="jq is not installed (Debian: apt-get install jq)"
)
def test_jq_reads_both_streams(tmp_path):
    """jq, an independent program, reads the answer and every line of the log."""
    done = newsintel(
        tmp_path, "search", "climate", "--json", LOG_FORMAT="json", NEWSAPI_DEADLINE="1"
    )
    for stream, ask, expected in (
        (done.stdout, ".articles | length", {"0"}),
        (done.stderr, ".event", {'"unknown_setting"', '"source_answered"'}),
    ):
        told = subprocess.run(
            ["jq", "-c", ask], input=stream, capture_output=True, text=True, check=True
        )
        assert expected <= set(told.stdout.split())
