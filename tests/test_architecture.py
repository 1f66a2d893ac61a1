"""docs/architecture.md names only files that exist, and every room; two rules about all code."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
LINKS = re.findall(r"\]\((\.\./[^)#]+)", PAGE)
FILES = re.findall(
    r"`((?:actors|commands|config|demo|domain|http|outbound|runtime|storage)/[\w/]+\.py)`", PAGE
)


@pytest.mark.parametrize("link", sorted(set(LINKS)))
def test_every_link_names_an_existing_path(link):
    """Each link of the page names a file or folder of the tree."""
    assert (ROOT / "docs" / link).exists()


@pytest.mark.parametrize("name", sorted(set(FILES)))
def test_every_named_file_exists(name):
    """Each name is a path within the package."""
    assert (ROOT / "newsintel" / name).is_file()


def test_every_room_is_listed():
    """A new folder must be added to the table."""
    rooms = {
        path.name
        for path in (ROOT / "newsintel").iterdir()
        if path.is_dir() and (path / "__init__.py").is_file()
    }
    assert {Path(link).name for link in LINKS if re.fullmatch(r"\.\./newsintel/\w+", link)} == rooms


CONNECTING = {
    *("httpx", "httpcore", "urllib.request", "http.client", "smtplib", "ftplib"),
    *("open_tcp_stream", "open_ssl_over_tcp_stream", "create_connection"),
}
"""Modules and functions that connect to an address that they are given."""


@cache
def names_in(path):
    """Every module that a file imports, and every name and attribute in it."""
    return set(list_names(ast.parse(path.read_text(encoding="utf-8"))))


def list_names(tree):
    """Yield them, some several times."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
            yield from (f"{node.module}.{one.name}" for one in node.names)
            yield from (one.name for one in node.names)
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.Name):
            yield node.id


def test_asvs_11_only_outbound_asks_other_servers():
    """So no other code fetches an address, such as an article's: outbound has those of settings."""
    package = ROOT / "newsintel"
    asking = {
        path.relative_to(package).parts[0]
        for path in package.rglob("*.py")
        if CONNECTING & names_in(path)
    }
    assert asking == {"outbound"}


def test_asvs_20_only_the_reader_of_feeds_parses_xml():
    """It has limits of its own; the standard library expands entities. Writing XML is harmless."""
    reading = {"fromstring", "XMLParser", "iterparse", "make_parser", "parseString", "expat"}
    readers = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "newsintel").rglob("*.py")
        if any(name.startswith("xml.") for name in names_in(path)) and reading & names_in(path)
    }
    assert readers == {"newsintel/outbound/sources/feeds/tree.py"}
