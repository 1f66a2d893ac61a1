"""Content negotiation. Within the length limit, werkzeug's reader of Accept is the oracle."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import Accept, MIMEAccept
from werkzeug.http import parse_accept_header

from newsintel.http.request.accepting import MAX_ACCEPT_CHARS, accepts_gzip, is_preferred

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


CODINGS = {
    "gzip, deflate, br, zstd": True,
    "br;q=1.0, GZIP;q=0.8, *;q=0.1": True,
    "gzip;q=0.001": True,
    "gzip ; q=0.5 , identity;q=0.5": True,
    "identity;q=0, gzip": True,
    "gzip;q=0": False,
    "gzip;q=0.000, *": False,
    "gzip; Q=0": False,
    "gzip;q=0.5, identity": False,
    "": False,
    "identity": False,
    "identity;q=0": False,
    "*": False,
    "*;q=0": False,
    "x-gzip": False,
    "gzipped, notgzip": False,
    "gzip;q=x": False,
    "gzip;q=-1": False,
    "gzip;level=9": False,
    '"gzip"': False,
    "gzip".ljust(MAX_ACCEPT_CHARS + 1): False,
}
"""Accept-Encoding, and whether to compress. What is in doubt leaves as it is: all can read that."""


@pytest.mark.parametrize(("codings", "wanted"), CODINGS.items())
def test_only_who_names_gzip_gets_it(codings, wanted):
    """A client that cannot read it must not get it; one that wants it less does not either."""
    assert accepts_gzip([(b"accept-encoding", codings.encode())]) is wanted


def test_lines_of_codings_are_one_list():
    """A header may be repeated (RFC 9110, 5.3). Other headers do not count."""
    lines = [(b"accept-encoding", b"br"), (b"accept", b"gzip"), (b"accept-encoding", b"gzip;q=0")]
    assert not accepts_gzip(lines)
    assert accepts_gzip([*lines[:2], (b"accept-encoding", b"gzip;q=0.1")])


coding = st.sampled_from(["gzip", "GZip", "br", "identity", "*", "x-gzip", "deflate", ""])
quality = st.sampled_from(["", ";q=0", ";q=0.5", "; q=1", ";Q=0.2", " ;q=0.9", ";q=-1"])


@given(st.lists(st.tuples(coding, quality), max_size=5))
def test_gzip_is_never_sent_to_who_refuses_it_by_werkzeug(ranges):
    """Werkzeug's reader must accept it too, at least as much as an answer without coding."""
    codings = ",".join(name + weight for name, weight in ranges)
    if accepts_gzip([(b"accept-encoding", codings.encode())]):
        read = parse_accept_header(codings, Accept)
        assert read.quality("gzip") > 0
        if "identity" in codings:
            assert read.best_match(["gzip", "identity"]) == "gzip"
