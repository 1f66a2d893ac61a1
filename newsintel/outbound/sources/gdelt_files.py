"""GDELT's files of the last 15 minutes: their list, and the pages in a file. Pure.

A list has a line `size md5 address` for each file. Of a group of three, the `gkg` file (Global
Knowledge Graph 2.1; data.gdeltproject.org/documentation has its codebook) has the titles: a zip
archive of one text, a page per line, 27 columns with tabs between them.
"""

import hashlib
import re
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime

from attrs import evolve

from newsintel.domain.archive.bulk import BulkFile
from newsintel.domain.bounds.slices import Sliced
from newsintel.domain.search.article import MAX_TITLE, Article
from newsintel.domain.search.outcome import Refusal, SourcePage, Status
from newsintel.domain.text.clean import to_plain_text
from newsintel.domain.text.markup import read_escaped
from newsintel.domain.text.safe_urls import sanitize_url
from newsintel.outbound.sources.gdelt import make_article
from newsintel.outbound.sources.gdelt_names import find_language
from newsintel.outbound.sources.shared_tails import strip_shared_tails

MAX_FILE_BYTES = 32 * 2**20
"""Largest file that is read. Real ones have 2 to 15 MB."""
MAX_TEXT_BYTES = 256 * 2**20
"""Largest text in a file, when unpacked. Real ones have 13 to 60 MB."""
MAX_LINE_BYTES = 2**20
"""Longest line. The longest of a real file had 36 kB."""
MAX_PAGES = 20_000
"""Pages of a file that are read. Real ones have 1,000 to 4,000."""

_PIECE_BYTES = 64 * 1024
_PACKED_BYTES = 8 * 1024
_HASHED_BYTES = 2**20
"""Bytes between two pauses: of text, of packed text (empty blocks take time and have no text), and
to hash. Each takes 1 to 2 ms.
"""

_LINE = re.compile(
    r"(?P<size>[0-9]{1,12}) (?P<md5>[0-9a-f]{32}) "
    r"https?://data\.gdeltproject\.org/gdeltv2/"
    r"(?P<name>[0-9]{14}(?:\.translation)?\.gkg\.csv\.zip)"
)
"""Only files of GDELT's own host; only the name is used, so a list cannot name another address."""

_COLUMNS = 27
_DATE, _COLLECTION, _URL, _IMAGE, _TRANSLATION, _EXTRAS = 1, 2, 4, 18, 25, 26
_WEB = b"1"
"""The collection of web pages; others are broadcasts, journals and documents without an address."""
_TITLE, _TITLE_END = b"<PAGE_TITLE>", b"</PAGE_TITLE>"
_TITLE_BYTES = 3000
_PUBLISHED = re.compile(rb"<PAGE_PRECISEPUBTIMESTAMP>([0-9]{14})</PAGE_PRECISEPUBTIMESTAMP>")
_LANGUAGE = re.compile(rb"srclc:([a-z]{3})\b")


def parse_list(text: str) -> Sequence[BulkFile]:
    """Return the files of a list that have titles and are not too large."""
    found = map(_LINE.fullmatch, map(str.strip, text.splitlines()))
    files = [BulkFile(one["name"], int(one["size"]), one["md5"]) for one in found if one]
    return [file for file in files if file.size_bytes <= MAX_FILE_BYTES]


def read_pages(data: bytes, file: BulkFile, now: datetime) -> Sliced[SourcePage | Refusal]:
    """Return the articles of a file; a file that is not that of the list is refused."""
    digest = hashlib.md5(usedforsecurity=False)
    for start in range(0, len(data), _HASHED_BYTES):
        digest.update(data[start : start + _HASHED_BYTES])
        yield
    if digest.hexdigest() != file.md5:
        return Refusal(Status.BAD_PAYLOAD, "a file that is not the one of the list (MD5)")
    articles: list[Article] = []
    dropped: Counter[str] = Counter()
    hosts: set[str] = set()
    try:
        for line in _iterate_lines(data):
            if line is None:
                yield
                continue
            found = _read_line(line, now, hosts)
            if isinstance(found, str):
                dropped[found] += 1
            else:
                articles.append(found)
    except (ValueError, zlib.error) as error:
        return Refusal(Status.BAD_PAYLOAD, f"a broken file: {error}")
    stripped = yield from strip_shared_tails(articles, hosts)
    return SourcePage(stripped, len(articles) + dropped.total(), dict(dropped), 200)


def _iterate_lines(data: bytes) -> Iterator[bytes | None]:
    """Yield the lines of a file, and None where a pause is possible.

    Raises:
        ValueError: a bound is exceeded.
    """
    rest, lines = b"", 0
    for piece in _unpack(data):
        yield None
        if not piece:
            continue
        *whole, rest = (rest + piece).split(b"\n")
        if len(rest) > MAX_LINE_BYTES:
            raise ValueError(f"a line of more than {MAX_LINE_BYTES:,} bytes")
        for line in whole:
            yield line
            yield None
        lines += len(whole)
        if lines > MAX_PAGES:
            raise ValueError(f"more than {MAX_PAGES:,} lines")
    if rest:
        yield rest


def _unpack(data: bytes) -> Iterator[bytes]:
    """Yield the text of a zip archive's first entry in pieces (PKWARE's APPNOTE, 4.3.7).

    A piece may be empty: so often a pause is possible, whatever the packed text is.

    Only deflated entries are read. The central directory at the end is not: an archive that lies
    about its sizes or its number of entries gains nothing.

    Raises:
        ValueError, zlib.error: the archive is broken, or its text too large.
    """
    if data[:4] != b"PK\x03\x04" or data[8:10] != b"\x08\x00" or data[6] & 1:
        raise ValueError("not a zip archive with a deflated entry")
    start = 30 + int.from_bytes(data[26:28], "little") + int.from_bytes(data[28:30], "little")
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    total = 0
    for place in range(start, len(data), _PACKED_BYTES):
        packed, more = data[place : place + _PACKED_BYTES], True
        while more:
            piece = inflate.decompress(packed, _PIECE_BYTES)
            packed = inflate.unconsumed_tail
            more = bool(packed) or len(piece) == _PIECE_BYTES
            total += len(piece)
            if total > MAX_TEXT_BYTES:
                raise ValueError(f"a text of more than {MAX_TEXT_BYTES:,} bytes")
            yield piece
            if inflate.eof:
                return
    raise ValueError("it ends early")


def _read_line(line: bytes, now: datetime, hosts: set[str]) -> Article | str:
    """Return a line's article, or the reason why there is none."""
    columns = line.split(b"\t", _COLUMNS)
    if len(columns) != _COLUMNS:
        return "not_a_page"
    if columns[_COLLECTION] != _WEB:
        return "not_on_the_web"
    url = sanitize_url(_decode(columns[_URL]))
    if url is None:
        return "bad_url"
    title = to_plain_text(_decode(_find_title(columns[_EXTRAS])), MAX_TITLE, read_escaped)
    if title is None:
        return "no_title"
    published = _PUBLISHED.search(columns[_EXTRAS])
    language = _LANGUAGE.search(columns[_TRANSLATION])
    article = make_article(
        url=url,
        title=title,
        seen_at=_format_date(published[1] if published else columns[_DATE]),
        now=now,
        known_hosts=hosts,
    )
    return evolve(
        article,
        image_url=sanitize_url(_decode(columns[_IMAGE])),
        # Pages that were not translated are in English.
        language=find_language(_decode(language[1])) if language else "en",
    )


def _find_title(extras: bytes) -> bytes:
    """Return what the first title element holds; nothing if it has no end or is too long."""
    opening = extras.find(_TITLE)
    if opening < 0:
        return b""
    start = opening + len(_TITLE)
    end = extras.find(_TITLE_END, start, start + _TITLE_BYTES + len(_TITLE_END))
    return extras[start : max(start, end)]


def _format_date(digits: bytes) -> str:
    """Write 14 digits as ISO 8601."""
    text = _decode(digits)
    return f"{text[:8]}T{text[8:]}Z"


def _decode(text: bytes) -> str:
    return text.decode("utf-8", "replace")
