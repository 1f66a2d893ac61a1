"""Removes zero-width joiners and variation selectors where they carry no meaning.

There they are invisible and serve to spoof names. A joiner stays in four places: where UAX #31
allows one in an identifier (its contexts A1, A2 and B); where an Indic letter takes one before its
virama (The Unicode Standard, 12.2 and 13.2: Bengali ra with ya-phalaa, touching letters of
Sinhala); after an Arabic letter that it keeps in its joining form; and between emoji. A selector
stays after a character that may have variants. All others are removed, and a run counts as one.
"""

import re
import unicodedata
from collections.abc import Iterator

_JOINS_NEXT = re.compile(
    "["
    "\u0620\u0626\u0628\u062a-\u062e\u0633-\u063f\u0641-\u0647\u0649\u064a\u066e\u066f"
    "\u0678-\u0687\u069a-\u06bf\u06c1\u06c2\u06cc\u06ce\u06d0\u06d1\u06fa-\u06fc\u06ff"
    "\u0712-\u0714\u071a-\u071d\u071f-\u0727\u0729\u072b\u072d\u072e\u074e-\u0758"
    "\u075c-\u076a\u076d-\u0770\u0772\u0775-\u0777\u077a-\u077f\u07ca-\u07ea\u0841-\u0845"
    "\u0848\u084a-\u0853\u0855\u0860\u0862-\u0865\u0868\u0886\u0889-\u088d\u088f\u08a0-\u08a9"
    "\u08af\u08b0\u08b3-\u08b8\u08ba-\u08c8\u1807\u1820-\u1878\u1887-\u18a8\u18aa"
    "\ua840-\ua872\U00010ac0-\U00010ac4\U00010acd\U00010ad3-\U00010adc\U00010ade-\U00010ae0"
    "\U00010aeb-\U00010aee\U00010b80\U00010b82\U00010b86-\U00010b88\U00010b8a\U00010b8b"
    "\U00010b8d\U00010b90\U00010bad\U00010bae\U00010d00-\U00010d21\U00010d23"
    "\U00010ec3\U00010ec4\U00010ec6\U00010ec7\U00010ed9-\U00010eee\U00010f30-\U00010f32"
    "\U00010f34-\U00010f44\U00010f51-\U00010f53\U00010f70-\U00010f73\U00010f76-\U00010f81"
    "\U00010fb0\U00010fb2\U00010fb3\U00010fb8\U00010fbb\U00010fbc\U00010fbe\U00010fbf"
    "\U00010fc1\U00010fc4\U00010fca\U00010fcb\U0001e900-\U0001e943"
    "]"
)
"""Joining_Type D or L (Unicode 17): such a letter joins the next one. The tests check both tables
against another copy of Unicode's data."""
_JOINS_LAST = re.compile(
    "["
    "\u0620\u0622-\u063f\u0641-\u064a\u066e\u066f\u0671-\u0673\u0675-\u06d3\u06d5\u06ee\u06ef"
    "\u06fa-\u06fc\u06ff\u0710\u0712-\u072f\u074d-\u077f\u07ca-\u07ea\u0840-\u0858\u0860"
    "\u0862-\u0865\u0867-\u086a\u0870-\u0882\u0886\u0889-\u088f\u08a0-\u08ac\u08ae-\u08c8"
    "\u1807\u1820-\u1878\u1887-\u18a8\u18aa\ua840-\ua871\U00010ac0-\U00010ac5\U00010ac7"
    "\U00010ac9\U00010aca\U00010ace-\U00010ad6\U00010ad8-\U00010ae1\U00010ae4"
    "\U00010aeb-\U00010aef\U00010b80-\U00010b91\U00010ba9-\U00010bae\U00010d01-\U00010d23"
    "\U00010ec2-\U00010ec4\U00010ec6\U00010ec7\U00010f30-\U00010f44\U00010f51-\U00010f54"
    "\U00010f70-\U00010f81\U00010fb0\U00010fb2-\U00010fb6\U00010fb8-\U00010fbf"
    "\U00010fc1-\U00010fc4\U00010fc9\U00010fca\U0001e900-\U0001e943"
    "]"
)
"""Joining_Type D or R: such a letter joins the previous one."""


_EMOJI = "\u2190-\u2bff\u3030\u303d\u3297\u3299\ufe0f\U0001f000-\U0001faff"
_LETTER = r"[^\W\d_]"
_VIRAMA = 9
"""The canonical combining class of every sign that removes the vowel of an Indic letter."""
_VIRAMAS = "".join(
    char for char in map(chr, range(0x900, 0x12000)) if unicodedata.combining(char) == _VIRAMA
)
_A_VIRAMA = f"[{_VIRAMAS}]"
_NON_JOINER = "\u200c"

# Scripts that use joiners start at U+0300 or later.
_SPOOFS = re.compile("(?<![\u0300-\U0010ffff])[\u200c\u200d]+")
# Joiners that need a closer check: all except those between emoji, between letters that join, and
# next to a virama that has no other mark near it.
_DOUBTFUL = re.compile(
    f"(?!(?<=[{_EMOJI}])\u200d(?=[{_EMOJI}])"
    f"|(?<={_JOINS_NEXT.pattern})\u200c(?={_JOINS_LAST.pattern})"
    f"|(?<={_LETTER}{_A_VIRAMA})(?:[\u200c\u200d](?={_LETTER})|\u200d(?=[\x00-\u02ff]|\\Z))"
    f"|(?<={_LETTER})[\u200c\u200d](?={_A_VIRAMA}{_LETTER}))[\u200c\u200d]+"
)
# Selectors after a character without variants (Unicode's StandardizedVariants.txt,
# emoji-variation-sequences.txt, and Ideographic Variation Database), such as any letter with case.
_STRAY_SELECTORS = re.compile(
    "(?<![#*0-9\xa9\xae\u1000-\u109f\u203c\u2049\u2122\u2139\u2190-\u2bff\u3001-\u30ff"
    "\u3200-\u9fff\ua840-\ua87f\uaa60-\uaa7f\uf900-\ufaff\uff01-\uff1f"
    "\U00010ac0-\U00010aff\U00013000-\U000143ff\U0001f000-\U0001faff\U00020000-\U0003ffff])"
    "[\ufe00-\ufe0f]+"
    "|(?<![\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff])[\U000e0100-\U000e01ef]+"
    "|(?<![\u1800-\u180a\u1810-\u18af])[\u180b-\u180f]+"
)
_MAX_CHECKS = 100
"""Maximum of closer checks in one text, 6 us each. Joiners beyond it are removed. A page of Persian
has none, one of Telugu about ten."""
_MOST_MARKS = 30
"""Marks that a check skips on either side: no real text puts more on a letter (UAX #15,
section 13)."""


def remove_stray_joiners(text: str) -> str:
    """Remove the joiners and selectors that carry no meaning."""
    looks = iter(range(_MAX_CHECKS))
    return _DOUBTFUL.sub(
        lambda match: _choose_joiner(match, looks), _SPOOFS.sub("", _STRAY_SELECTORS.sub("", text))
    )


def _choose_joiner(match: re.Match[str], looks: Iterator[int]) -> str:
    """Return the first joiner of a run, or "" if it has no meaning there or no check is left."""
    if next(looks, None) is None:
        return ""
    start, end = match.span()
    joiner, before, after = (
        match[0][0],
        match.string[max(0, start - _MOST_MARKS) : start][::-1],
        match.string[end : end + _MOST_MARKS],
    )
    joins_next, joins_last = (
        _JOINS_NEXT.match(before, _skip_signs(before)),
        _JOINS_LAST.match(after, _skip_signs(after)),
    )
    # A1: the non-joiner breaks a cursive connection. The joiner shapes a letter as if there were
    # one.
    shapes = joins_next and bool(joins_last) == (joiner == _NON_JOINER)
    return joiner if shapes or _is_in_conjunct(joiner, before, after) else ""


def _is_in_conjunct(joiner: str, before: str, after: str) -> bool:
    """Whether a joiner follows a letter's virama (A2, B) or separates a letter from its virama.

    Other marks may be around it.

    Args:
        joiner: the character.
        before: the text before it, reversed.
        after: the text after it.
    """
    if not _is_letter(before, _skip_signs(before)):
        return False
    if _starts_with_virama(after):
        return _is_letter(after, _skip_signs(after))
    if not _starts_with_virama(before[_skip_signs(before, reordered=True) :]):
        return False
    if joiner == _NON_JOINER:
        return _is_letter(after, _skip_signs(after, reordered=True))
    return not unicodedata.category(after[:1] or "x").startswith("M")


def _skip_signs(text: str, *, reordered: bool = False) -> int:
    """Return where the signs at a text's beginning end: non-spacing marks and viramas.

    With `reordered`, only marks that normalising may move count.
    """
    at = 0
    while at < len(text):
        order = unicodedata.combining(text[at])
        sign = order == _VIRAMA or unicodedata.category(text[at]) in {"Mn", "Me"}
        if order in (0, _VIRAMA) and (reordered or not sign):
            break
        at += 1
    return at


def _starts_with_virama(text: str) -> bool:
    return bool(text) and unicodedata.combining(text[0]) == _VIRAMA


def _is_letter(text: str, at: int) -> bool:
    return at < len(text) and unicodedata.category(text[at])[0] == "L"
