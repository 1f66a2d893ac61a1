"""GDELT's 15-minute files: the list, the archive, the lines, and everything that may be wrong."""

import hashlib
import io
import zipfile
import zlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsintel.domain.archive.bulk import BulkFile
from newsintel.domain.bounds.slices import run_all
from newsintel.domain.search.outcome import Refusal, SourcePage
from newsintel.outbound.sources import gdelt_files
from newsintel.outbound.sources.gdelt_files import parse_list, read_pages
from tests.steps import ALLOWED, LONGEST_MS, longest_slice

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
MASTER_LIST = """\
150383 297a16b493de7cf6ca809a7cc31d0b93 http://data.gdeltproject.org/gdeltv2/20150218230000.export.CSV.zip
318084 bb27f78ba45f69a17ea6ed7755e9f8ff http://data.gdeltproject.org/gdeltv2/20150218230000.mentions.CSV.zip
10768507 ea8dde0beb0ba98810a92db068c0ce99 http://data.gdeltproject.org/gdeltv2/20150218230000.gkg.csv.zip
"""
"""Three lines of GDELT's own masterfilelist.txt, which has the form of lastupdate.txt, as the
project gdeltPyR printed them."""

EXTRAS = (
    "<PAGE_LINKS>https://example.org/story;https://x.com/ashermcs</PAGE_LINKS>"
    "<PAGE_AUTHORS>@ashermcs</PAGE_AUTHORS>"
    "<PAGE_PRECISEPUBTIMESTAMP>20250715114600</PAGE_PRECISEPUBTIMESTAMP>"
    "<PAGE_TITLE>{title}</PAGE_TITLE>"
    "<PAGE_ALTURL_AMP>https://example.org/amp/story</PAGE_ALTURL_AMP>"
)
"""The column V2EXTRASXML of a real page, as the project gdelt-regkg quotes it."""


def line(
    url="https://www.bugle.example/storm?utm_source=g",
    title="KAREN PATTERSON &#x2013; KDWA 1460 AM & FM 97.7",
    *,
    collection="1",
    translation="",
    extras=EXTRAS,
    image="https://img.example.org/1.jpg",
    date="20250715120000",
):
    """A line of a file, with its 27 columns."""
    columns = [""] * 27
    columns[0], columns[1], columns[2], columns[3] = f"{date}-7", date, collection, "bugle.example"
    columns[4], columns[18], columns[25] = url, image, translation
    columns[26] = extras.format(title=title)
    return "\t".join(columns).encode()


def pack(text, method=zipfile.ZIP_DEFLATED):
    """A zip archive as Python's own zipfile writes it."""
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w", method) as archive:
        entry = zipfile.ZipInfo("20250715120000.gkg.csv", (2025, 7, 15, 12, 0, 0))
        archive.writestr(entry, text, method)
    return into.getvalue()


def file_of(data):
    """The file as the list would name it."""
    md5 = hashlib.md5(data, usedforsecurity=False).hexdigest()
    return BulkFile("20250715120000.gkg.csv.zip", len(data), md5)


def read(*lines):
    """What is read of a file with these lines."""
    data = pack(b"".join(one + b"\n" for one in lines))
    found = run_all(read_pages(data, file_of(data), NOW))
    assert isinstance(found, SourcePage)
    return found


def refuse(data, file=None):
    """The refusal of a file."""
    found = run_all(read_pages(data, file or file_of(data), NOW))
    assert isinstance(found, Refusal)
    return found


def test_only_the_file_with_titles_is_read():
    """Events and mentions have none."""
    assert parse_list(MASTER_LIST) == [
        BulkFile("20150218230000.gkg.csv.zip", 10768507, "ea8dde0beb0ba98810a92db068c0ce99")
    ]
    translated = MASTER_LIST.replace(".gkg", ".translation.gkg").replace("\n", "\r\n")
    assert [file.name for file in parse_list(translated)] == [
        "20150218230000.translation.gkg.csv.zip"
    ]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("data.gdeltproject.org", "evil.example"),
        ("data.gdeltproject.org", "data.gdeltproject.org.evil.example"),
        ("data.gdeltproject.org", "u@127.0.0.1"),
        ("http://", "file://"),
        ("/gdeltv2/", "/gdeltv2/../"),
        ("20150218230000.gkg", "..%2f20150218230000.gkg"),
        ("10768507", str(gdelt_files.MAX_FILE_BYTES + 1)),
        ("10768507", "-1"),
        ("ea8dde0beb0ba98810a92db068c0ce99", "ea8d"),
        ("ea8dde0beb0ba98810a92db068c0ce99", "EA8DDE0BEB0BA98810A92DB068C0CE99"),
    ],
)
def test_other_hosts_paths_and_sizes_are_not_read(old, new):
    """A list can name nothing but a file of GDELT's own folder, within our size."""
    assert parse_list(MASTER_LIST.replace(old, new)) == []


def test_list_that_is_a_page_has_no_files():
    """Nor has an empty one."""
    assert parse_list("<html>\n") == []
    assert parse_list("") == []


def test_line_becomes_an_article():
    """Character references are decoded, a bare & stays; the time is the page's own."""
    page = read(line())
    article = page.articles[0]
    assert (article.source, article.external_id, article.url, article.canonical_url) == (
        "gdelt",
        "https://www.bugle.example/storm?utm_source=g",
        "https://www.bugle.example/storm?utm_source=g",
        "https://bugle.example/storm",
    )
    assert article.title == "KAREN PATTERSON \u2013 KDWA 1460 AM & FM 97.7"
    assert (article.publisher, article.language) == ("bugle.example", "en")
    assert article.published_at == datetime(2025, 7, 15, 11, 46, tzinfo=UTC)
    assert article.image_url == "https://img.example.org/1.jpg"
    assert (page.returned, page.dropped) == (1, {})


@pytest.mark.parametrize(
    ("changes", "language", "minute"),
    [
        ({"translation": "srclc:fra;eng:Moses 2.1.1 / MosesCore Europarl fr-en"}, "fr", 46),
        ({"translation": "srclc:jpn;eng:GT-JPN 1.0"}, "ja", 46),
        ({"translation": "srclc:xxx;eng:GT"}, None, 46),
        ({"extras": "<PAGE_TITLE>{title}</PAGE_TITLE>"}, "en", 0),
        ({"image": ""}, "en", 46),
    ],
)
def test_language_and_time_come_from_the_line(changes, language, minute):
    """Translated pages say their language; without its own time a page has that of the file."""
    article = read(line(**changes)).articles[0]
    assert (article.language, article.published_at.minute) == (language, minute)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (line(extras="<PAGE_LINKS>x</PAGE_LINKS>"), "no_title"),
        (line(title=" "), "no_title"),
        (line(url="ftp://x"), "bad_url"),
        (line(url="BBC Monitoring/1"), "bad_url"),
        (line(collection="2"), "not_on_the_web"),
        (b"a\tb", "not_a_page"),
        (b"", "not_a_page"),
        (line() + b"\tx", "not_a_page"),
    ],
)
def test_bad_line_is_left_out_and_counted(bad, reason):
    """The others are kept; bytes that are not UTF-8 are replaced."""
    page = read(line(), bad, line().replace(b"KAREN", b"K\xff"))
    assert (len(page.articles), page.returned, page.dropped) == (2, 3, {reason: 1})


def test_outlets_that_many_titles_name_are_removed():
    """As from the live API."""
    pages = [
        line(url=f"https://www.h.example/{n}", title=f"{title} - Der Bote")
        for n, title in enumerate(["Storm over the coast", "Flood in the valley"])
    ]
    assert [one.title for one in read(*pages).articles] == [
        "Storm over the coast",
        "Flood in the valley",
    ]


@given(st.lists(st.binary(max_size=200).filter(lambda text: b"\n" not in text), max_size=20))
def test_any_lines_are_read_without_an_exception(lines):
    """Everything is an article or counted."""
    page = read(*lines, line())
    assert page.returned == len(lines) + 1


@given(st.binary(max_size=300), st.integers(0, 400), st.binary(max_size=4))
def test_any_bytes_are_a_page_or_a_refusal(junk, place, change):
    """Also a good file with changed bytes, though its MD5 fits."""
    good = pack(line() + b"\n")
    for data in (junk, good[:place], good[:place] + change + good[place + len(change) :]):
        found = run_all(read_pages(data, file_of(data), NOW))
        assert isinstance(found, SourcePage | Refusal)


def test_file_that_is_not_the_listed_one_is_refused():
    """Its MD5 differs."""
    data = pack(line())
    assert "MD5" in refuse(data, file_of(data + b" ")).detail


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<html>",
        pack(line(), zipfile.ZIP_STORED),
        pack(line())[:-200][:60],
        b"PK\x03\x04" + bytes(26),
    ],
    ids=["empty", "page", "stored", "cut", "no entry"],
)
def test_broken_archives_are_refused(data):
    """Not a zip archive, not deflated, cut off."""
    assert "a broken file" in refuse(data).detail


def test_bomb_is_refused_without_unpacking_it():
    """256 MiB of zeros are 256 KiB; the text is counted as it comes, whatever the archive says."""
    pieces = 0

    data = pack(bytes(gdelt_files.MAX_TEXT_BYTES + 1))
    assert len(data) < 2**20
    for _ in gdelt_files._unpack(pack(bytes(10 * 2**20))):
        pieces += 1
    assert pieces >= 160
    assert refuse(data).detail.startswith("a broken file: a line of more than")
    lines = pack(b"\n" * (gdelt_files.MAX_PAGES + 1))
    assert refuse(lines).detail == "a broken file: more than 20,000 lines"


def test_text_has_a_limit(monkeypatch):
    """Whatever its lines are."""
    monkeypatch.setattr(gdelt_files, "MAX_TEXT_BYTES", 1_000)
    assert "a text of more than 1,000 bytes" in refuse(pack(line() + b"\n" + bytes(2_000))).detail


def test_slices_are_short():
    """Between two pauses there is at most one line, or 1 MiB to hash."""
    data = pack(b"\n".join([line()] * 500))
    steps = sum(1 for _ in read_pages(data, file_of(data), NOW))
    assert steps > 500


@pytest.mark.parametrize(
    "extras",
    ["<PAGE_TITLE>" * 87_000, "\t" * 1_040_000, "<PAGE_TITLE>x" * 80_000 + "</PAGE_TITLE>"],
    ids=["titles", "columns", "a title that ends"],
)
def test_a_line_of_the_longest_size_is_read_in_slices(extras):
    """Whatever is in it; a title that has no end within its limit is none."""
    long = line(extras=extras)
    assert 1_000_000 < len(long) < gdelt_files.MAX_LINE_BYTES
    data = pack(long + b"\n" + line())
    longest_ms, page = longest_slice(lambda: read_pages(data, file_of(data), NOW))
    assert longest_ms < ALLOWED * LONGEST_MS
    assert page.returned == 2
    assert len(page.articles) == 1


@pytest.mark.parametrize(("length", "kept"), [(3_000, 1), (3_001, 0)])
def test_the_longest_title(length, kept):
    """Of 3,000 bytes."""
    assert len(read(line(title="x" * length)).articles) == kept


def test_packed_text_without_text_is_unpacked_in_slices():
    """Empty blocks (RFC 1951, 3.2.3) make the file long and its text not; Python packs them."""
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    blocks = squeeze.flush(zlib.Z_FULL_FLUSH) * 200_000
    packed = blocks + squeeze.compress(line()) + squeeze.flush()
    data = b"PK\x03\x04" + bytes(4) + b"\x08\0" + bytes(20) + packed
    pieces = list(gdelt_files._unpack(data))
    assert b"".join(pieces) == line()
    assert len(pieces) > len(blocks) / 10_000
    assert len(run_all(read_pages(data, file_of(data), NOW)).articles) == 1


def test_python_agrees_about_the_text():
    """zipfile reads the same lines."""
    text = b"\n".join(line(title=f"Title {number}") for number in range(2_000))
    data = pack(text)
    ours = b"".join(gdelt_files._unpack(data))
    assert ours == zipfile.ZipFile(io.BytesIO(data)).read("20250715120000.gkg.csv") == text
    assert zlib.crc32(ours) == zipfile.ZipFile(io.BytesIO(data)).infolist()[0].CRC
