"""The decisions about signing in."""

from urllib.parse import urljoin, urlsplit

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from newsintel.domain.accounts.model import Identity
from newsintel.domain.accounts.sign_in import HOME, check_invited, check_return, local_path, new_attempt
from newsintel.errors import DeniedError, InvalidParameterError

COOKIE = "c" * 43


@pytest.mark.parametrize("wanted", ["/", "/me/saved?q=a%20b&limit=5", "/articles?q=%22a%22", "/a//b", "/a:b@c"])
def test_asvs_10_a_path_of_ours_is_followed(wanted):
    """As it is."""
    assert local_path(wanted) == wanted


@pytest.mark.parametrize(
    "wanted",
    [
        *(None, "", "me", "//evil.example", "/\\evil.example", "\\/evil.example", "https://evil.example", "javascript:alert(1)"),
        *("/a\r\nSet-Cookie: a=b", "/a\nb", "/\t/evil.example", "/a b", "/é", " /a", "/a\\b", "/" + "a" * 2000, "///evil.example"),
    ],
)
def test_asvs_10_anything_else_leads_home(wanted):
    """Where a browser would go to another host, or a header would be two."""
    assert local_path(wanted) == HOME


@given(st.text())
def test_asvs_10_wherever_it_leads_is_here(wanted):
    """As browsers join it to our own address."""
    joined = urlsplit(urljoin("https://news.example.org/auth", local_path(wanted)))
    assert (joined.scheme, joined.netloc) == ("https", "news.example.org")


def test_asvs_01_an_attempt_holds_nothing_that_can_be_foreseen():
    """Three values of 256 bits, none of them twice, and of the cookie only a digest."""
    attempts = [new_attempt("reddit", COOKIE, "/me") for _ in range(50)]
    values = [value for attempt in attempts for value in (attempt.state, attempt.verifier, attempt.nonce)]
    assert len(set(values)) == 150
    assert {len(value) for value in values} == {43}
    assert COOKIE not in str(attempts[0])
    assert not any(value in repr(attempts[0]) for value in values)


def test_asvs_01_the_browser_that_left_comes_back():
    """With its state, its cookie, by the same provider's address."""
    attempt = new_attempt("reddit", COOKIE, "/me")
    assert check_return(attempt, "reddit", attempt.state, COOKIE) is attempt


def test_asvs_01_anybody_else_does_not():
    """Each of the three is enough to refuse; and so is an attempt that was taken already."""
    attempt = new_attempt("reddit", COOKIE, "/me")
    returns = [
        (None, "reddit", attempt.state, COOKIE),
        (attempt, "reddit", "x" * 43, COOKIE),
        (attempt, "reddit", attempt.state, "x" * 43),
        (attempt, "reddit", attempt.state, None),
        (attempt, "oidc", attempt.state, COOKIE),
        (evolve(attempt, state="é"), "reddit", attempt.state, COOKIE),
    ]
    for given_ in returns:
        with pytest.raises(InvalidParameterError) as error:
            check_return(*given_)
        assert error.value.field == "state"
        assert "Start it again" in error.value.message


ALICE = Identity("reddit", "1", "Alice", ("reddit:alice",))


@pytest.mark.parametrize("guests", [("anyone",), ("reddit:alice",), ("oidc:a@b.org", "reddit:alice")])
def test_the_invited_are_let_in(guests):
    """By provider and name, in any case."""
    check_invited(ALICE, guests)


@pytest.mark.parametrize("guests", [("off",), ("reddit:bob",), ("oidc:alice",), ()])
def test_nobody_else_is(guests):
    """Whatever their provider says."""
    with pytest.raises(DeniedError) as error:
        check_invited(ALICE, guests)
    assert error.value.code == "not_invited"
