"""Work on any input is done in slices.

No slice blocks other tasks for longer than the limit, whatever an upstream, a person or Redis
sends.
"""

import random

import orjson
import pytest
import trio
from attrs import evolve

from newsintel.domain.bounds.slices import run_all
from newsintel.domain.personal import arrange as personal
from newsintel.domain.personal.preferences import Preferences
from newsintel.domain.search import matching
from newsintel.domain.search.article import MAX_DESCRIPTION, MAX_NAME, MAX_TITLE
from newsintel.domain.search.codec import dump_answer, load_answer
from newsintel.domain.search.dedup import Grouping
from newsintel.domain.search.harvest import Answer, Harvest
from newsintel.domain.search.merging import merge_articles
from newsintel.domain.search.outcome import Status
from newsintel.domain.search.query import build_query
from newsintel.domain.search.query_model import Dedupe, Sort
from newsintel.domain.search.scoring import rank_groups
from newsintel.domain.search.stories.parsed_title import parse_title
from newsintel.domain.text import clean as text
from newsintel.domain.text import safe_urls, tokens
from newsintel.domain.text.body import DECODED_CAP_BYTES, BodyReader
from newsintel.domain.text.clean import RAW_CHARS, to_plain_text
from newsintel.domain.text.markup import read_html
from newsintel.domain.text.urls import canonicalize_url
from newsintel.http.bodies import search as views
from newsintel.http.bodies.search import View
from newsintel.outbound.sources import guardian, newsapi, reddit
from newsintel.outbound.sources.source import Response
from newsintel.runtime import turns
from newsintel.runtime.turns import run_in_turns
from tests.make import NOON, article, outcome
from tests.shared import SHARED, needs_shared
from tests.steps import ALLOWED, LONGEST_MS, longest_slice

MEMOS = (tokens._exact, tokens._plain, matching._join_spellings, matching._join_lexemes)

QUERY = build_query("climate", sources=("newsapi", "guardian", "reddit"))

NASTY = [
    "word ",
    "<",
    "</",
    "<i><p>",
    "<p>x</p>\n",
    "<a b>",
    '<a "',
    "<!--",
    "&amp;",
    "&lt;b&gt;x",
    "a\u0301\u0316",
    "\u200d",
    "ب\u200c",
    "ब़्\u200cष",
    "漢\U000e0100",
    "1\ufe0f",
    "é",
    "가",
    "ﷺ ",
]


@pytest.fixture(autouse=True)
def nothing_remembered():
    """Clear the caches, so that earlier results make nothing faster."""
    for memo in (*MEMOS, safe_urls.sanitize_url):
        memo.clear()
    parse_title.cache_clear()


PARSER_ALLOWED = 4
"""As ALLOWED, where the longest step is the JSON parser's with a body of two million bytes."""


def check(make, allowed=ALLOWED):
    """Measure sliced work, check its longest slice, and return its result."""
    longest_ms, result = longest_slice(make)
    assert longest_ms < allowed * LONGEST_MS, f"{longest_ms:.1f} ms"
    return result


def fitted(rows, envelope):
    """A body with as many of the rows as fit."""
    size = 0
    for count, row in enumerate(rows):
        size += len(orjson.dumps(row)) + 1
        if size > DECODED_CAP_BYTES - 1000:
            return orjson.dumps(envelope(rows[:count]))
    return orjson.dumps(envelope(rows))


def newsapi_rows(value, url="https://example.org/{}"):
    """Rows in which every text is `value`."""
    texts = {
        "title": value,
        "description": value,
        "content": value,
        "author": value,
        "source": {"name": value},
    }
    return [
        texts
        | {"url": url.format(n), "urlToImage": url.format(n), "publishedAt": "2026-03-13T12:00:00Z"}
        for n in range(100)
    ]


def guardian_rows(value, url="https://www.theguardian.com/{}"):
    """Rows in which every text is `value`."""
    fields = {"trailText": value, "byline": value, "thumbnail": url.format(0), "lang": "en"}
    return [
        {
            "webTitle": value,
            "webUrl": url.format(n),
            "sectionName": value,
            "id": value,
            "fields": fields,
        }
        for n in range(100)
    ]


def reddit_rows(value, url="https://example.org/{}"):
    """Rows in which every text is `value`."""
    texts = {
        "title": value,
        "selftext": value,
        "author": value,
        "subreddit": value,
        "thumbnail": url.format(0),
    }
    return [
        {
            "kind": "t3",
            "data": texts | {"name": f"t3_{n}", "url": url.format(n), "permalink": f"/r/x/{n}"},
        }
        for n in range(100)
    ]


SOURCES = {
    "newsapi": (newsapi.SOURCE, newsapi_rows, lambda rows: {"status": "ok", "articles": rows}),
    "guardian": (
        guardian.SOURCE,
        guardian_rows,
        lambda rows: {"response": {"status": "ok", "results": rows}},
    ),
    "reddit": (
        reddit.SOURCE,
        reddit_rows,
        lambda rows: {"kind": "Listing", "data": {"children": rows}},
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("unit", NASTY)
@pytest.mark.parametrize("name", SOURCES)
def test_a_reply_within_the_caps_is_read_in_slices(name, unit):
    """A hundred rows of giant texts, or as many as fit into a body.

    Of each field only the part within its limit is cleaned.
    """
    source, rows, envelope = SOURCES[name]
    # A longer one is refused for its number of escapes.
    size = 1_500 if {'"', "\n"} & set(unit) else 6_000
    body = fitted(rows((unit * size)[:size]), envelope)
    page = check(
        lambda: source.read_slices(
            Response(200, {"content-type": "application/json"}, body), QUERY, NOON
        )
    )
    assert page.returned > 10


def shuffled(count):
    """So many different letters in random order: the worst case for Punycode."""
    letters = [chr(0x4E00 + n) for n in range(count)]
    random.Random(1).shuffle(letters)
    return "".join(letters)


HOSTS_MADE_TO_KEEP_US_BUSY = [
    written[:most]
    for most in (248, 508, 1_020, 4_060)
    for written in (
        shuffled(4_060),
        ".".join(shuffled(2_030)),
        ".".join(shuffled(4_059)[n : n + 58] for n in range(0, 4_059, 58)),
        "a" + "\u0316\u0301" * 2_030,
        "\u0915\u094d" + "\u200d" * 4_058,
        "\u0628\u200c" * 2_030,
        "\u0628" + "\u200c" * 4_059,
        "\ufdfa" * 4_060,
        "%e4%b8%80" * 452,
        "\u2764" * 4_060,
        "é.xn--" + "a9" * 2_027,
        "é." + "xn--a9b." * 507,
    )
]
"""Long labels, many labels, long runs of joiners and accents, and letters that NFKC makes longer.

Each occurs below, at and far above the limits.
"""


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org" + "/amp" * 490 + "/{}",
        "https://example.org/{}" + "/amp" * 490,
        "https://google.com/url?q=" * 75 + "https://example.org/{}",
        "https://example.org/?" + "&".join(f"p{n}={{0}}" for n in range(200)),
        "https://" + "m." * 100 + "example.org/{}",
        *(f"https://{host}.org/{{}}" for host in HOSTS_MADE_TO_KEEP_US_BUSY),
    ],
)
def test_hostile_addresses_are_read_in_slices(url):
    """Path suffixes, chains of redirects, parameters, labels.

    A slice has one row, whatever its address. Canonical addresses stay as they are.
    """
    source, rows, envelope = SOURCES["newsapi"]
    body = fitted(rows("x", url), envelope)

    def read():
        safe_urls.sanitize_url.clear()
        return source.read_slices(Response(200, {}, body), QUERY, NOON)

    page = check(read, PARSER_ALLOWED)
    assert all(canonicalize_url(one.canonical_url) == one.canonical_url for one in page.articles)


@pytest.mark.parametrize(
    "filling",
    [
        b'"n":[' + b"{}," * 7_900 + b"1]",
        b'"n":[' + b"[]," * 3_900 + b"1]",
        b'"n":[' + b"1.5," * 59_900 + b"1]",
        b'"n":[' + b"1," * 900_000 + b"1]",
        b'"s":"' + "é".encode() * 1_000_000 + b'"',
        b'"s":"' + rb"\n" * 199_900 + b'"',
        b'"s":"' + rb"\ud83d\ude00" * 9_900 + rb"\ud83d" + b"x" * 1_900_000 + b'"',
        b'"s":"' + rb"\ud83d\ude00" * 99_000 + rb"\ud83d" + b'"',
        b'"s":"' + "\U0001f600".encode() * 500_000 + b'"',
    ],
    ids=[
        "objects",
        "arrays",
        "numbers",
        "too many",
        "letters",
        "escapes",
        "halves",
        "too many halves",
        "emoji",
    ],
)
def test_hostile_json_is_read_in_time_or_refused(filling):
    """A parser in C cannot pause.

    A body that would take too long is refused by its number of signs. With Debian's Python 3.11.2
    the parser is slower than other work: the longest takes 17 ms, so PARSER_ALLOWED.
    """
    body = b'{"status":"ok","articles":[],' + filling + b"}"
    assert len(body) <= DECODED_CAP_BYTES
    check(lambda: newsapi.SOURCE.read_slices(Response(200, {}, body), QUERY, NOON), PARSER_ALLOWED)


@needs_shared
def test_the_largest_recorded_reply_is_read():
    """A hundred posts in 848 KB: all of them are read, in slices."""
    body = (SHARED / "recorded" / "reddit" / "praw_top_all_2020.json").read_bytes()
    page = check(lambda: reddit.SOURCE.read_slices(Response(200, {}, body), QUERY, NOON))
    assert page.returned == 100


def test_a_body_is_inflated_in_slices():
    """A piece of 2 KiB may decode to the whole size that a body may have."""
    import zlib  # noqa: PLC0415

    squeeze = zlib.compressobj(wbits=31)
    piece = squeeze.compress(bytes(DECODED_CAP_BYTES)) + squeeze.flush()
    check(lambda: BodyReader("gzip", None).feed(piece))


def letters(alphabet, size):
    """Titles without a common word."""
    return lambda number: "".join(random.Random(number).choices(alphabet, k=size))


def alike(number):
    """Titles that are nearly similar enough to be grouped."""
    return "x" * 230 + f"{random.Random(number).randrange(10**60):070}"


TITLES = {
    "plain": lambda number: " ".join(
        random.Random(number).choices(
            ["climate", "flood", "policy", "rain", "storm", "people", "city", "vote"], k=10
        )
    ),
    "long": letters("abcdefghij ", 300),
    "cyrillic": letters("абвгдежзий ", 300),
    "growing": letters("ﷺﷲ㍿㌀㎏", 300),
    "alike": alike,
}


def found(titles, descriptions=lambda number: f"description {number}", count=500):
    """Articles of one source."""
    return tuple(
        article(str(n), title=titles(n), description=descriptions(n)) for n in range(count)
    )


@pytest.mark.slow
@pytest.mark.parametrize("titles", TITLES.values(), ids=TITLES)
def test_500_titles_are_grouped_in_slices(titles):
    """For any kind of title.

    Also where the search counts pairs of letters instead of comparing all titles.
    """
    articles = found(titles)
    assert (
        sum(len(one.members) for one in check(lambda: Grouping(Dedupe.NORMAL).add(articles))) == 500
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    "description",
    ["word " * 400, "ﷺ " * 1000, "'a" * 1000],
    ids=["words", "growing", "apostrophes"],
)
def test_stories_are_ranked_rendered_and_arranged_in_slices(description):
    """Also if all articles are one story of 300 articles."""
    preferences = Preferences(
        topics=tuple(f"topic {n}" for n in range(50)),
        excluded_topics=tuple(f"other {n}" for n in range(50)),
    )
    for titles in (TITLES["plain"], lambda _: "the same story everywhere"):
        articles = found(
            titles, lambda n: f"{description[:1990]}{n}", 40 if description[0] == "ﷺ" else 300
        )
        groups = run_all(Grouping(Dedupe.NORMAL).add(articles))
        ranked = check(lambda groups=groups: rank_groups(groups, QUERY, NOON))
        assert len(ranked) == len(groups)
        harvest = Harvest(QUERY, NOON, (outcome("newsapi", articles=articles),))
        answer = Answer(harvest, merge_articles(QUERY, articles, Dedupe.NORMAL, NOON))
        for view in (
            View(limit=100),
            View(limit=100, dedupe=Dedupe.STRICT),
            View(limit=100, dedupe=Dedupe.OFF, explain=True),
        ):
            assert check(lambda view=view, answer=answer: views.render_in_slices(answer, view))[
                "articles"
            ]
        for memo in MEMOS:
            memo.clear()
        check(
            lambda answer=answer: personal.order_stories(
                answer.merge.ranked, preferences, Sort.RELEVANCE
            )
        )


@pytest.mark.parametrize("letter", ["c", "é", "가"])
def test_cached_answers_are_written_and_read_in_slices(letter):
    """Answers above the largest size are refused by their size."""
    articles = found(TITLES["plain"], lambda n: letter * 700 + str(n), 300)
    harvest = Harvest(QUERY, NOON, (outcome("newsapi", articles=articles),))
    answer = Answer(harvest, merge_articles(QUERY, articles, Dedupe.NORMAL, NOON))
    data = check(lambda: dump_answer(answer))
    assert check(lambda: load_answer(data)) == answer
    giant = evolve(
        harvest,
        outcomes=(
            outcome(
                "newsapi", articles=tuple(evolve(one, content=letter * 9000) for one in articles)
            ),
        ),
    )
    with pytest.raises(ValueError, match="more than"):
        run_all(
            dump_answer(Answer(giant, merge_articles(QUERY, giant.articles, Dedupe.NORMAL, NOON)))
        )
    with pytest.raises(ValueError, match="more than"):
        run_all(load_answer(data + b" " * 2**21))


@pytest.mark.parametrize("unit", NASTY)
@pytest.mark.parametrize("max_chars", [MAX_NAME, MAX_TITLE, MAX_DESCRIPTION])
def test_a_text_is_cut_before_it_is_cleaned(monkeypatch, unit, max_chars):
    """Characters beyond the limit's share are never examined, however many there are.

    A cut text ends with an ellipsis.
    """
    looked_at = []
    visible = text.remove_invisible
    monkeypatch.setattr(
        text, "remove_invisible", lambda some: looked_at.append(len(some)) or visible(some)
    )
    shown = to_plain_text(unit * 100_000, max_chars, read_html)
    assert max(looked_at) <= RAW_CHARS[0] * max_chars + RAW_CHARS[1]
    assert shown is None or (len(shown) <= max_chars and shown.endswith("…"))


def test_a_cut_shows_no_half_tag_or_entity():
    """If the cut falls into a tag or an entity, all of it is removed."""
    most = RAW_CHARS[0] * 20 + RAW_CHARS[1]
    for half in ('<a href="https://example.org/', "&#821", "&amp"):
        raw = "<b></b>" * 79 + "x" * (most - 79 * 7 - len(half)) + half + "7;end>"
        assert set(to_plain_text(raw, 20, read_html) or "") <= {"x", "…"}


async def test_other_tasks_run_between_slices(monkeypatch, autojump_clock):
    """A task yields after TURN_S and not earlier.

    It returns the result, or raises the error, of its work.
    """
    now = [0.0]
    monkeypatch.setattr(turns, "perf_counter", lambda: now[0])
    order = []

    def work(name, takes_s):
        for number in range(3):
            order.append(f"{name}{number}")
            now[0] += takes_s
            yield
        return name

    async def do(name, takes_s):
        assert await run_in_turns(work(name, takes_s)) == name

    for takes_s, expected in (
        (turns.TURN_S, {"a0 b0 a1 b1 a2 b2", "b0 a0 b1 a1 b2 a2"}),
        (0.0, {"a0 a1 a2 b0 b1 b2", "b0 b1 b2 a0 a1 a2"}),
    ):
        order.clear()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(do, "a", takes_s)
            nursery.start_soon(do, "b", takes_s)
        told = " ".join(order)
        assert told in expected or takes_s

    def broken():
        yield
        raise KeyError("bug")

    with pytest.raises(KeyError):
        await run_in_turns(broken())


def test_an_answer_without_articles_is_rendered_in_slices():
    """All sources failed, so the body has no articles."""
    harvest = Harvest(QUERY, NOON, (outcome("newsapi", Status.TIMEOUT),))
    check(
        lambda: views.render_in_slices(
            Answer(harvest, merge_articles(QUERY, (), Dedupe.NORMAL, NOON)), View()
        )
    )
