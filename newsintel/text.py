"""Upstream text made fit to keep and compare: HTML and invisible characters off, Unicode settled, lengths bounded.

Everything here is linear in its input. The standard library's HTML parser is not used: it reads `x<y and y>z` as a tag.
"""

import html
import re
import unicodedata
from html.entities import html5
from itertools import groupby, islice

from newsintel.sized_cache import remembered

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
# Upstreams escape once too often (`&amp;#8217;`), some twice; the rounds that undo it are bounded all the same.
_ROUNDS = 4

_EMOJI = "\u2190-\u2bff\u3030\u303d\u3297\u3299\ufe0f\U0001f000-\U0001faff"
# White space is not among these: it is folded, not removed. In order: C0, C1, soft hyphen, Arabic letter mark, zero-width space and
# non-joiner, bidi marks and embeddings, word joiner to bidi isolates, surrogates, BOM, noncharacters, tags, joiners outside an emoji.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u061c\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufffe\uffff"
    f"\U000e0000-\U000e007f]|(?<![{_EMOJI}])\u200d|\u200d(?![{_EMOJI}])"
)

RAW_CHARS = (3, 500)
"""Of a text that is to have n characters, 3 n + 500 are read: what markup and escapes take besides (recorded: 1.5 n at most)."""

# UAX #15, section 13 (Stream-Safe Text Format): no real text puts more marks on a letter, and normalising is quadratic in their number.
_MOST_MARKS = 30


def plain(raw: str, max_chars: int) -> str | None:
    """Any upstream text as one line of plain text.

    Tags go even when they arrive escaped, because upstreams escape HTML; so text about a tag loses it. `a < b` and `AT&T` stay.

    Args:
        raw: text, possibly HTML, possibly with anything a JSON string can hold. No more of it is read than RAW_CHARS allows.
        max_chars: the most code points to return; a longer text is cut and ends in "…".

    Returns:
        NFC text without line breaks, control, bidi and zero-width characters (but for joiners within emoji); None if nothing is left.
    """
    head = _head(raw, max_chars)
    text = visible(head)
    for _ in range(_ROUNDS):
        if "<" not in text and "&" not in text:
            break
        before = text
        text = visible(_ENTITY.sub(_unescaped, _without_tags(text)))
        if text == before:
            break
    # Normalising can shorten a text, in practice to no less than a quarter (a letter and its marks).
    text = unicodedata.normalize("NFC", stream_safe(" ".join(text.split())[: max_chars * 4]))
    if len(text) > max_chars or (text and head is not raw):
        text = text[: max_chars - 1].rstrip(" \u200d") + "…"
    return text or None


def _head(raw: str, max_chars: int) -> str:
    """As much of a text as may be read: cleaning first and cutting afterwards would let whoever sends it say how long that takes."""
    times, more = RAW_CHARS
    most = times * max_chars + more
    if len(raw) <= most:
        return raw
    head = raw[:most]
    # Half a tag or half an entity at the end would be shown.
    for opening, closing in (("<", ">"), ("&", ";")):
        last = head.rfind(opening)
        if last > head.rfind(closing):
            head = head[:last]
    return head


def _unescaped(match: re.Match[str]) -> str:
    """What an entity stands for; itself where there is no such."""
    known = html5.get(match[0][1:])
    return html.unescape(match[0]) if known is None else known


def visible(text: str) -> str:
    """The text without characters that nobody sees: controls but white space, surrogates, bidi and zero-width characters."""
    # Nothing invisible is printable by Python's definition (str.isprintable), which is a hundred times as quick to look for.
    return text if text.isprintable() else _INVISIBLE.sub("", text)


def fold(text: str) -> str:
    """The form in which titles and words are compared: NFKC, case-folded, runs of white space as one space, trimmed."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def words(text: str) -> tuple[str, ...]:
    """The folded words of a text, in order: letters, digits, marks and inner apostrophes."""
    return tuple(_WORD.findall(fold(text).replace("\u2019", "'")))


@remembered(max_bytes=4 * 2**20)
def padded(text: str) -> str:
    """The folded words between single spaces, so that a word or a run of words is found whole and only whole.

    A headline takes some 20 us, a description 60. Each is looked at by every merge of its search, and by every person's view of it, so
    the texts of some eight searches are remembered: 500 articles take 1 MiB as they usually are.
    """
    return f" {' '.join(words(text))} "


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


def stream_safe(text: str) -> str:
    """Cut runs of combining marks to a length that can be normalised quickly."""
    if not _MAY_BE_TOO_MANY.search(text):
        return text
    return "".join("".join(islice(run, _MOST_MARKS) if marks else run) for marks, run in groupby(text, _is_mark))


def _is_mark(char: str) -> bool:
    """Whether it begins with a combining mark once it is taken apart: U+0F73, a letter by its own class, becomes two."""
    return unicodedata.combining(unicodedata.normalize("NFKD", char)[0]) > 0


def _marks() -> str:
    """The combining marks of the BMP, for a character class: `re` does not count them as word characters, so Hindi would fall apart."""
    return "".join(chr(code) for code in range(0x300, 0xFE30) if unicodedata.category(chr(code)).startswith("M"))


# A run of characters that may have a combining class: those that do in the BMP, and all beyond it.
_MAY_BE_TOO_MANY = re.compile(f"[{''.join(filter(_is_mark, map(chr, range(0x300, 0xFFFF))))}\U00010000-\U0010ffff]{{{_MOST_MARKS + 1}}}")

_WORD = re.compile(rf"[^\W_](?:[^\W_]|[{_marks()}]|'(?=[^\W_]))*")
