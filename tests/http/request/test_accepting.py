"""Content negotiation. Within the length limit, werkzeug's reader of Accept is the oracle."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MIMEAccept
from werkzeug.http import parse_accept_header

from newsintel.http.request.accepting import MAX_ACCEPT_CHARS, is_preferred

JSON = ("application/json", "application/problem+json")

BROWSERS = [
    "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7",
    "TEXT/HTML, */*;q=0.1",
    "text/*;q=0.5, application/*;q=0.4",
]
PROGRAMS = [
    "",
    "*/*",
    "application/json",
    "text/html;q=0.5, application/json",
    "text/html, application/problem+json",
    "text/html;q=0, */*",
]


@pytest.mark.parametrize("accept", BROWSERS)
def test_browsers_prefer_pages(accept):
    """These are the Accept headers of Firefox, Chromium and others."""
    assert is_preferred(accept, "text/html", *JSON)


@pytest.mark.parametrize("accept", PROGRAMS)
def test_programs_get_json(accept):
    """A client that accepts both gets JSON."""
    assert not is_preferred(accept, "text/html", *JSON)


@pytest.mark.parametrize(
    "accept",
    [
        "text/html;q=",
        "text/html;q=x",
        "text/html;q=nan",
        "text/html;q=-1",
        ";;,,;q",
        "q",
        "text/html;level=1",
    ],
)
def test_an_unreadable_accept_header_prefers_nothing(accept):
    """It is not an error."""
    assert not is_preferred(accept, "text/html", *JSON)


def test_an_accept_header_over_the_limit_prefers_nothing():
    """The service does not read it."""
    accept = "text/html".ljust(MAX_ACCEPT_CHARS)
    assert is_preferred(accept, "text/html", *JSON)
    assert not is_preferred(accept + " ", "text/html", *JSON)


RANGES = [
    "text/html",
    "text/*",
    "*/*",
    "application/json",
    "application/problem+json",
    "application/*",
    "image/png",
]
WEIGHTS = st.sampled_from(["", ";q=1", ";q=1.000", "; q=0.5", " ;q=0.25", ";q=0", ";q=0.001"])


@given(
    st.lists(st.tuples(st.sampled_from(RANGES), WEIGHTS), unique_by=lambda one: one[0]).map(
        lambda some: ", ".join(a + b for a, b in some)
    )
)
def test_preference_agrees_with_werkzeug(accept):
    """Each range occurs once, in any order and with any weight."""
    accepted = parse_accept_header(accept, MIMEAccept)
    assert is_preferred(accept, "text/html", *JSON) == (
        accepted["text/html"] > max(accepted[one] for one in JSON)
    )
