"""Markup: what is a tag and what is text, held against the engine of a browser and against every recorded text."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from newsintel.domain.text.clean import plain
from newsintel.domain.text.markup import read_escaped, read_html, read_snippet
from tests.outbound.sources.replies import recorded_bodies
from tests.shared import needs_shared

ABOUT_TAGS = [
    "PSA: a <script> tag in the profile field lets anyone in",
    "The <template> element, explained",
    "Why <video> beats <iframe>",
    "When to use <dl>, <dt> and <dd>",
    "<blink> is back",
    "Is <b> dead?",
    "What <!doctype html> is for",
    "Vec<String> or Box<str>?",
    "a < b and b > c",
    "AT&T, Q&A, R&D; M&S",
    "x <- y --> z",
]


@pytest.mark.parametrize("text", ABOUT_TAGS)
def test_text_about_tags_is_shown_whole(text: str) -> None:
    """As plain text, as text with entities, as a snippet, and as HTML that was escaped by its rules."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert plain(text, 300) == plain(text, 300, read_escaped) == plain(text, 300, read_snippet) == text
    assert plain(escaped, 300, read_escaped) == plain(escaped, 300, read_html) == text


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("a < b", "a < b"),
        ("x<y and y>z", "x<y and y>z"),
        ("AT&T", "AT&T"),
        ("rock&regret", "rock&regret"),
        ("I <3 you", "I <3 you"),
        ("see --> there", "see --> there"),
        ("<i>see</i> --> there", "see --> there"),
        ("Fish &amp; chips", "Fish & chips"),
        ("&#x80;5", "€5"),
        ("<p>One</p><p>two</p>", "One two"),
        ("<b>M</b>onday", "Monday"),
        ("line<br/>break", "line break"),
        ("<gu-atom data-x='1'>quiz</gu-atom> <o:p>x</o:p>", "quiz x"),
        ("<a title='x>y' href=\"z\">quoted</a>", "quoted"),
        ('<a href=x">unpaired</a>', "unpaired"),
        ("<!DOCTYPE html><script>if (a<b) x</script>kept<style>p{}</style>", "kept"),
        ("a<!-- hidden <b>too</b> -->b", "a b"),
        ("before<script>never closed", "before"),
        ("<scr\u200bipt>alert(1)</script>x", "x"),
        ("&#8203;&#0;a", "\ufffda"),
        ("&lt;b&gt; makes text bold", "<b> makes text bold"),
        ("&amp;lt;", "&lt;"),
    ],
)
def test_html(raw: str, expected: str) -> None:
    """Tags go, entities are undone once, as in a browser; what people wrote stays."""
    assert plain(raw, 300, read_html) == expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("<p>It will&nbsp;rain.</p>", "It will rain."),
        ("<p>It will rain, and it will", "It will rain, and it will"),
        ("going on Sunday <br>", "going on Sunday"),
        ('near <a href="/x">the coast</a>', "near the coast"),
        ("affected <!---->MacBook Pro <!----> units", "affected MacBook Pro units"),
        ("videos stop\n<script> </script>", "videos stop"),
        ("<ul><li>Claim: it rains. </li><li>Rating", "Claim: it rains. Rating"),
        ("S&amp;P 500", "S&P 500"),
        ("It&amp;#8217;s", "It’s"),
        ("&lt;p&gt;Escaped&lt;/p&gt; twice", "Escaped twice"),
        ("a &lt;script&gt; tag", "a <script> tag"),
        ("&" + "amp;" * 5 + "lt;", "&amp;lt;"),
    ],
)
def test_snippets(raw: str, expected: str) -> None:
    """What looks like HTML is read as such, as often as it was escaped, within bounds."""
    assert plain(raw, 300, read_snippet) == expected


def letters(text: str | None) -> str:
    """A text without its spaces: where a tag parts words is layout, which an engine without a style sheet does not know."""
    return re.sub(r"\s+", "", text or "")


def judged(html: str) -> str | None:
    """The text of a piece of HTML as Lexbor reads it, without the elements whose text is not meant to be read."""
    tree = LexborHTMLParser(f"<body>{html}</body>")
    for node in tree.css("script, style, template, svg"):
        node.decompose()
    return plain(tree.body.text() if tree.body else "", 50_000)


# Without less-than signs: what a browser makes of a stray one is not what a reader meant.
TEXTS = st.text(st.sampled_from("ab é漢.;#'\"> "), max_size=8).map(lambda text: text.replace(">", "&gt;"))
ENTITIES = st.sampled_from(["&amp;", "&lt;", "&gt;", "&#8217;", "&#x2019;", "&nbsp;", "&eacute;", "&hellip;", "&#x80;", "&amp;amp;"])
NAMES = st.sampled_from(["p", "a", "strong", "em", "span", "div", "h2", "blockquote", "code", "gu-atom", "script", "style", "template"])


def element(content: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """An element with an attribute, round some content."""
    return st.builds(
        lambda name, attribute, inner: f"<{name}{attribute}>{inner}</{name}>",
        NAMES,
        st.sampled_from(["", ' class="x"', " data-a='1>2'", ' href="https://example.org/?a=1&amp;b=2"']),
        content,
    )


PIECES = st.recursive(
    TEXTS | ENTITIES | st.sampled_from(["<br>", "<br/>", '<img src="x">', "<hr>", "<!-- no -->"]),
    lambda inner: st.lists(inner | element(inner), max_size=4).map("".join),
    max_leaves=12,
)


@given(PIECES)
def test_html_is_read_as_a_browser_reads_it(html: str) -> None:
    """The same letters as the engine Lexbor shows; but for script within script, which no editor nests."""
    if re.search(r"<(script|style|template)[^>]*>(?:(?!</\1>).)*<", html):
        return
    assert letters(plain(html, 50_000, read_html)) == letters(judged(html))


def texts(value: Any, names: frozenset[str]) -> list[str]:
    """Every text under one of the names, wherever it stands."""
    if isinstance(value, dict):
        own = [text for name, text in value.items() if name in names and isinstance(text, str)]
        return own + [text for inner in value.values() for text in texts(inner, names)]
    return [text for inner in value for text in texts(inner, names)] if isinstance(value, list) else []


@needs_shared
def test_every_recorded_text_is_read_as_a_browser_reads_it() -> None:
    """The Guardian's fields of HTML, and NewsAPI's snippets, whatever they are."""
    names = frozenset({"trailText", "standfirst", "byline", "headline"})
    guardian = [text for _, body in recorded_bodies("guardian") for text in texts(body, names)]
    assert sum("<" in text for text in guardian) == 73
    assert [text for text in guardian if letters(plain(text, 50_000, read_html)) != letters(judged(text))] == []
    newsapi = [text for _, body in recorded_bodies("newsapi") for text in texts(body, frozenset({"description", "content"}))]
    assert [text for text in newsapi if letters(plain(text, 50_000, read_snippet)) != letters(judged(text))] == []


@needs_shared
def test_no_recorded_field_of_plain_text_is_html() -> None:
    """What is read as it stands was never seen with a tag or an entity; an ampersand of their own, yes."""
    fields = {"guardian": {"webTitle"}, "newsapi": {"title", "author", "name"}, "reddit": {"title", "author", "subreddit"}}
    for source, names in fields.items():
        rows = [text for _, body in recorded_bodies(source) for text in texts(body, frozenset(names))]
        odd = [text for text in rows if re.search(r"</?[a-z][^<>]*>|&(?:#\w+|[a-z]\w+);", text, re.IGNORECASE)]
        # Recorded without raw_json=1, which we always send.
        assert odd == (["Don't let Verizon, AT&amp;T run roughshod over smaller carriers, DOJ warns"] if source == "reddit" else [])
        assert any("&" in text for text in rows)
