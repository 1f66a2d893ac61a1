"""No slice of reading a feed is long, whatever a body of the largest size holds."""

from itertools import count

import pytest

from newsintel.domain.text.body import RAW_CAP_BYTES
from newsintel.outbound.sources.feeds.opml import read_opml
from newsintel.outbound.sources.feeds.reading import NoFeed, read_feed
from newsintel.outbound.sources.source import Response
from tests.outbound.sources.feeds.reading import ADDRESS, item, refusal, rows, rss
from tests.steps import ALLOWED, LONGEST_MS, longest_slice

MANY = 59_000
HTML_LISTS = "<!DOCTYPE rss SYSTEM 'x'>"


def title(text):
    """A feed of one item with this title."""
    return rss(item(text))


BODIES = {
    "spaces": " " * 1_900_000 + rss(item()),
    "comments": "<!---->" * 270_000 + rss(item()),
    "an open comment": ("<!--" + "a" * 9_990) * 190 + rss(item()),
    "instructions": rss("<?a?>" * 380_000 + item()),
    "children": rss(item(more="<a/>" * MANY)),
    "names": rss(item(more="".join(f"<a{number}/>" for number in range(MANY)))),
    "authors": rss(item(more="<author><name/></author>" * (MANY // 2))),
    "names of an author": rss(item(more="<author>" + "<a/>" * MANY + "</author>")),
    "links": rss(item(more="<link rel='x' href='y'/>" * MANY, link="")),
    "ids": rss(item(more="<guid>a</guid>" * MANY, link="")),
    "dates": rss(item(more="<issued/><created/><dc:date/>" * (MANY // 3))),
    "items": rss("<item/>" * MANY),
    "links of items": rss("<item href='b'/>" * MANY),
    "texts between": rss("&nbsp;" * 300_000 + item(), before=HTML_LISTS),
    "elements of a title": title("<a/>" * MANY),
    "nested titles": title(("<a>" * 95 + "</a>" * 95) * 600),
    "texts of a title": title("&nbsp;" * 300_000).replace("<rss", HTML_LISTS + "<rss", 1),
    "ampersands": title("&a" * 300_000),
    "base64": title("QUFB " * 370_000).replace("<title", "<title mode='base64'"),
    "a word": title("T").replace("<title", "<title type='" + "É" * 900_000 + "'"),
    "bases": rss("<item xml:base='b/' href='b'/>" * MANY).replace(
        "<rss", f"<rss xml:base='http://x/{'a/' * 900}'"
    ),
}  # fmt: skip
"""Elements, texts and words, as many as there may be."""


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_any_feed_is_read_in_slices(body):
    """It is within the limits."""
    packed = body.encode()[:RAW_CAP_BYTES]
    longest_ms, found = longest_slice(lambda: read_feed(Response(200, {}, packed), ADDRESS))
    assert longest_ms < ALLOWED * LONGEST_MS, f"{longest_ms:.1f} ms"
    assert not isinstance(found, NoFeed) or not found.unsafe


def test_a_list_is_read_in_slices():
    """As many outlines as there may be."""
    body = f"<opml><body>{'<outline/>' * MANY}<outline xmlUrl='https://x.example/'/></body></opml>"
    longest_ms, found = longest_slice(lambda: read_opml(body.encode()))
    assert longest_ms < ALLOWED * LONGEST_MS
    assert len(found) == 1


def test_namespaces_have_a_limit():
    """Each element knows those of all around it."""
    names = count()

    def nest(levels, each):
        inner = "".join(
            "<x " + " ".join(f"xmlns:n{next(names)}='u'" for _ in range(each)) + ">"
            for _ in range(levels)
        )
        return rss(inner + "</x>" * levels + item())

    assert len(rows(nest(9, 11)).rows) == 1
    found = refusal(nest(90, 100))
    assert found.unsafe
    assert found.reason == "an element within more than 100 namespaces"


def test_entities_have_a_limit():
    """Expat keeps each; HTML's own fit."""

    def declare(number):
        entities = "".join(f"<!ENTITY a{one} 'a'>" for one in range(number))
        return f"<!DOCTYPE rss [{entities}]>"

    assert len(rows(rss(item(), before=declare(3_000))).rows) == 1
    found = refusal(rss(item(), before=declare(3_001)))
    assert found.reason == "XML that declares more than 3,000 entities"


@pytest.mark.parametrize("element", ["<{}/>", "<a {}=''/>"])
def test_names_have_a_limit(element):
    """Of elements and of attributes."""
    assert len(rows(rss(element.format("a" * 1_000) + item())).rows) == 1
    found = refusal(rss(element.format("é" * 1_001) + item()))
    assert found.reason == "a name of more than 1,000 characters"


def test_only_the_beginning_of_a_long_text_is_read():
    """More than any article uses, and whole characters of it."""
    (row,) = rows(title("a<b/>" + "é" * 100_000)).rows
    assert row["title"][1].startswith("a<b></b>éé")
    assert len(row["title"][1]) < 50_000
    (row,) = rows(title("YcOp" * 20_000).replace("<title", "<title mode='base64'")).rows
    assert row["title"] == ("text", "aé" * 8_192)
    assert len(rows(rss(item() * 3_000)).rows) == 2_000
