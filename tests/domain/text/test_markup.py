"""Which parts of markup are tags and which are text.

The judge is a browser's engine, also on every recorded text.
"""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from newsintel.domain.text.clean import to_plain_text
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
def test_text_about_tags_stays_whole(text: str) -> None:
    """As plain text, as text with entities, as a snippet, and as correctly escaped HTML."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert (
        to_plain_text(text, 300)
        == to_plain_text(text, 300, read_escaped)
        == to_plain_text(text, 300, read_snippet)
        == text
    )
    assert (
        to_plain_text(escaped, 300, read_escaped) == to_plain_text(escaped, 300, read_html) == text
    )


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
def test_html_loses_its_tags_and_its_text_stays(raw: str, expected: str) -> None:
    """Entities are decoded once, as in a browser."""
    assert to_plain_text(raw, 300, read_html) == expected


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
def test_snippets_are_decoded_as_often_as_they_were_escaped(raw: str, expected: str) -> None:
    """A snippet that looks like HTML is read as HTML. The number of rounds is bounded."""
    assert to_plain_text(raw, 300, read_snippet) == expected


def letters(text: str | None) -> str:
    """A text without its spaces.

    Which tags separate words depends on a style sheet, and the engine has none.
    """
    return re.sub(r"\s+", "", text or "")


def judged(html: str) -> str | None:
    """The text of some HTML as Lexbor reads it, without elements that are not for readers."""
    tree = LexborHTMLParser(f"<body>{html}</body>")
    for node in tree.css("script, style, template, svg"):
        node.decompose()
    return to_plain_text(tree.body.text() if tree.body else "", 50_000)


# Without less-than signs, because a browser reads a stray one in another way than a reader.
TEXTS = st.text(st.sampled_from("ab é漢.;#'\"> "), max_size=8).map(
    lambda text: text.replace(">", "&gt;")
)
ENTITIES = st.sampled_from([
    "&amp;", "&lt;", "&gt;", "&#8217;", "&#x2019;", "&nbsp;", "&eacute;", "&hellip;", "&#x80;",
    "&amp;amp;",
])  # fmt: skip
NAMES = st.sampled_from([
    "p", "a", "strong", "em", "span", "div", "h2", "blockquote", "code", "gu-atom", "script",
    "style", "template",
])  # fmt: skip


def element(content: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """An element with an attribute and some content."""
    return st.builds(
        lambda name, attribute, inner: f"<{name}{attribute}>{inner}</{name}>",
        NAMES,
        st.sampled_from(
            ["", ' class="x"', " data-a='1>2'", ' href="https://example.org/?a=1&amp;b=2"']
        ),
        content,
    )


PIECES = st.recursive(
    TEXTS | ENTITIES | st.sampled_from(["<br>", "<br/>", '<img src="x">', "<hr>", "<!-- no -->"]),
    lambda inner: st.lists(inner | element(inner), max_size=4).map("".join),
    max_leaves=12,
)


@given(PIECES)
def test_html_is_read_as_a_browser_reads_it(html: str) -> None:
    """The letters are those that the engine Lexbor shows.

    Script within script is left out, because no editor nests it.
    """
    if re.search(r"<(script|style|template)[^>]*>(?:(?!</\1>).)*<", html):
        return
    assert letters(to_plain_text(html, 50_000, read_html)) == letters(judged(html))


def texts(value: Any, names: frozenset[str]) -> list[str]:
    """Every text that is a value of one of the names, at any depth."""
    if isinstance(value, dict):
        own = [text for name, text in value.items() if name in names and isinstance(text, str)]
        return own + [text for inner in value.values() for text in texts(inner, names)]
    return (
        [text for inner in value for text in texts(inner, names)] if isinstance(value, list) else []
    )


@needs_shared
def test_every_recorded_text_is_read_as_a_browser_reads_it() -> None:
    """The HTML fields of the Guardian and all snippets of NewsAPI."""
    names = frozenset({"trailText", "standfirst", "byline", "headline"})
    guardian = [text for _, body in recorded_bodies("guardian") for text in texts(body, names)]
    assert sum("<" in text for text in guardian) == 73
    assert [
        text
        for text in guardian
        if letters(to_plain_text(text, 50_000, read_html)) != letters(judged(text))
    ] == []
    newsapi = [
        text
        for _, body in recorded_bodies("newsapi")
        for text in texts(body, frozenset({"description", "content"}))
    ]
    assert [
        text
        for text in newsapi
        if letters(to_plain_text(text, 50_000, read_snippet)) != letters(judged(text))
    ] == []


@needs_shared
def test_no_recorded_plain_text_field_has_tags_or_entities() -> None:
    """We read these fields as plain text. They may have an ampersand."""
    fields = {
        "guardian": {"webTitle"},
        "newsapi": {"title", "author", "name"},
        "reddit": {"title", "author", "subreddit"},
    }
    for source, names in fields.items():
        rows = [
            text for _, body in recorded_bodies(source) for text in texts(body, frozenset(names))
        ]
        odd = [
            text
            for text in rows
            if re.search(r"</?[a-z][^<>]*>|&(?:#\w+|[a-z]\w+);", text, re.IGNORECASE)
        ]
        # This one was recorded without raw_json=1, which we always send.
        assert odd == (
            ["Don't let Verizon, AT&amp;T run roughshod over smaller carriers, DOJ warns"]
            if source == "reddit"
            else []
        )
        assert any("&" in text for text in rows)
