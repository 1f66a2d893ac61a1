"""The files of the pages: their size, and that no comment or indentation is sent."""

from newsintel.http.pages.assets import ASSETS
from newsintel.http.response.packing import pack

SCRIPT_BYTES, STYLE_BYTES = 12_000, 8_000


def test_scripts_and_style_keep_their_budgets():
    """12 KB of script and 8 KB of style are transferred at most."""
    packed = {name: len(pack(asset.body)) for name, asset in ASSETS.items()}
    assert sum(size for name, size in packed.items() if name.endswith(".js")) <= SCRIPT_BYTES
    assert packed["page.css"] <= STYLE_BYTES


def test_a_file_is_sent_without_its_comments():
    """And without its indentation."""
    for asset in ASSETS.values():
        assert not any(line.startswith((b" ", b"//", b"/*")) for line in asset.body.splitlines())


def test_an_address_changes_with_the_content():
    """It has twelve digits of a digest."""
    assert len({asset.path for asset in ASSETS.values()}) == len(ASSETS)
    assert all(len(asset.path.split(".")[-2]) == 12 for asset in ASSETS.values())
