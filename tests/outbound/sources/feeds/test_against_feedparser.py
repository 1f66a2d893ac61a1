"""feedparser judges what we read: on its own test feeds, and on the feeds of the demo.

Its test feeds are in its source distribution, which the slow test gets by pip. They are never part
of this project.
"""

import calendar
import re
import subprocess
import sys
import tarfile
from datetime import UTC, datetime

import feedparser
import pytest

from newsintel.domain.text.clean import to_plain_text
from newsintel.domain.text.markup import read_html, read_snippet
from newsintel.outbound.sources.feeds.dates import parse_date
from newsintel.outbound.sources.feeds.reading import NoFeed
from tests.outbound.sources.feeds import documents
from tests.outbound.sources.feeds.reading import read, rows

READERS = {"text": None, "html": read_html, "snippet": read_snippet}

KNOWN = frozenset(
    {
        "atom/entry_created_multiple_values.xml",  # the first of several dates counts for us
        "atom/entry_updated_multiple_values.xml",
        "atom10/entry_id_with_attributes.xml",  # an id is a link only if it is an address
        "atom10/entry_title_base64.xml",  # base64 by a media type alone: Atom 1.0 forbids it
        "atom10/entry_title_base64_2.xml",
        "base/http_entry_id_base_content_location.xml",
        "base/http_entry_id_base_docuri.xml",
        "lang/http_content_language_entry_title_inherit_2.xml",
        "node_precedence/atom10_id.xml",
        "rss/item_category_image.xml",  # the title of an image within a category
        "rss/item_guid_isPermaLink_ValueError.xml",  # an address that nobody can use
        "sanitize/entry_title_applet.xml",  # elements that HTML has no longer
        "sanitize/entry_title_blink.xml",
        "sanitize/entry_title_crazy.xml",
    }
)
"""The well-formed feeds that we read differently, and why."""

UNDECLARED = frozenset(f"chardet/{name}.xml" for name in ("eucjp", "euckr", "gb2312", "koi8r"))
UNDECLARED |= {"chardet/shiftjis.xml"}
"""The ill-formed feeds that declare no encoding.

feedparser guesses one if chardet is installed. For us they are UTF-8, else Windows-1252, as text
without a label is for browsers (WHATWG HTML, 13.2.3.2).
"""


def compare(body: bytes, headers: dict[str, str]) -> list[str]:
    """What differs between our reading and feedparser's: items, titles, links, dates."""
    theirs = feedparser.parse(body, response_headers=headers)
    base = headers.get("content-location", "")
    ours = read(body, headers.get("content-type", ""), base)
    if isinstance(ours, NoFeed):
        return [f"not read: {ours.reason}"] if theirs.entries else []
    differing = []
    if len(ours.rows) != len(theirs.entries):
        differing.append("number of items")
    for row, entry in zip(ours.rows, theirs.entries, strict=False):
        form, text = row["title"]
        plain = entry.get("title_detail", {}).get("type") == "text/plain"
        their_title = to_plain_text(entry.get("title", ""), 300, None if plain else read_html)
        if to_plain_text(text, 300, READERS[form]) != their_title:
            differing.append("title")
        if row["link"] != entry.get("link", ""):
            differing.append("link")
        if not has_date(parse_date(row["published"]), entry):
            differing.append("date")
    return differing


def has_date(ours: datetime | None, entry) -> bool:
    """Whether our date is one of those that feedparser found; None if it found none."""
    names = ("published_parsed", "updated_parsed", "created_parsed")
    found = [dict.get(entry, name) for name in names]  # its own get() maps one name to another
    theirs = [datetime.fromtimestamp(calendar.timegm(one), UTC) for one in found if one]
    return ours in theirs if theirs else ours is None


@pytest.mark.parametrize(
    "document",
    [
        documents.ATOM,
        documents.RSS,
        documents.RDF,
        documents.RSS_090,
        documents.RSS_091,
        documents.PREFIXED,
    ],
)
def test_the_documents_of_the_specifications(document):
    """Both read them alike."""
    assert rows(document).rows
    assert compare(document.encode(), {}) == []


@pytest.fixture(scope="module")
def test_feeds(tmp_path_factory):
    """The folder of feedparser's own test feeds."""
    folder = tmp_path_factory.mktemp("feedparser")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary"]
    done = subprocess.run(
        [*command, ":all:", f"feedparser=={feedparser.__version__}", "--dest", folder],
        capture_output=True,
        text=True,
        check=False,
    )
    found = next(iter(folder.glob("*.tar.gz")), None)
    if found is None:
        pytest.skip(f"feedparser's source distribution cannot be had: {done.stderr[-200:]}")
    with tarfile.open(found) as archive:
        archive.extractall(folder, filter="data")
    return next(folder.glob("feedparser-*/tests"))


def read_headers(body: bytes) -> dict[str, str]:
    """The headers that a test feed names in its first comment."""
    found = re.findall(rb"^Header:\s*([\w-]+):(.*)$", body, re.MULTILINE)
    return {name.decode().lower(): value.decode().strip() for name, value in found}


@pytest.mark.slow
def test_its_well_formed_feeds(test_feeds):
    """At least 99 % are read alike, and the others are known."""
    folder = test_feeds / "wellformed"
    paths = sorted(folder.rglob("*.xml"))
    assert len(paths) > 1_000
    differing = {}
    for path in paths:
        body = path.read_bytes()
        if found := compare(body, read_headers(body)):
            differing[path.relative_to(folder).as_posix()] = found
    assert len(differing) / len(paths) < 0.01, differing
    assert differing.keys() <= KNOWN, {name: differing[name] for name in differing.keys() - KNOWN}


@pytest.mark.slow
def test_its_ill_formed_feeds(test_feeds):
    """None makes us fail, and all are read alike but those whose encoding must be guessed."""
    folder = test_feeds / "illformed"
    paths = sorted(folder.rglob("*.xml"))
    assert len(paths) > 10
    bodies = {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
    differing = {name for name, body in bodies.items() if compare(body, read_headers(body))}
    assert differing <= UNDECLARED
