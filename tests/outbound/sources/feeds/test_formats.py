"""Every format of feeds, by the documents of its specification."""

from datetime import UTC, datetime

import pytest

from newsintel.outbound.sources.feeds.articles import read_title
from tests.outbound.sources.feeds import documents
from tests.outbound.sources.feeds.reading import ADDRESS, item, page, refusal, rows, rss


def test_atom():
    """RFC 4287's example."""
    (article,) = page(documents.ATOM).articles
    assert article.title == "Atom-Powered Robots Run Amok"
    assert article.url == "http://example.org/2003/12/13/atom03"
    assert article.canonical_url == "https://example.org/2003/12/13/atom03"
    assert article.external_id == "urn:uuid:1225c695-cfb8-4ebb-aaaa-80da344efa6a"
    assert article.published_at == datetime(2003, 12, 13, 18, 30, 2, tzinfo=UTC)
    assert article.description == "Some text."
    assert article.source == "feeds"
    assert rows(documents.ATOM).link == "http://example.org/"


def test_rss_2():
    """The specification's sample; the item without a title is left out."""
    feed = rows(documents.RSS)
    assert read_title(feed) == "Liftoff News"
    assert (feed.ttl_s, feed.language) == (3600, "en-us")
    found = page(documents.RSS)
    assert [one.title for one in found.articles] == ["Star City", "The Engine That Does More"]
    assert found.dropped == {"no_title": 1}
    first = found.articles[0]
    assert first.language == "en"
    assert first.published_at == datetime(2003, 6, 3, 9, 39, 21, tzinfo=UTC)
    assert first.description is not None
    assert first.description.endswith("at Russia's Star City.")


def test_rdf():
    """The specification's example; it is published twice an hour."""
    feed = rows(documents.RDF)
    assert (feed.ttl_s, feed.language) == (1800, "en-us")
    (article,) = page(documents.RDF).articles
    assert article.title == "XML: A Disruptive Technology"
    assert article.author == "Simon St.Laurent"
    assert article.published_at == datetime(2000, 1, 1, 12, tzinfo=UTC)
    assert article.description == (
        "XML is placing increasingly heavy loads on the existing technical "
        "infrastructure of the Internet."
    )


def test_json_feed():
    """The specification's first example has no titles; its items are read all the same."""
    feed = rows(documents.JSON, "application/feed+json")
    assert feed.title == ("text", "My Example Feed")
    assert [(row["id"], row["link"]) for row in feed.rows] == [
        ("2", "https://example.org/second-item"),
        ("1", "https://example.org/initial-post"),
    ]
    assert [row["full_text"] for row in feed.rows] == [
        ("text", "This is a second item."),
        ("html", "<p>Hello, world!</p>"),
    ]


def test_json_feed_with_all_members():
    """Authors of both versions, a date of a change, an id that is a number."""
    document = """{"version": "http://jsonfeed.org/version/1", "title": 7, "items": [
        {"id": 1, "title": "A", "url": "/a", "authors": [{"name": ""}, {"name": "Ada"}],
         "date_modified": "2026-03-14T11:00:00Z", "summary": "S", "language": "de-AT"},
        {"id": true, "title": "B", "external_url": "https://b.example/", "author": {"name": "Bo"},
         "authors": "none"}, 5]}"""
    first, second = page(document).articles
    assert (first.url, first.author, first.language) == (
        "https://news.example/a",
        "Ada",
        "de",
    )
    assert first.description == "S"
    assert not first.published_at_estimated
    assert (second.external_id, second.author) == ("https://b.example/", "Bo")
    assert second.published_at_estimated


@pytest.mark.parametrize(
    ("document", "title", "link"),
    [
        (documents.RSS_090, "New Status Updates", "http://www.mozilla.org/status/"),
        (
            documents.RSS_091,
            "Giving the world a pluggable Gnutella é",
            "http://writetheweb.com/read.php?item=24",
        ),
        (
            '<CHANNEL HREF="https://c/"><ITEM HREF="/1"><TITLE>CDF</TITLE></ITEM></CHANNEL>',
            "CDF",
            "https://news.example/1",
        ),
        (
            documents.PREFIXED,
            "Prefixed",
            "https://p.example/1",
        ),
    ],
    ids=["0.90", "0.91", "CDF", "prefixed"],
)
def test_old_formats(document, title, link):
    """RSS before 2.0, and Microsoft's Channel Definition Format."""
    (article,) = page(document).articles
    assert (article.title, article.url) == (title, link)


def test_texts_of_atom():
    """The form of a text construct is its type (RFC 4287, 3.1); in Atom 0.3 also its mode."""
    entry = (
        """<feed xmlns="http://www.w3.org/2005/Atom"><entry><title {0}>{1}</title></entry></feed>"""
    )
    given = {
        ("", "Less: &lt;"): ("snippet", "Less: <"),
        ("type='text'", "Less: &lt;b&gt;"): ("text", "Less: <b>"),
        ("type='text/plain'", "a"): ("text", "a"),
        ("type='html'", "&lt;b>a&lt;/b>"): ("html", "<b>a</b>"),
        ("mode='escaped'", "&lt;b>a&lt;/b>"): ("html", "<b>a</b>"),
        ("mode='base64'", "SGVsbG8="): ("text", "Hello"),
        ("mode='base64' type='text/html'", "PGI+SGVs\n bG8="): ("html", "<b>Hello"),
        ("mode='base64'", "!"): ("text", "!"),
        ("type='xhtml'", "<div xmlns='http://www.w3.org/1999/xhtml'>a<br/>&lt;b</div>"): (
            "html",
            "<div>a<br></br>&lt;b</div>",
        ),
    }
    for (attributes, text), wanted in given.items():
        assert rows(entry.format(attributes, text)).rows[0]["title"] == wanted


def test_links():
    """The alternate link of several; else a permanent id; relative ones by xml:base."""

    def link(inner: str) -> str:
        document = f"<feed xml:base='https://base.example/x/'><entry>{inner}</entry></feed>"
        return rows(document).rows[0]["link"]

    assert link("<link rel='self' href='/s'/><link rel='alternate' href='a'/>") == (
        "https://base.example/x/a"
    )
    assert link("<link/><link>b</link>") == "https://base.example/x/b"
    assert link("<id>https://i.example/1</id>") == "https://i.example/1"
    assert link("<id>urn:x:1</id>") == ""
    assert link("<guid isPermaLink='false'>https://i.example/1</guid>") == ""
    assert link("<link href='http://[x'/>") == ""
    assert rows(rss(item(link="/a"))).rows[0]["link"] == "https://news.example/a"


def test_feedburner_redirects_are_not_followed():
    """The publisher's own address stands beside FeedBurner's."""
    own = (
        "<feedburner:origLink xmlns:feedburner='http://rssnamespace.org/feedburner/ext/1.0'>"
        "https://p.example/1</feedburner:origLink>"
    )
    (article,) = page(rss(item(link="http://feedproxy.google.com/~r/x/~3/y/", more=own))).articles
    assert article.url == "https://p.example/1"


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("<author>jane@news.example (Jane Roe)</author>", "Jane Roe"),
        ("<author>jane@news.example</author><dc:creator>Jane</dc:creator>", "Jane"),
        ("<author><name>Ada</name><uri>https://a.example</uri></author>", "Ada"),
        ("<itunes:author>Bo</itunes:author>", "Bo"),
        ("", None),
    ],
)
def test_authors(written, name):
    """RSS names an address first; other vocabularies name people."""
    (article,) = page(rss(item(more=written))).articles
    assert article.author == name


def test_an_article_says_what_it_is_by_title_summary_and_link_alone():
    """No image and no full text; a summary is short, and not the title again."""
    more = (
        "<media:thumbnail url='https://i.example/i.jpg'/><enclosure url='https://i.example/e'/>"
        f"<content:encoded>{'long ' * 1000}</content:encoded>"
    )
    (article,) = page(rss(item(more=more))).articles
    assert (article.image_url, article.content) == (None, None)
    assert article.description is not None
    assert len(article.description) == 500
    (same,) = page(rss(item(more="<description>T</description>"))).articles
    assert same.description is None


def test_what_the_list_knows_of_a_feed_counts_more_than_the_feed():
    """Its publisher and its language; without a list, the host names the outlet."""
    document = rss(item("News - The Example", "https://news.example/1"), "<language>fr</language>")
    (listed,) = page(document, publisher="The Example", language="en").articles
    assert (listed.publisher, listed.language, listed.title) == ("The Example", "en", "News")
    (unlisted,) = page(document).articles
    assert (unlisted.publisher, unlisted.language) == ("news.example", "fr")


def test_titles_lose_the_tails_that_they_share():
    """As in the payloads of other sources."""
    items = item("Storm hits coast - Der Bote", "https://x.example/1")
    items += item("Mayor resigns - Der Bote", "https://x.example/2")
    assert [one.title for one in page(rss(items)).articles] == ["Storm hits coast", "Mayor resigns"]


def test_bad_rows_are_dropped():
    """Each by its reason; one feed has at most a hundred articles."""
    items = item(link="javascript:alert(1)") + item(title="") + item()
    assert page(rss(items)).dropped == {"bad_url": 1, "no_title": 1}
    many = page(rss("".join(item(link=f"https://n.example/{n}") for n in range(130))))
    assert (len(many.articles), many.dropped) == (100, {"beyond_limit": 30})


def test_texts_of_the_world():
    """Nothing is lost of right-to-left, unspaced, combining and astral text."""
    titles = ["مصر تعلن", "東京で地震", "नेपाल में भूकंप", "Zürich’s “Café”", "🇺🇦 news 👨‍👩‍👧", "ไทย"]
    found = page(rss("".join(item(t, f"https://n.example/{n}") for n, t in enumerate(titles))))
    assert [one.title for one in found.articles] == titles


@pytest.mark.parametrize(
    ("ttl", "seconds"),
    [("<ttl>15</ttl>", 900), ("<ttl>soon</ttl>", 0), ("<ttl>²</ttl>", 0), ("", 0)]
    + [("<sy:updatePeriod>daily</sy:updatePeriod>", 86400)]
    + [
        (
            "<sy:updatePeriod>hourly</sy:updatePeriod><sy:updateFrequency>0</sy:updateFrequency>",
            3600,
        )
    ],
)
def test_how_long_a_feed_asks_to_be_kept(ttl, seconds):
    """In minutes, or by the syndication module."""
    assert rows(rss(item(), ttl)).ttl_s == seconds


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ("", "an empty body"),
        (" \n", "an empty body"),
        ("<!DOCTYPE html><title>x</title>", "an HTML page instead of a feed"),
        ("<HTML>", "an HTML page instead of a feed"),
        ("<opml/>", "neither RSS, Atom, RDF nor JSON Feed"),
        ("plain text", "neither RSS, Atom, RDF nor JSON Feed (syntax error in line 1)"),
        ('{"version": "https://jsonfeed.org/version/1"}', "JSON, but not a JSON Feed"),
        ('{"items": []}', "JSON, but not a JSON Feed"),
        ("<rss><channel><title>", "XML that breaks off before its first item: "),
    ],
)
def test_what_is_no_feed(document, reason):
    """It is named in one line."""
    found = refusal(document)
    assert found.reason.startswith(reason)
    assert not found.unsafe


def test_broken_json_is_no_feed():
    """It is named as in the payloads of other sources."""
    assert refusal("{", "application/json").reason.startswith("not valid JSON (1 bytes")


def test_a_feed_without_items_is_a_feed():
    """It may have some tomorrow."""
    assert rows("<rss><channel><title>New</title></channel></rss>").rows == ()
    assert rows(documents.ATOM.partition("<entry>")[0] + "</feed>").title[1] == "Example Feed"


def test_addresses_are_resolved_against_the_feed():
    """A feed may name its pages by paths."""
    assert ADDRESS.startswith("https://news.example/")
    assert page(rss(item(link="story/1"))).articles[0].url == "https://news.example/feeds/story/1"
