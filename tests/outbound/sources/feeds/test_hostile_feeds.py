"""Feeds made to do harm, and feeds that are broken: neither costs more than their size allows."""

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsintel.domain.bounds.slices import run_all
from newsintel.outbound.sources.feeds import tree
from newsintel.outbound.sources.feeds.repairing import is_allowed, repair_xml
from tests.outbound.sources.feeds.reading import item, page, read, refusal, rows, rss

LAUGHS = (
    "<!DOCTYPE rss [<!ENTITY a 'ha'>"
    + "".join(f"<!ENTITY {chr(98 + n)} '{f'&{chr(97 + n)};' * 10}'>" for n in range(9))
    + "]>"
)


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (rss(item("&j;"), before=LAUGHS), "declares an entity"),
        (
            rss(item("&a;"), before=f"<!DOCTYPE rss [<!ENTITY a '{'x' * 17}'>]>"),
            "an entity of more",
        ),
        (
            rss(item("&e;"), before="<!DOCTYPE r [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>"),
            "declares an external entity",
        ),
        (
            rss(item("&e;"), before="<!DOCTYPE r [<!ENTITY e SYSTEM 'http://127.0.0.1/'>]>"),
            "declares an external entity",
        ),
        (rss("<a>" * 200 + item()), "nested more than 100 levels deep"),
        (rss("<a/>" * 60_001 + item()), "more than 60,000 elements"),
        (rss(item().replace("<item", "<item" + "".join(f" a{n}=''" for n in range(101)))), "100 a"),
    ],
    ids=["laughs", "long entity", "file", "address", "deep", "many", "attributes"],
)
def test_bombs_are_refused(document, reason):
    """Each with its reason; a repair does not let them in."""
    found = refusal(document)
    assert reason in found.reason
    assert found.unsafe
    broken = refusal(document.replace("<channel>", "<channel>&nbsp;", 1))
    assert broken.unsafe


def test_an_external_entity_does_not_appear_in_the_text():
    """HTML's lists of entities, which old feeds include, are not read; their names are known."""
    lists = '<!DOCTYPE r [<!ENTITY % h PUBLIC "-//W3C//ENTITIES Latin 1//EN" "http://x/h">%h;]>'
    assert page(rss(item("a&eacute;&nope;b"), before=lists)).articles[0].title == "aéb"


def test_short_entities_that_a_feed_declares_are_its_characters():
    """As in the feeds of some content management systems."""
    short = "<!DOCTYPE rss [<!ENTITY pound 'GBP'>]>"
    assert page(rss(item("5 &pound;"), before=short)).articles[0].title == "5 GBP"


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("AT&T wins", "AT&T wins"),
        ("a&nbsp;b &mdash; c", "a b — c"),
        ("x &unknown; y", "x &unknown; y"),
        ("bell \x07 rings", "bell rings"),
        ("<![CDATA[a & b &nbsp; \x08c]]> & d", "a & b c & d"),
        ("&#7;&#8217;&#x1F600;&#xFFFE;&#xD800;", "’😀"),
        ("&lt;b&gt;", "<b>"),
    ],
)
def test_common_faults_are_repaired(title, shown):
    """What readers' programs accept, and Expat does not."""
    (article,) = page(rss(item(title + "&bad", more="")).replace("&bad", "")).articles
    assert article.title == shown


def test_a_repair_finds_what_stands_at_the_edge_of_its_window():
    """It reads in pieces; a section that begins in one and ends in the next stays as it is."""
    for filler in range(32_755, 32_775):
        text = "x" * filler + "<![CDATA[ & ]]>&" + "<![CDATA[ & "
        assert run_all(repair_xml(text)) == "x" * filler + "<![CDATA[ & ]]>&amp;<![CDATA[ & "


@given(st.text(alphabet="&#;x1aA<>[]!CDAT \x00\ud800"))
def test_a_repair_never_fails(text):
    """Whatever stands there."""
    run_all(repair_xml(text))


@pytest.mark.parametrize("number", ["#9", "#xA", "#13", "#32", "#x10FFFF"])
def test_allowed_characters(number):
    """XML 1.0, 2.2."""
    assert is_allowed(number)


@pytest.mark.parametrize("number", ["#0", "#31", "#xD800", "#xFFFF", "#x110000"])
def test_other_characters(number):
    """XML 1.0, 2.2."""
    assert not is_allowed(number)


def test_items_before_a_fault_are_read():
    """The fault is reported."""
    found = rows(rss(item() + item(link="https://n.example/2")).removesuffix("</channel></rss>"))
    assert len(found.rows) == 2
    assert found.fault == "no element found in line 1"
    assert len(rows(rss("<image>" + item())).rows) == 1


def test_what_may_stand_before_the_root():
    """White space and comments before the declaration, a style sheet after it."""
    before = " <!-- a -- b -->\n<?xml version='1.0' encoding='ebcdic'?><?xml-stylesheet href='x'?>"
    assert len(rows(rss(item(), before=before)).rows) == 1


def test_a_namespace_that_is_not_declared():
    """Its prefix counts."""
    (row,) = rows(rss(item(more="<dc:date>2026-03-14</dc:date><media:title>M</media:title>"))).rows
    assert row["published"] == "2026-03-14"
    assert row["title"] == ("snippet", "T")


@given(st.binary(max_size=300))
def test_no_bytes_make_it_fail(data):
    """Whatever a server sends."""
    read(data)
    read(b"<rss><channel><item><title>" + data)


@given(st.data())
def test_no_damage_makes_it_fail(data):
    """A feed with bytes changed, removed and repeated."""
    body = rss(
        item("Ä" * 50, more="<description>&lt;p></description>") * 3, "<ttl>5</ttl>"
    ).encode()
    for _ in range(data.draw(st.integers(1, 5))):
        place = data.draw(st.integers(0, len(body)))
        cut = data.draw(st.integers(0, 20))
        body = body[:place] + data.draw(st.binary(max_size=5)) + body[place + cut :]
    read(body)


def test_no_slice_takes_the_whole_document():
    """A document of the largest size is read in many slices."""
    body = rss(item("long title " * 10) * 12_000)
    assert len(body) > 1_900_000
    slices = sum(1 for _ in tree.read_xml(body, ""))
    assert slices > len(body) / tree._PIECE_CHARS - 1


def test_random_looking_text_is_no_feed():
    """Compressed data without its header."""
    assert refusal(zlib.compress(b"feed" * 100)).reason.startswith("neither RSS")
