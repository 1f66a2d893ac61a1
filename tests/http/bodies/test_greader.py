"""Bodies of Google Reader's API, as JSON and as Atom."""

import feedparser
import pytest
from attrs import evolve

from newsintel.domain.archive.model import Hit
from newsintel.domain.bounds.slices import run_all
from newsintel.domain.reader.item_ids import compute_number, write_long
from newsintel.domain.reader.model import Item, ItemState
from newsintel.domain.reader.selection import Page
from newsintel.http.bodies.greader import (
    Origin,
    build_contents,
    build_ids,
    build_item,
    build_unread_counts,
)
from newsintel.http.bodies.greader_atom import build_atom
from tests.make import NOON, article
from tests.steps import ALLOWED, LONGEST_MS, longest_slice

ID = "a_" + "b" * 20
TITLES = ("<b>bold & \u201cquoted\u201d", "قطار 🚆", "火車\x0b\x00", "e\u0301 \u200f", "")


def make_item(title="Title", state=ItemState(), shown=1, **more):  # noqa: B008 - it is frozen
    """Return the body of an item."""
    hit = Hit(evolve(article("a", title=title), id=ID, **more), NOON, NOON)
    return build_item(hit, state, Origin("feed/f_a", "Mine"), "https://n.example", shown=shown)


def test_texts_are_escaped_and_paragraphs_stay():
    """A summary is HTML in this API."""
    item = make_item(content="One <script>\n\nTwo & three\u2028Four")
    assert item["summary"]["content"] == (
        "<p>One &lt;script&gt;</p><p>Two &amp; three</p><p>Four</p>"
    )


@pytest.mark.parametrize(("shown", "chars"), [(1, 20_000), (1_000, 2_000)])
def test_many_items_share_the_characters_of_an_answer(shown, chars):
    """So no answer is longer than some megabytes."""
    content = make_item(content="x" * 99_999, shown=shown)["summary"]["content"]
    assert len(content) == chars + len("<p></p>")


def test_states_are_categories():
    """The reading list holds every item."""
    state = "user/-/state/com.google/"
    assert make_item()["categories"] == [f"{state}reading-list"]
    both = make_item(state=ItemState(read=True, starred=True))["categories"]
    assert both == [f"{state}reading-list", f"{state}read", f"{state}starred"]


def test_an_article_without_author_has_its_publisher():
    """Readers show the author beside the title."""
    assert make_item(author=None)["author"] == article("a").publisher
    assert make_item(author="Ana")["author"] == "Ana"


def test_ids_and_counts():
    """Numbers are texts, and only a page with a successor has a continuation."""
    item = Item(ID, 7, 5)
    body = build_ids(Page((item,), None))
    assert body["itemRefs"][0]["id"] == str(compute_number(ID))
    assert "continuation" not in body
    assert build_ids(Page((item,), "x"))["continuation"] == "x"
    counts = build_unread_counts([("feed/f_a", 1, [item]), ("feed/f_b", 0, [])], 500)
    newest = [one["newestItemTimestampUsec"] for one in counts["unreadcounts"]]
    assert newest == ["7", "0"]


def test_atom_is_read_by_feedparser():
    """In every script, and without the characters that XML cannot hold."""
    items = [make_item(title, state=ItemState(read=True)) for title in TITLES]
    body = build_contents("feed/f_a", items, "more", NOON)
    read = feedparser.parse(run_all(build_atom(body, "Mine", "https://n.example/x")))
    assert not read.bozo, read.get("bozo_exception")
    assert read.feed.title == "Mine"
    assert [one.title for one in read.entries][1:4] == ["قطار 🚆", "火車", "e\u0301 \u200f"]
    assert read.entries[0].title_detail.value == "<b>bold & \u201cquoted\u201d"
    assert {one.id for one in read.entries} == {write_long(compute_number(ID))}
    labels = {(one.scheme, one.label) for one in read.entries[0].tags}
    assert ("http://www.google.com/reader/", "read") in labels


def test_a_long_stream_is_written_in_slices():
    """A thousand items took a tenth of a second."""
    items = [make_item("Zwölf & mehr", content="火車 & <b> " * 2_000, shown=1_000)] * 1_000
    body = build_contents("feed/f_a", items, None, NOON)
    longest_ms, _ = longest_slice(lambda: build_atom(body, "Mine", "https://n.example/x"))
    assert longest_ms < ALLOWED * LONGEST_MS
