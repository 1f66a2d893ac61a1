"""The decisions about signing in."""

from urllib.parse import urljoin, urlsplit

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from newsintel.domain.accounts.model import Identity
from newsintel.domain.accounts.sign_in import (
    HOME_PATH,
    check_invited,
    check_return,
    choose_return_path,
    create_attempt,
)
from newsintel.errors import DeniedError, InvalidParameterError

COOKIE = "c" * 43


@pytest.mark.parametrize(
    "wanted", ["/", "/me/saved?q=a%20b&limit=5", "/articles?q=%22a%22", "/a//b", "/a:b@c"]
)
def test_asvs_10_a_local_path_is_kept(wanted):
    """Unchanged."""
    assert choose_return_path(wanted) == wanted


@pytest.mark.parametrize(
    "wanted",
    [
        None,
        "",
        "me",
        "//evil.example",
        "/\\evil.example",
        "\\/evil.example",
        "https://evil.example",
        "javascript:alert(1)",
        "/a\r\nSet-Cookie: a=b",
        "/a\nb",
        "/\t/evil.example",
        "/a b",
        "/é",
        " /a",
        "/a\\b",
        "/" + "a" * 2000,
        "///evil.example",
    ],
)
def test_asvs_10_any_other_target_becomes_the_home_page(wanted):
    """Among them are targets that lead to another host or would split a header."""
    assert choose_return_path(wanted) == HOME_PATH


@given(st.text())
def test_asvs_10_any_target_stays_on_our_host(wanted):
    """After it is joined to our address, as a browser does it."""
    joined = urlsplit(urljoin("https://news.example.org/auth", choose_return_path(wanted)))
    assert (joined.scheme, joined.netloc) == ("https", "news.example.org")


def test_asvs_01_an_attempt_holds_only_random_values():
    """Three different values of 256 bits, and only a digest of the cookie."""
    attempts = [create_attempt("reddit", COOKIE, "/me") for _ in range(50)]
    values = [
        value for attempt in attempts for value in (attempt.state, attempt.verifier, attempt.nonce)
    ]
    assert len(set(values)) == 150
    assert {len(value) for value in values} == {43}
    assert COOKIE not in str(attempts[0])
    assert not any(value in repr(attempts[0]) for value in values)


def test_asvs_01_the_same_browser_may_return():
    """With its state and its cookie, at the callback of the same provider."""
    attempt = create_attempt("reddit", COOKIE, "/me")
    assert check_return(attempt, "reddit", attempt.state, COOKIE) is attempt


def test_asvs_01_any_other_return_is_refused():
    """Each of the three alone is a reason. So is an attempt that was already used."""
    attempt = create_attempt("reddit", COOKIE, "/me")
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


@pytest.mark.parametrize(
    "guests", [("anyone",), ("reddit:alice",), ("oidc:a@b.org", "reddit:alice")]
)
def test_invited_people_are_admitted(guests):
    """By provider and name. The case does not matter."""
    check_invited(ALICE, guests)


@pytest.mark.parametrize("guests", [("off",), ("reddit:bob",), ("oidc:alice",), ()])
def test_other_people_are_refused(guests):
    """Also if their provider accepted them."""
    with pytest.raises(DeniedError) as error:
        check_invited(ALICE, guests)
    assert error.value.code == "not_invited"
