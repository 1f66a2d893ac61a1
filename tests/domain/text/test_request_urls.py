"""Which addresses the service may call. tests/outbound has those that feeds and alerts refuse."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsintel.domain.text.request_urls import find_url_fault


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
