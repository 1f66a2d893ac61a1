"""What a log shows of paths that hold a secret."""

import time
from urllib.parse import quote

import pytest

from newsintel.http.paths import SECRET_PREFIXES, hide_secret_address

TOKEN = "rzylE_EtGBweWnhJ2tT3rva22Onr_pL60wfFyxPHRxw"
CUTS = (TOKEN, TOKEN[:20], TOKEN[:-1], TOKEN + "x", TOKEN + "=", TOKEN.lower(), TOKEN.upper())


def encode(text: str) -> str:
    """Percent-encode every character."""
    return "".join(f"%{ord(letter):02x}" for letter in text)


def spell(prefix: str, token: str) -> list[str]:
    """Return the spellings of an address that mail programs, readers and people make of it."""
    plain = f"{prefix}7/{token}"
    return [
        plain,
        prefix + token,
        plain + "/",
        f"/news{plain}",
        f"/{plain}",
        plain.replace("/", "//"),
        plain.replace("/", "\\"),
        plain.upper(),
        plain.title(),
        encode(plain),
        f"{prefix}{encode(token)}",
        quote(plain, safe=""),
        quote(encode(plain)),
        quote(quote(encode(plain))),
        f"/{encode(plain[1:])}",
    ]


@pytest.mark.parametrize("prefix", SECRET_PREFIXES)
@pytest.mark.parametrize("token", CUTS)
def test_no_spelling_shows_a_secret(prefix, token):
    """Nothing behind the prefix is left, not even a part."""
    for path in spell(prefix, token):
        shown = hide_secret_address(path)
        assert shown.endswith(f"{prefix}***"), path
        assert token[:6].lower() not in shown.lower()


@pytest.mark.parametrize(
    "path",
    [
        *("/", "/articles", "/feeds.opml", "/me/feeds", "/feed/x", "/a%0Ab", "/confirm", "/%zz"),
        *("/confirmed/7", "/unsubscribe", "/me/searches/w_1/test", "/%25%25", "/articles/%66eeds"),
    ],
)
def test_other_paths_are_shown_as_they_came(path):
    """Percent-encoded, so that they cannot forge a line."""
    assert hide_secret_address(path) == path


def test_a_folder_before_the_prefix_is_shown():
    """A proxy may have put the service under one."""
    assert hide_secret_address("/news/feeds/abc") == "/news/feeds/***"


@pytest.mark.parametrize("slash", ["/", "\\", "/\\", "%2F", "%252f", "/%5C"])
def test_a_row_of_slashes_is_read_once(slash):
    """Less than five seconds; in time that grows with the square it would take a minute.

    The row is three times as long as a path may be: one of those blocked all requests for seconds.
    """
    row = "/" + slash * 50_000
    begun = time.process_time()
    assert hide_secret_address(row) == row
    assert hide_secret_address(f"{row}feeds/abc") == "/feeds/***"
    assert time.process_time() - begun < 5
