"""Turns markup from sources into plain text. Each field is read in the form its source documents.

Everything here is linear in its input. The standard library's HTML parser is not used: it reads
`x<y and y>z` as a tag.
"""

import html
import re
from html.entities import html5

_ELEMENT_NAMES = (
    "a abbr address article aside audio b base bdi bdo blockquote body br button canvas caption "
    "center cite code col colgroup data dd del details dfn dialog div dl dt em embed fieldset "
    "figcaption figure font footer form frame frameset h1 h2 h3 h4 h5 h6 head header hr html i "
    "iframe img input ins kbd label legend li link main map mark menu meta nav noscript object ol "
    "optgroup option p param picture pre q rp rt ruby s samp script section select small source "
    "span strike strong style sub summary sup svg table tbody td template textarea tfoot th thead "
    "time title tr track tt u ul var video wbr"
)
_ELEMENTS = frozenset(_ELEMENT_NAMES.split())
# A name with a hyphen or a colon is a custom or a namespaced element, e.g. gu-atom, o:p. Any other
# name is looked up afterwards. Attribute values may hold ">" if quoted. Where the quotes do not
# pair up, the tag ends at the first ">". Neither alternative runs past the next "<", so the pattern
# does not backtrack.
_TOKEN = re.compile(
    r"<!--|-->|<!doctype[^<>]*>|</?(?P<name>[a-z][a-z0-9]*+(?P<own>[-:][a-z0-9:-]++)?+)(?=[\s/>])"
    r"""(?:(?:[^<>"']++|"[^"<]*+"|'[^'<]*+')*+>|[^<>]*+>)""",
    re.IGNORECASE,
)
# Elements that may be inside a word or a sentence. Any other tag separates the words around it.
_INLINE_NAMES = (
    "a abbr b bdi bdo cite code data del dfn em font i ins "
    "kbd mark q s samp small span strong sub sup tt u var wbr"
)
_INLINE = frozenset(_INLINE_NAMES.split())
# Elements whose text is not for readers.
_HIDDEN = frozenset({"script", "style", "template", "svg"})

# The semicolon is required: `rock&regret` must not become a trade mark. The length is limited, so a
# number of 5,000 digits stays as it is.
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});")
# Some feeds escape once too often (`&amp;#8217;`), some twice. The rounds that undo it are limited.
_ROUNDS = 4
# Texts about a tag have none of these: end tags, attributes, line breaks, comments, entities, a
# paragraph at the start.
_IS_HTML = re.compile(
    r"</[a-z]|<[a-z][a-z0-9]*\s[^<>]*=|<br\b|<!--"
    rf"|\A\s*<(?:p|div|ul|ol|h[1-6]|img|figure|blockquote|table)\b|{_ENTITY.pattern}",
    re.IGNORECASE,
)


def read_html(text: str) -> str:
    """Turn HTML into plain text.

    Removes tags, comments and elements without text, and replaces entities by their characters.
    """
    return read_escaped(_strip_tags(text))


def read_escaped(text: str) -> str:
    """Replace entities by their characters in a text without tags, such as Markdown.

    What looks like a tag is text.
    """
    return _ENTITY.sub(_unescape_entity, text) if "&" in text else text


def read_snippet(text: str) -> str:
    """Turn a piece of a page or feed into plain text when it is unknown whether it is HTML.

    It is read as HTML as long as it looks like HTML, at most _ROUNDS times.
    """
    for _ in range(_ROUNDS):
        if "<" not in text and "&" not in text:  # most texts, and a search takes ten times as long
            break
        if not _IS_HTML.search(text):
            break
        text = read_html(text)
    return text


def _unescape_entity(match: re.Match[str]) -> str:
    """Return the character of an entity, or the text itself if there is no such entity."""
    known = html5.get(match[0][1:])
    return html.unescape(match[0]) if known is None else known


def _strip_tags(text: str) -> str:
    """Remove tags, comments and elements without text.

    An element without an end hides the rest, as in a browser.
    """
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
            continue  # an arrow in the text (no comment is open), or less and greater signs
        kept += (text[position : token.start()], "" if name in _INLINE else " ")
        position = token.end()
        if name == "<!--":
            hidden = "-->"
        elif name in _HIDDEN and not tag.startswith("</"):
            hidden = name
    if not hidden:
        kept.append(text[position:])
    return "".join(kept)
