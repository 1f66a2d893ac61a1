"""Repairs the faults of XML that occur most in feeds, so that a parser accepts the document.

They are a bare `&`, an entity of HTML, and a character that XML does not allow.
"""

import re
from html.entities import html5

from newsintel.domain.bounds.slices import Sliced

_WINDOW_CHARS = 32 * 1024
_BAD = r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]"
"""The characters outside `Char` (XML 1.0, 2.2)."""
_CDATA, _CDATA_END = "<![CDATA[", "]]>"
_OUTSIDE = re.compile(rf"{re.escape(_CDATA)}|&|{_BAD}")
_INSIDE = re.compile(rf"{_CDATA_END}|{_BAD}")
"""Where a repair may be necessary, outside and inside a CDATA section."""
_PIECES_A_JOIN = 1_000
"""So that the last join has few pieces."""
_OVERLAP_CHARS = len(_CDATA) - 1
_REFERENCE = re.compile(r"&(?:(#[0-9]{1,7}|#x[0-9A-Fa-f]{1,6})|([A-Za-z][A-Za-z0-9]{1,31}));")
_PREDEFINED = frozenset({"amp", "lt", "gt", "quot", "apos"})


def repair_xml(text: str) -> Sliced[str]:
    """Return XML with the faults above repaired. References in CDATA sections stay as they are."""
    repaired: list[str] = []
    kept: list[str] = []
    done = position = 0
    suspect = _OUTSIDE
    while position < len(text):
        yield
        found = suspect.search(text, position, position + _WINDOW_CHARS)
        if found is None:
            # A window may end within the beginning or the end of a CDATA section.
            position += _WINDOW_CHARS - _OVERLAP_CHARS
            continue
        place, position = found.start(), found.end()
        if found[0] in (_CDATA, _CDATA_END):
            suspect = _INSIDE if found[0] == _CDATA else _OUTSIDE
            continue
        kept.append(text[done:place])
        if found[0] == "&":
            written, position = _repair_reference(text, place)
            kept.append(written)
        done = position
        if len(kept) >= _PIECES_A_JOIN:
            repaired.append("".join(kept))
            kept.clear()
    return "".join([*repaired, *kept, text[done:]])


def _repair_reference(text: str, place: int) -> tuple[str, int]:
    """Return what to write for the `&` at a place, and where the rest of the text begins."""
    reference = _REFERENCE.match(text, place)
    if reference is None:
        return "&amp;", place + 1
    number, name = reference.groups()
    if number:
        return (reference[0] if is_allowed(number) else ""), reference.end()
    if name in _PREDEFINED:
        return reference[0], reference.end()
    meant = html5.get(name + ";")
    if meant is None:
        return "&amp;", place + 1
    return "".join(f"&#{ord(char)};" for char in meant), reference.end()


def is_allowed(number: str) -> bool:
    """Return whether XML allows the character of a reference such as `#160` or `#xA0`."""
    code = int(f"0{number[1:]}", 16) if number[1] == "x" else int(number[1:])
    return (
        code <= 0x10FFFF
        and not (code < 0x20 and code not in (9, 10, 13))
        and not (0xD800 <= code <= 0xDFFF or code in (0xFFFE, 0xFFFF))
    )
