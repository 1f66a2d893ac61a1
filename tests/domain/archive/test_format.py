"""Lines of the archive's format: a line that is written is read unchanged.

A line that cannot be an article is refused with a reason.
"""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest

from newsintel.domain.archive.format import FIELDS, dump_line, parse_line
from newsintel.domain.archive.model import Hit
from newsintel.domain.search.article import Article, Engagement
from newsintel.domain.text.urls import canonicalize_url, make_article_id

NOW = datetime(2026, 11, 23, 12, 0, 0, 123456, tzinfo=UTC)
LEAST = {
    "url": "https://www.example.org/storm?utm_source=feed",
    "title": "Storm hits coast",
    "source": "guardian",
    "publisher": "The Guardian",
    "published_at": "2026-11-22T10:00:00Z",
}


def read(**changes) -> Hit:
    """The smallest line with some changes. A field given as ... is left out."""
    row = {name: value for name, value in (LEAST | changes).items() if value is not ...}
    return parse_line(json.dumps(row).encode(), NOW)


def test_five_fields_are_sufficient():
    """Other fields are null or derived.

    The id comes from the address, the fetch times from the clock.
    """
    hit = read()
    assert hit.article == Article(
        id=make_article_id("https://example.org/storm"),
        source="guardian",
        external_id=LEAST["url"],
        url=LEAST["url"],
        canonical_url="https://example.org/storm",
        title="Storm hits coast",
        publisher="The Guardian",
        published_at=datetime(2026, 11, 22, 10, tzinfo=UTC),
    )
    assert (hit.first_seen_at, hit.fetched_at) == (NOW, NOW)


FULL = Hit(
    Article(
        id=make_article_id("https://example.org/full"),
        source="reddit",
        external_id="t3_abc",
        url="https://www.example.org/full",
        canonical_url=canonicalize_url("https://www.example.org/full"),
        title="زلزال — 地震 👩‍👩‍👧 < 5 & > 3 می\u200cخواهم <video>",
        publisher="r/worldnews",
        published_at=NOW - timedelta(days=3),
        published_at_estimated=True,
        description="Short",
        content="Long",
        author="A. Writer",
        section="World",
        image_url="https://img.example.org/1.jpg",
        language="ar",
        country="TR",
        engagement=Engagement(7, -1, "https://www.reddit.com/r/worldnews/comments/abc/x/"),
    ),
    first_seen_at=NOW - timedelta(days=2),
    fetched_at=NOW - timedelta(microseconds=1),
)


def test_a_written_line_is_read_unchanged():
    """Every field is equal, times to the microsecond.

    The line has all fields in order, and writing it again gives the same bytes.
    """
    line = dump_line(FULL)
    assert line.endswith(b"}\n")
    assert line.count(b"\n") == 1
    assert tuple(json.loads(line)) == FIELDS
    assert parse_line(line, NOW) == FULL
    assert dump_line(parse_line(line, NOW)) == line
    assert parse_line(dump_line(read()), NOW) == read()


THREAD = {"url": "https://www.reddit.com/r/news/comments/1abc/", "points": 3, "comments": 4}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, None),
        ({"points": 3, "comments": 4}, Engagement(3, 4)),
        ({"points": 3, "comments": 4, "discussion": None}, Engagement(3, 4)),
        ({"discussion": THREAD}, Engagement(3, 4, THREAD["url"])),
        ({"discussion": THREAD, "points": 3, "comments": 4}, Engagement(3, 4, THREAD["url"])),
        ({"discussion": THREAD | {"points": 3.0}}, Engagement(3, 4, THREAD["url"])),
    ],
)
def test_a_discussion_is_read_from_new_and_old_lines(given, expected):
    """Older lines have the two counts alone; a line may have both forms, if they agree."""
    hit = read(**given)
    assert hit.article.engagement == expected
    assert parse_line(dump_line(hit), NOW) == hit


def test_an_id_in_the_line_is_ignored():
    """So the author of a file cannot replace another article."""
    assert read(id="a_of_another").article.id == read().article.id


def test_a_hidden_page_is_identified_by_title_and_day():
    """The address does not show the page.

    The id is the one from the source, so an exported line finds its article again.
    """
    hidden = {"url": "https://consent.yahoo.com/v2/collectConsent?sessionId=1_cc-session_9"}
    assert read(**hidden).article.id == read(**hidden | {"url": hidden["url"] + "7"}).article.id
    assert read(**hidden).article.id != read(**hidden, title="Other").article.id
    assert parse_line(dump_line(read(**hidden)), NOW) == read(**hidden)
    estimated = read(**hidden, published_at_estimated=True)
    assert estimated.article.id != read(**hidden).article.id


def test_texts_are_cleaned_and_cut_to_their_limits():
    """Control and bidi characters are removed. The limits are those of a source's articles.

    An empty text becomes None.
    """
    hit = read(
        title="Storm\x00 hits\u202e", description="  ", content="c" * 60_000, author="A\u200b"
    )
    assert hit.article.title == "Storm hits"
    assert hit.article.description is None
    assert len(hit.article.content) == 50_000
    assert hit.article.author == "A"


def test_tags_and_entities_in_texts_stay():
    """Texts in an export are plain text, so a tag is part of what they say."""
    text = "PSA: a <script> tag lets anyone in; write &lt;script&gt; <template> <b>there</b>"
    hit = read(
        title=text, description=text, content=text, author=text, section=text, publisher=text
    )
    assert {
        getattr(hit.article, name)
        for name in ("title", "description", "content", "author", "section", "publisher")
    } == {text}
    assert parse_line(dump_line(hit), NOW) == hit


def test_pages_behind_a_route_of_a_script_are_different_articles():
    """A script shows the page that the fragment names. A plain anchor is removed."""
    one, other, anchor = (
        read(url=f"https://example.org/{end}").article
        for end in ("#/story/1", "#/story/2", "#comments")
    )
    assert len({one.id, other.id, anchor.id}) == 3
    assert anchor.canonical_url == "https://example.org/"


def test_times_with_any_offset_are_converted_to_utc():
    """The offset itself is not stored."""
    assert read(published_at="2026-11-22T12:00:00+02:00").article.published_at == datetime(
        2026, 11, 22, 10, tzinfo=UTC
    )
    assert read(published_at="1821-05-05T00:00:00Z").article.published_at.year == 1821
    assert (
        parse_line(
            dump_line(Hit(FULL.article, NOW.astimezone(timezone(timedelta(hours=5))), NOW)), NOW
        ).first_seen_at
        == NOW
    )


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"url": ...}, "url is missing or empty"),
        ({"url": ""}, "url is missing or empty"),
        ({"url": "javascript:alert(1)"}, "url is not an http or https address"),
        ({"url": 5}, "url is not text"),
        ({"title": None}, "title is missing or empty"),
        ({"title": "\u200b"}, "title is missing or empty"),
        ({"title": ["a"]}, "title is not text"),
        ({"source": "The Guardian"}, "source must match"),
        ({"source": ...}, "source is missing or empty"),
        ({"publisher": " "}, "publisher is missing or empty"),
        ({"published_at": ...}, "published_at is missing or empty"),
        ({"published_at": "yesterday"}, "published_at is not a time such as"),
        ({"published_at": "2026-11-22T10:00:00"}, "published_at has no offset"),
        ({"published_at": 1795000000}, "published_at is not text"),
        ({"published_at": "1799-12-31T23:59:59Z"}, "published_at is before 1800 or in the future"),
        (
            {"published_at": "0001-01-01T00:00:00+14:00"},
            "published_at is before 1800 or in the future",
        ),
        (
            {"published_at": "9999-12-31T23:59:59-14:00"},
            "published_at is before 1800 or in the future",
        ),
        ({"published_at": "20000-01-01T00:00:00Z"}, "published_at is not a time such as"),
        ({"published_at_estimated": 1}, "published_at_estimated is not true or false"),
        ({"image_url": "//cdn"}, "image_url is not an http or https address"),
        ({"language": "eng"}, "language must match"),
        ({"external_id": "x" * 2049}, "external_id is longer than 2048"),
        (
            {"external_id": "a\x00"},
            "external_id is longer than 2048 characters or has invisible ones",
        ),
        ({"points": 1}, "points and comments come together"),
        ({"points": 1, "comments": 2.5}, "comments is not a whole number"),
        ({"points": True, "comments": 2}, "points is not a whole number"),
        ({"points": 2**31, "comments": 0}, "points or comments do not fit 32 bits"),
        ({"discussion": "x"}, "discussion is not an object"),
        ({"discussion": []}, "discussion is not an object"),
        ({"discussion": {}}, "discussion: url is missing or empty"),
        ({"discussion": THREAD | {"url": 5}}, "discussion: url is not text"),
        ({"discussion": THREAD | {"url": ""}}, "discussion: url is missing or empty"),
        ({"discussion": THREAD | {"url": "javascript:x"}}, "discussion: url is not an http"),
        ({"discussion": {"url": THREAD["url"]}}, "discussion: points and comments are missing"),
        (
            {"discussion": THREAD | {"points": None}},
            "discussion: points and comments come",
        ),
        ({"discussion": THREAD | {"comments": "4"}}, "discussion: comments is not a whole number"),
        ({"discussion": THREAD | {"points": 2**31}}, "discussion: points or comments do not fit"),
        ({"discussion": THREAD | {"title": "x"}}, "discussion: unknown field 'title'"),
        (
            {"discussion": THREAD, "points": 3, "comments": 5},
            "points and comments are not those of discussion",
        ),
        ({"fetched_at": "1999-12-31T23:59:59Z"}, "fetched_at is before 2000 or in the future"),
        ({"fetched_at": "2026-11-25T00:00:00Z"}, "fetched_at is before 2000 or in the future"),
        (
            {"fetched_at": "2026-11-01T00:00:00Z", "first_seen_at": "2026-11-02T00:00:00Z"},
            "first_seen_at is later than fetched_at",
        ),
        ({"descripton": "misspelt"}, "unknown field 'descripton'"),
        ({"\x1b[31m" + "x" * 100: 1}, "unknown field '[31mxxxx"),
    ],
)
def test_a_line_that_is_not_an_article_is_refused(changes, reason):
    """With one short reason that quotes no value of the line."""
    with pytest.raises(ValueError, match=r"\w") as refusal:
        read(**changes)
    assert str(refusal.value).startswith(reason)
    assert len(str(refusal.value)) < 120
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    "line", [b"", b"{", b"[]", b'"text"', b"\xff", b"\xef\xbb\xbf{}", b'{"a": NaN}', b"[" * 5000]
)
def test_a_line_that_is_not_an_object_is_refused(line):
    """Whatever other JSON or text it is."""
    with pytest.raises(ValueError, match=r"not JSON: |not a JSON object"):
        parse_line(line, NOW)
