"""The forms of markup in which sources send text, each read as plain text. A field is read in the form that its source documents.

Everything here is linear in its input. The standard library's HTML parser is not used: it reads `x<y and y>z` as a tag.
"""

import html
import re
from html.entities import html5

_ELEMENT_NAMES = (
    "a abbr address article aside audio b base bdi bdo blockquote body br button canvas caption center cite code col colgroup data dd "
    "del details dfn dialog div dl dt em embed fieldset figcaption figure font footer form frame frameset h1 h2 h3 h4 h5 h6 head "
    "header hr html i iframe img input ins kbd label legend li link main map mark menu meta nav noscript object ol optgroup option p "
    "param picture pre q rp rt ruby s samp script section select small source span strike strong style sub summary sup svg table "
    "tbody td template textarea tfoot th thead time title tr track tt u ul var video wbr"
)
_ELEMENTS = frozenset(_ELEMENT_NAMES.split())
# A name with a hyphen or a colon is a custom or a namespaced element, e.g. gu-atom, o:p; whether any other is an element is looked up
# afterwards. Attribute values may hold ">" if quoted; where the quotes do not pair up, the tag ends at the first ">". Neither alternative
# runs past the next "<", so there is nothing to backtrack.
_TOKEN = re.compile(
    r"<!--|-->|<!doctype[^<>]*>|</?(?P<name>[a-z][a-z0-9]*+(?P<own>[-:][a-z0-9:-]++)?+)(?=[\s/>])"
    r"""(?:(?:[^<>"']++|"[^"<]*+"|'[^'<]*+')*+>|[^<>]*+>)""",
    re.IGNORECASE,
)
# Elements that stand inside a word or a sentence; any other tag parts the words on its sides.
_INLINE_NAMES = "a abbr b bdi bdo cite code data del dfn em font i ins kbd mark q s samp small span strong sub sup tt u var wbr"
_INLINE = frozenset(_INLINE_NAMES.split())
# Elements whose text is not meant to be read.
_HIDDEN = frozenset({"script", "style", "template", "svg"})

# Only with its semicolon: `rock&regret` holds no trade mark. Bounded, so a number of 5,000 digits is left alone.
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});")
# Feeds escape once too often (`&amp;#8217;`), some twice; the rounds that undo it are bounded all the same.
_ROUNDS = 4
# Texts about a tag have none of these: end tags, attributes, line breaks, comments, entities, a paragraph that begins the text.
_IS_HTML = re.compile(
    rf"</[a-z]|<[a-z][a-z0-9]*\s[^<>]*=|<br\b|<!--|\A\s*<(?:p|div|ul|ol|h[1-6]|img|figure|blockquote|table)\b|{_ENTITY.pattern}",
    re.IGNORECASE,
)


def read_html(text: str) -> str:
    """A text that is HTML: without tags, comments and elements that are not text; entities are the characters they stand for."""
    return read_escaped(_without_tags(text))


def read_escaped(text: str) -> str:
    """A text that is escaped and has no tags, as Markdown has none: only entities are undone. What looks like a tag is text."""
    return _ENTITY.sub(_unescaped, text) if "&" in text else text


def read_snippet(text: str) -> str:
    """A piece of a page or a feed of which nobody says whether it is HTML: read as such, once or several times, where it looks like it."""
    for _ in range(_ROUNDS):
        if not _IS_HTML.search(text):
            break
        text = read_html(text)
    return text


def _unescaped(match: re.Match[str]) -> str:
    """What an entity stands for; itself where there is no such."""
    known = html5.get(match[0][1:])
    return html.unescape(match[0]) if known is None else known


def _without_tags(text: str) -> str:
    """Drop tags, comments, and elements that are not text; an element that never ends hides the rest, as in a browser."""
    if "<" not in text:
        return text
    kept: list[str] = []
    position = 0
    hidden = ""
    for token in _TOKEN.finditer(text):
        tag, name = token[0], (token["name"] or token[0]).lower()
        if hidden:
            if tag.endswith("-->") if hidden == "-->" else name == hidden and tag.startswith("</"):
                hidden, position = "", token.end()
            continue
        if name == "-->" or (token["name"] and not token["own"] and name not in _ELEMENTS):
            continue  # no comment is open: an arrow in running text; or less and greater signs
        kept += (text[position : token.start()], "" if name in _INLINE else " ")
        position = token.end()
        if name == "<!--":
            hidden = "-->"
        elif name in _HIDDEN and not tag.startswith("</"):
            hidden = name
    if not hidden:
        kept.append(text[position:])
    return "".join(kept)
