"""Cleans upstream text for storage and comparison.

It removes invisible characters, normalises Unicode and limits the length. Everything here is linear
in its input. The source decides which markup a text may hold, and `markup` removes it.
"""

import re
import unicodedata
from collections.abc import Callable
from itertools import groupby, islice

from newsintel.domain.text.joiners import remove_stray_joiners

# The RGI flags of England, Scotland and Wales (UTS #51). Tag characters have no meaning elsewhere.
_FLAGS = "|".join(
    "\U0001f3f4" + "".join(chr(0xE0000 + ord(char)) for char in region) + "\U000e007f"
    for region in ("gbeng", "gbsct", "gbwls")
)
# White space is missing here: it is folded, not removed. The set: controls except white space,
# Unicode's Default_Ignorable_Code_Point except joiners and variation selectors, interlinear
# annotations, surrogates and noncharacters.
_REMOVED = (
    "\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5"
    "\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ud800-\udfff\ufdd0-\ufdef\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e00ff\U000e01f0-\U000e0fff"
)
_JOINERS_AND_SELECTORS = "\u180b-\u180f\u200c\u200d\ufe00-\ufe0f\U000e0100-\U000e01ef"
_INVISIBLE = re.compile(f"({_FLAGS})|[{_REMOVED}]")
_SETTLED = re.compile(f"[{_JOINERS_AND_SELECTORS}]")
# Most texts have none of both, and one search is much faster than a substitution.
_SUSPECT = re.compile(f"[{_REMOVED}{_JOINERS_AND_SELECTORS}]")

RAW_CHARS = (3, 500)
"""For a result of n characters, 3 n + 500 are read: the rest is markup and escapes (recorded: 1.5 n
at most)."""

# UAX #15, section 13 (Stream-Safe Text Format): no real text puts more marks on a letter, and
# normalising is quadratic in their number.
_MOST_MARKS = 30


def to_plain_text(raw: str, max_chars: int, read: Callable[[str], str] | None = None) -> str | None:
    """Return an upstream text as one line of plain text.

    Args:
        raw: may hold anything that a JSON string can hold. Only as much as RAW_CHARS allows is
            read.
        max_chars: the maximum length of the result in code points. A longer text is cut and ends in
            "…".
        read: removes the markup (see `markup`). Without it the text is plain already: a tag or an
            entity in it is content.

    Returns:
        NFC text without line breaks and invisible characters; None if nothing is left.
    """
    times, more = RAW_CHARS
    head = raw[: times * max_chars + more]  # the sender must not control how long cleaning takes
    text = remove_invisible(head)
    if read is not None:
        shown = read(text if head == raw else _drop_cut_end(text))
        text = text if shown == text else remove_invisible(shown)
    # Normalising can shorten a text, in practice to at least a quarter (a letter and its marks).
    text = " ".join(text.split())[: max_chars * 4]
    if not text.isascii():
        text = unicodedata.normalize("NFC", limit_marks(text))
    if len(text) > max_chars or (text and head != raw):
        text = remove_invisible(text[: max_chars - 1]).rstrip() + "…"
    return text or None


def _drop_cut_end(text: str) -> str:
    """Remove half a tag or half an entity from the end of a cut text: readers would see it."""
    for opening, closing in (("<", ">"), ("&", ";")):
        last = text.rfind(opening, len(text) - RAW_CHARS[1])
        if last > text.rfind(closing):
            text = text[:last]
    return text


def remove_invisible(text: str) -> str:
    """Remove invisible characters: controls, bidi and zero-width characters.

    Characters that change how visible ones look stay.
    """
    if (text.isascii() and text.isprintable()) or not _SUSPECT.search(text):
        return text
    text = _INVISIBLE.sub(r"\1", text)
    return remove_stray_joiners(text) if _SETTLED.search(text) else text


def fold(text: str) -> str:
    """Return the form in which titles and words are compared.

    It is NFKC, case-folded and trimmed. Each run of white space becomes one space.
    """
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def limit_marks(text: str) -> str:
    """Cut runs of combining marks to a length that can be normalised quickly."""
    # A run that is too long covers at least one of these characters.
    if not _MAY_BE_MARK.search(text[_MOST_MARKS :: _MOST_MARKS + 1]):
        return text
    if not _MAY_BE_TOO_MANY.search(text):
        return text
    return "".join(
        "".join(islice(run, _MOST_MARKS) if marks else run)
        for marks, run in groupby(text, _is_mark)
    )


def _is_mark(char: str) -> bool:
    """Whether the character begins with a combining mark once it is decomposed.

    U+0F73, whose own class says letter, decomposes into two marks.
    """
    return unicodedata.combining(unicodedata.normalize("NFKD", char)[0]) > 0


# Characters that may have a combining class: those of the BMP that do, and all beyond it.
_MAY_BE_MARK = re.compile(
    f"[{''.join(filter(_is_mark, map(chr, range(0x300, 0xFFFF))))}\U00010000-\U0010ffff]"
)
_MAY_BE_TOO_MANY = re.compile(f"{_MAY_BE_MARK.pattern}{{{_MOST_MARKS + 1}}}")
