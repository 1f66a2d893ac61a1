"""docs/architecture.md names only files that exist, and it names every room."""

import re
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
