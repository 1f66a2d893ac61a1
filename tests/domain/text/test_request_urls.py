"""Which addresses the service may call. tests/outbound has those that feeds and alerts refuse."""

from urllib.parse import unquote

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsintel.domain.text.request_urls import (
    MAX_ADDRESS,
    find_url_fault,
    hide_query,
    to_ascii_url,
)


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("https://receiver.example/hook", None),
        ("HTTP://receiver.example:8080", None),
        ("http://[::1", "not an address"),
        ("http://x.example:99999/", "not an address"),
        ("http://", "not an address"),
        ("http://" + "x" * 254, "not an address"),
        ("https://x.example/" + "x" * 2048, "not an address"),
        ("https://x.example/" + "x" * 2030, None),
        ("https://x.example/\u00e9", "not an address"),
        ("https://x.example/a b", "not an address"),
        ("https://x.example/\x00", "not an address"),
        ("file:///etc/passwd", "neither http nor https"),
        ("https://me@x.example/", "an address with a password"),
    ],
)
def test_only_web_addresses_without_a_password(url, fault):
    """Each other one has its reason."""
    assert find_url_fault(url) == fault


@given(st.text(max_size=80))
def test_no_text_crashes_the_check(text):
    """Alone, and behind a scheme."""
    find_url_fault(text)
    find_url_fault(f"https://{text}")
    to_ascii_url(text)


@pytest.mark.parametrize(
    ("written", "ascii_url"),
    [
        (" https://x.example/%c3%a9?a=[b]|c\n", "https://x.example/%c3%a9?a=[b]|c"),
        ("HTTP://127.0.0.1:8080/a b", "HTTP://127.0.0.1:8080/a%20b"),
        ("http://[::1]/\u00e9", "http://[::1]/%C3%A9"),
        ("https://b\u00fccher.example:81/\u65b0\u805e?q=\u0436#\u00e9",
         "https://xn--bcher-kva.example:81/%E6%96%B0%E8%81%9E?q=%D0%B6#%C3%A9"),
        ("https://\u4f8b\u3048.\u30c6\u30b9\u30c8/", "https://xn--r8jz45g.xn--zckzah/"),
        ("https://x.example/\U0001f600", "https://x.example/%F0%9F%98%80"),
        ("https://x.example/" + "\u65b0" * 1_990, None),
        ("https://x.example/" + "x" * MAX_ADDRESS, None),
        ("https://" + "\u00e9" * 600 + "/", None),
        ("https://\u00e9@x.example/", None),
        ("https://x.example/\ud800", None),
        ("\u00e9://x.example/", None),
    ],
)  # fmt: skip
def test_addresses_in_ascii(written, ascii_url):
    """As RFC 3987 and UTS #46 map them; what is right stays as it is."""
    assert to_ascii_url(written) == ascii_url


@given(st.text(st.characters(categories=("L", "N", "S")), min_size=1, max_size=40))
def test_httpx_agrees_about_the_path(path):
    """It escapes the same text."""
    ours = to_ascii_url(f"https://x.example/{path}")
    assert ours is not None
    assert ours.isascii()
    assert unquote(ours) == unquote(str(httpx.URL(f"https://x.example/{path}")))


@pytest.mark.parametrize("host", ["b\u00fccher.example", "\u4f8b\u3048.\u30c6\u30b9\u30c8",
                                  "\u043f\u0440\u0438\u043c\u0435\u0440.\u0440\u0444"])  # fmt: skip
def test_httpx_agrees_about_the_host(host):
    """It encodes it for DNS."""
    ours = to_ascii_url(f"https://{host}/")
    assert ours is not None
    assert ours == f"https://{httpx.URL(f'https://{host}/').raw_host.decode()}/"


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://x.example/feed", "https://x.example/feed"),
        ("https://x.example/feed?token=a?b#c", "https://x.example/feed?***"),
        ("https://x.example?", "https://x.example?***"),
    ],
)
def test_a_query_is_hidden(address, shown):
    """The rest tells which feed it is."""
    assert hide_query(address) == shown
