"""RSS, JSON Feed and CSV, read by programs of other projects."""

import csv
import io
import json
import re
import shutil
import subprocess
from pathlib import Path
from time import strftime
from xml.etree import ElementTree as ET

import feedparser
import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsintel.domain.bounds.slices import run_all
from newsintel.http.bodies.channel import Channel
from newsintel.http.bodies.csv_table import COLUMNS, FORMULA_STARTS
from newsintel.http.bodies.formats import MEDIA_TYPES, Encoding, Format
from newsintel.http.bodies.search import summarize_article
from tests.make import NOON, article
from tests.npm import install

READERS = Path(__file__).parents[1] / "readers"

TEXTS = {
    "en": "Floods & storms: <b>what we know</b> – “so far”",
    "de": "Überschwemmung: Größte Schäden in Süddeutschland",
    "fr": "L’élection où l’Œuvre s’achève — « déjà vu »",
    "es": "¿Qué pasó mañana? ¡El niño llegó!",
    "pt": "Inundações em São Paulo: não há previsão",
    "pl": "Zażółć gęślą jaźń, mówią źródła",
    "cs": "Příliš žluťoučký kůň úpěl ďábelské ódy",
    "tr": "İstanbul’da ışıklar söndü, iğne ile",
    "el": "Πλημμύρες στην Ελλάδα· τι ξέρουμε",
    "ru": "Наводнение в Сибири: что известно",
    "uk": "Повінь на Закарпатті: їжа й ґрунт",
    "ar": "فيضانات في المغرب: \u202bما نعرفه\u202c حتى الآن",
    "he": "שיטפונות בצפון: \u2067מה ידוע\u2069 (2026)",
    "fa": "سیل در ایران؛ می\u200cدانیم",
    "hi": "बाढ़ से तबाही: क्या है ताज़ा स्थिति",
    "bn": "বন্যায় ক্ষয়ক্ষতি: যা জানা গেছে",
    "th": "น้ำท่วมกรุงเทพฯ: สิ่งที่เรารู้",
    "ko": "홍수 피해 속보: 지금까지 알려진 것",
    "ja": "＝豪雨で洪水「これまでに分かったこと」",
    "zh": "洪水灾情：目前所知，𠀀𪜈",
    "emoji": "🌊🏳️‍🌈👩🏽‍🚒 Flood 🇩🇪",
}
CHANNEL = Channel(
    'newsintel: "a" & <b>',
    "https://news.example/",
    "https://news.example/articles?q=a+%26+b&format=rss",
    "https://news.example/articles?q=a+%26+b&format=rss&page=2",
    "2026-03-14T12:00:00.000Z",
)


def encode(format_, *articles, channel=CHANNEL):
    """Return the finished body of articles."""
    body = {"articles": [*map(summarize_article, articles)]}
    return run_all(Encoding(format_, lambda _: channel).encode(body))


def of_text(text, name="a", **more):
    """Return an article with a text in each of its members for text."""
    return article(
        name, title=text, description=text, author=text, section=text, publisher=text, **more
    )


def read_rss(data):
    """Return a feed as feedparser reads it; it must be well-formed."""
    feed = feedparser.parse(data, response_headers={"content-type": MEDIA_TYPES[Format.RSS]})
    assert feed.bozo == 0, feed.get("bozo_exception")
    assert feed.version == "rss20"
    return feed


def read_csv(data):
    """Return the rows of a table as Python's csv reads them."""
    return list(csv.DictReader(io.StringIO(data.decode(), newline=""), strict=True))


def test_rss_describes_its_channel():
    """With the address of itself and of the next page."""
    feed = read_rss(encode(Format.RSS)).feed
    assert feed.title == CHANNEL.title
    assert (feed.link, feed.updated) == (CHANNEL.home_url, "Sat, 14 Mar 2026 12:00:00 GMT")
    links = {link.rel: link.href for link in feed.links}
    assert (links["self"], links["next"]) == (CHANNEL.self_url, CHANNEL.next_url)


def test_rss_shows_each_member_of_an_article():
    """The id is not a link; the date has RFC 822's form."""
    found = article(
        "a", description="1 < 2", author="Ada", section="World", language="en", publisher="BBC"
    )
    data = encode(Format.RSS, found)
    (entry,) = read_rss(data).entries
    assert (entry.id, entry.guidislink, entry.link) == (found.id, False, found.url)
    assert (entry.author, entry.publisher, entry.tags[0].term) == ("Ada", "BBC", "World")
    assert entry.summary == "1 &lt; 2"
    assert strftime("%Y-%m-%dT%H:%M:%S", entry.published_parsed) == "2026-03-14T12:00:00"
    assert b"<pubDate>Sat, 14 Mar 2026 12:00:00 GMT</pubDate>" in data


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_texts_of_many_languages_come_out_as_they_went_in(text):
    """Through RSS and CSV, with bidi controls, joiners and characters beyond the BMP."""
    (entry,) = read_rss(encode(Format.RSS, of_text(text))).entries
    assert (entry.author, entry.publisher, entry.tags[0].term) == (text,) * 3
    (row,) = read_csv(encode(Format.CSV, of_text(text)))
    shown = f"'{text}" if text.startswith("＝") else text
    assert {row[name] for name in ("title", "description", "author", "section")} == {shown}


@pytest.mark.skipif(shutil.which("xmllint") is None, reason="needs xmllint (libxml2-utils)")
def test_rss_is_well_formed_for_libxml2():
    """Another parser than Python's and feedparser's expat."""
    articles = [of_text(text, name) for name, text in TEXTS.items()]
    data = encode(Format.RSS, *articles, of_text("\0\x01\x1f\x7f\ufffe\uffff]]>&lt;<![CDATA["))
    subprocess.run(["xmllint", "--noout", "-"], input=data, check=True)


@given(st.text())
def test_rss_keeps_all_that_xml_can_hold(text):
    """Controls that XML cannot hold are removed; nothing else is."""
    data = encode(Format.RSS, article("a", author=f"x{text}x"))
    read_rss(data)  # feedparser itself changes C1 controls, so another parser compares
    creator = ET.fromstring(data).find("channel/item/{*}creator")  # noqa: S314 - our own
    kept = "".join(c for c in text if c in "\t\n\r" or (c >= " " and c not in "\ufffe\uffff"))
    seen = f"x{kept}x".replace("\r\n", "\n").replace("\r", "\n")  # XML 1.0, 2.11
    assert creator.text == seen


@given(st.text() | st.text("a=+-@;,\t \"'\n\r＝＋", max_size=8))
def test_csv_keeps_every_text_and_starts_no_formula(text):
    """A cell is the text itself, with an apostrophe wherever a spreadsheet would begin a formula.

    Also for one that separates cells by semicolons or tabs: such a spreadsheet sees quotes within a
    line as text.
    """
    data = encode(Format.CSV, article("a", title=text, description=text))
    (row,) = read_csv(data)
    for cell in (row["title"], row["description"]):
        assert not cell.startswith(FORMULA_STARTS)
        assert cell.replace("'", "") == text.replace("'", "")
        if not set("=+-@＝＋－＠\t\r\n") & set(text):
            assert cell == text
    for part in re.split(r"[;\t\r\n]", data.decode()):
        assert part.strip(' "')[:1] not in FORMULA_STARTS or not part.strip(' "')


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        '=HYPERLINK("http://evil.example","click")',
        "=cmd|' /C calc'!A0",
        "+1+1",
        "-2+3+cmd|' /C calc'!A0",
        "@SUM(1+1)*cmd|' /C calc'!A0",
        "\t=1+1",
        "\r=1+1",
        "\n=1+1",
        "＝1+1",
        "＋1",
        "－1",
        "＠SUM(1)",
        '=1",=2',
        "=1;2",
        "=1\r\n=2",
    ],
)
def test_csv_makes_formulas_texts(text):
    """The payloads of OWASP's page on CSV injection: each becomes one cell with an apostrophe."""
    rows = read_csv(encode(Format.CSV, article("a", title=text), article("b")))
    inner = re.sub(r"(?<=[;\t\r\n])(?==)", "'", text)
    assert [row["title"] for row in rows] == [f"'{inner}", "Title of b"]
    assert [*rows[0]] == [*COLUMNS]


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("foo;=HYPERLINK(1)", "foo;'=HYPERLINK(1)"),
        ('foo; "=1', "foo;' \"=1"),
        ("foo\t@SUM(1)", "foo\t'@SUM(1)"),
        ("note\n=1", "note\n'=1"),
        ("a; b - c = d", "a; b - c = d"),
        ("x=1;y", "x=1;y"),
    ],
)
def test_csv_starts_no_formula_in_spreadsheets_with_another_separator(text, cell):
    """Where a comma is the decimal sign, spreadsheets separate cells by semicolons."""
    (row,) = read_csv(encode(Format.CSV, article("a", title=text)))
    assert row["title"] == cell


def test_csv_follows_rfc_4180():
    """A header line; CR LF after every line; quotes doubled; what is absent is empty."""
    data = encode(Format.CSV, article("a", title='Say "hi", now\nor later'))
    head, rest = data.split(b"\r\n", 1)
    assert head.decode().split(",") == [*COLUMNS]
    assert rest.startswith(b'a_a,2026-03-14T12:00:00Z,"Say ""hi"", now\nor later",,https')
    assert rest.endswith(b"\r\n")


def test_csv_has_the_columns_of_saved_articles():
    """Saved articles have two more members; other lists leave the columns empty."""
    saved = {"saved": {"notes": "=mine", "saved_at": "2026-03-14T12:00:00.000Z"}}
    body = {"articles": [summarize_article(article("a")) | saved]}
    (row,) = read_csv(run_all(Encoding(Format.CSV).encode(body)))
    assert (row["notes"], row["saved_at"]) == ("'=mine", "2026-03-14T12:00:00.000Z")
    (row,) = read_csv(encode(Format.CSV, article("a")))
    assert (row["notes"], row["score"]) == ("", "")


def test_a_list_of_nothing_is_valid_in_every_format():
    """No article, and no next page."""
    channel = Channel("t", "https://x/", "https://x/self")
    assert read_rss(encode(Format.RSS, channel=channel)).entries == []
    assert json.loads(encode(Format.JSON_FEED, channel=channel)) == {
        "version": "https://jsonfeed.org/version/1.1",
        "title": "t",
        "home_page_url": "https://x/",
        "feed_url": "https://x/self",
        "items": [],
    }
    assert read_csv(encode(Format.CSV)) == []


def test_a_json_feed_shows_each_member_and_no_null():
    """JSON Feed has no null: what is absent is left out, but for the text, which is required."""
    found = article(
        "a",
        description="What happened",
        author="Ada",
        section="World",
        language="en",
        image_url="https://news.example/a.jpg",
    )
    full, bare = json.loads(encode(Format.JSON_FEED, found, article("b")))["items"]
    assert full == {
        "id": "a_a",
        "url": "https://news.example/a",
        "title": "Title of a",
        "content_text": "What happened",
        "date_published": "2026-03-14T12:00:00Z",
        "image": "https://news.example/a.jpg",
        "language": "en",
        "authors": [{"name": "Ada"}],
        "tags": ["World"],
        "_newsintel": {"source": "guardian", "publisher": "The Example"},
    }
    assert bare["content_text"] == ""
    assert not {"image", "language", "authors", "tags"} & set(bare)


def test_json_needs_no_channel():
    """The body leaves as it is; a channel that nobody described is a bug."""
    assert run_all(Encoding(Format.JSON).encode({"a": 1})) == b'{"a":1}'
    with pytest.raises(AssertionError, match="no channel"):
        run_all(Encoding(Format.RSS).encode({"articles": []}))


@pytest.mark.slow
def test_json_feeds_are_read_by_another_reader(tmp_path):
    """npm's feedsmith finds a JSON Feed with every text of every article."""
    install(READERS, tmp_path)
    articles = [of_text(text, name, image_url=f"https://x/{name}") for name, text in TEXTS.items()]
    feeds = [encode(Format.JSON_FEED, *articles), encode(Format.JSON_FEED)]
    asked = "".join(json.dumps({"feed": feed.decode()}) + "\n" for feed in feeds)
    done = subprocess.run(
        ["node", "read_feed.mjs"],
        cwd=tmp_path,
        input=asked.encode(),
        capture_output=True,
        check=True,
    )
    full, empty = map(json.loads, done.stdout.splitlines())
    assert (full["detected"], empty["detected"]) == (True, True)
    feed = full["feed"]
    assert (feed["title"], feed["feed_url"]) == (CHANNEL.title, CHANNEL.self_url)
    assert feed["next_url"] == CHANNEL.next_url
    for item, ours in zip(feed["items"], articles, strict=True):
        assert (item["id"], item["url"], item["image"]) == (ours.id, ours.url, ours.image_url)
        texts = (item["title"], item["content_text"], item["authors"][0]["name"], *item["tags"])
        assert set(texts) == {ours.title}
        assert item["date_published"].startswith(f"{NOON:%Y-%m-%dT%H:%M:%S}")
