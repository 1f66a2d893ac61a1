"""What a client would rather have; werkzeug's reader of Accept is the judge of what is within bounds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MIMEAccept
from werkzeug.http import parse_accept_header

from newsintel.http.request.accepting import LONGEST, prefers

JSON = ("application/json", "application/problem+json")

BROWSERS = [
    "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7",
    "TEXT/HTML, */*;q=0.1",
    "text/*;q=0.5, application/*;q=0.4",
]
PROGRAMS = ["", "*/*", "application/json", "text/html;q=0.5, application/json", "text/html, application/problem+json", "text/html;q=0, */*"]


@pytest.mark.parametrize("accept", BROWSERS)
def test_browsers_prefer_pages(accept):
    """As Firefox and Chromium write it, among others."""
    assert prefers(accept, "text/html", *JSON)


@pytest.mark.parametrize("accept", PROGRAMS)
def test_programs_do_not(accept):
    """Whatever can be either stays JSON."""
    assert not prefers(accept, "text/html", *JSON)


@pytest.mark.parametrize(
    "accept", ["text/html;q=", "text/html;q=x", "text/html;q=nan", "text/html;q=-1", ";;,,;q", "q", "text/html;level=1"]
)
def test_what_cannot_be_read_asks_for_nothing(accept):
    """Nor is it an error."""
    assert not prefers(accept, "text/html", *JSON)


def test_what_is_too_long_asks_for_nothing():
    """It is not even looked at."""
    accept = "text/html".ljust(LONGEST)
    assert prefers(accept, "text/html", *JSON)
    assert not prefers(accept + " ", "text/html", *JSON)


RANGES = ["text/html", "text/*", "*/*", "application/json", "application/problem+json", "application/*", "image/png"]
WEIGHTS = st.sampled_from(["", ";q=1", ";q=1.000", "; q=0.5", " ;q=0.25", ";q=0", ";q=0.001"])


@given(
    st.lists(st.tuples(st.sampled_from(RANGES), WEIGHTS), unique_by=lambda one: one[0]).map(lambda some: ", ".join(a + b for a, b in some))
)
def test_as_werkzeug_has_it(accept):
    """Each range once, in any order and weight."""
    accepted = parse_accept_header(accept, MIMEAccept)
    assert prefers(accept, "text/html", *JSON) == (accepted["text/html"] > max(accepted[one] for one in JSON))
