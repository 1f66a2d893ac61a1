"""Decodes a feed's bytes.

The order is that of RFC 7303, section 3: byte order mark, Content-Type, XML declaration. Without
any of them it is UTF-8, and Windows-1252 if it is not that either.
"""

import codecs
import re

from newsintel.domain.bounds.slices import Sliced

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark begins it
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_STARTS = (
    (b"<\0\0\0", "utf-32-le"),
    (b"\0\0\0<", "utf-32-be"),
    (b"<\0", "utf-16-le"),
    (b"\0<", "utf-16-be"),
    (b"Lo\xa7\x94", "cp037"),  # EBCDIC; its names are in the declaration, which it hides
)
"""How a document without a mark begins (XML 1.0, appendix F.1)."""

_DECLARATION = re.compile(rb"""\A\s*<\?xml[^>]*?\sencoding\s*=\s*["']([A-Za-z0-9._:-]{1,40})["']""")
_CHARSET = re.compile(r"""charset\s*=\s*["']?([A-Za-z0-9._:-]{1,40})""", re.IGNORECASE)
_DECLARATION_BYTES = 1024

# Python also calls these codecs text encodings. No document is in them, and some are slow.
_NO_CHARSETS = frozenset({"idna", "punycode", "undefined", "unicode_escape", "utf-7"})
_NO_CHARSETS |= {"raw-unicode-escape", "unicode-escape", "mbcs", "oem", "palmos"}

# What these names mean on the web (WHATWG Encoding, 4.2).
_ALIASES = {"iso8859-1": "cp1252", "ascii": "cp1252", "gb2312": "gb18030", "gbk": "gb18030"}
_ALIASES |= {"iso8859-9": "cp1254", "iso8859-11": "cp874", "tis-620": "cp874", "euc_kr": "cp949"}

_PIECE_BYTES = 64 * 1024


def decode_document(body: bytes, content_type: str = "") -> Sliced[str]:
    """Return a document as text. It never fails: what cannot be decoded becomes U+FFFD.

    Args:
        body: the document.
        content_type: the header of the reply that brought it.
    """
    declared = _DECLARATION.match(body[:_DECLARATION_BYTES])
    stated = _CHARSET.search(content_type)
    names = [
        next((name for mark, name in _MARKS if body.startswith(mark)), ""),
        stated[1] if stated else "",
        next((name for start, name in _STARTS if body.startswith(start)), ""),
        declared[1].decode("ascii") if declared else "",
        "utf-8",
    ]
    for charset in filter(None, map(_find_charset, names)):
        text = yield from _decode(body, charset, "strict")
        if text is not None:
            return text
    return (yield from _decode(body, "cp1252", "replace")) or ""


def _find_charset(name: str) -> str | None:
    """Return Python's name of a charset; None if there is none, or it is none for documents."""
    try:
        found = codecs.lookup(name)
    except LookupError:
        return None
    if found.name in _NO_CHARSETS or not found._is_text_encoding:  # noqa: SLF001 - has no other name
        return None
    return _ALIASES.get(found.name, found.name)


def _decode(body: bytes, charset: str, errors: str) -> Sliced[str | None]:
    """Return the text without a byte order mark; None if it is not in this charset."""
    decoder = codecs.getincrementaldecoder(charset)(errors)
    pieces = []
    try:
        for start in range(0, len(body), _PIECE_BYTES):
            pieces.append(decoder.decode(body[start : start + _PIECE_BYTES]))
            yield
        pieces.append(decoder.decode(b"", final=True))
    except ValueError:
        return None
    return "".join(pieces).removeprefix("\ufeff")
