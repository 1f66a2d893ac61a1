"""Identities from a provider's claims: names to show, entries to invite by, and two sources."""

import pytest

from newsintel.errors import SignInUnavailableError
from newsintel.outbound.oauth.identity import identity_of, lacks_names, with_userinfo
from tests.steps import ALLOWED, LONGEST_MS, longest_slice

WHO = {"iss": "https://op.example", "sub": "s"}


@pytest.mark.parametrize(
    ("claims", "username", "invited"),
    [
        ({"email": "a@b.org", "email_verified": False}, "s", ("oidc:s",)),
        ({"email": "a@b.org"}, "s", ("oidc:s",)),
        ({"email": "a@b.org", "email_verified": "false"}, "s", ("oidc:s",)),
        ({"email": "a@b.org", "email_verified": 1}, "s", ("oidc:s",)),
        ({"email": "a@b.org", "email_verified": True}, "a@b.org", ("oidc:s", "oidc:a@b.org")),
        ({"email": "A@b.org", "email_verified": "true"}, "A@b.org", ("oidc:s", "oidc:a@b.org")),
        ({"email": "a@b.org", "email_verified": "True"}, "a@b.org", ("oidc:s", "oidc:a@b.org")),
        ({"email": "\u212a@b.org", "email_verified": True}, "\u212a@b.org", ("oidc:s",)),
        (
            {"email": "a\u200b@b.org", "email_verified": True},
            "a@b.org",
            ("oidc:s", "oidc:a\u200b@b.org"),
        ),
        (
            {"email": "jürgen@b.org", "email_verified": True},
            "jürgen@b.org",
            ("oidc:s", "oidc:jürgen@b.org"),
        ),
        ({"email": ["a@b.org"], "email_verified": True}, "s", ("oidc:s",)),
        ({"preferred_username": "\u202ealice\x00 "}, "alice", ("oidc:s",)),
        ({"preferred_username": 7, "name": "Alice A"}, "Alice A", ("oidc:s",)),
        ({"preferred_username": "x" * 999}, "x" * 200, ("oidc:s",)),
    ],
)
def test_identity_has_a_name_and_invited_entries(claims, username, invited):
    """An address counts only if the provider has verified it.

    Lower case must not turn it into another address. Otherwise a person could use the address of
    another.
    """
    identity = identity_of(WHO | claims)
    assert (identity.provider, identity.username, identity.invited_as) == (
        "https://op.example",
        username,
        invited,
    )


@pytest.mark.parametrize(
    ("claims", "invited"),
    [
        ({"sub": "bob@example.com"}, ()),
        ({"sub": "BOB@EXAMPLE.COM"}, ()),
        ({"sub": "bob@example.com", "email": "bob@example.com", "email_verified": False}, ()),
        (
            {"sub": "x@y", "email": "Bob@example.com", "email_verified": True},
            ("oidc:bob@example.com",),
        ),
        ({"sub": "AbC"}, ("oidc:AbC",)),
        ({"sub": "\u212a"}, ("oidc:\u212a",)),
        ({"sub": "s", "email": "AbC", "email_verified": True}, ("oidc:s",)),
        ({"sub": "s", "email": "a@" + "b" * 1_000_000, "email_verified": True}, ("oidc:s",)),
    ],
)
def test_subject_and_address_are_never_confused(claims, invited):
    """At some providers, people choose their subject or an unverified address.

    They must not match the entry of an invited person.
    """
    assert identity_of(WHO | claims).invited_as == invited


@pytest.mark.parametrize("name", ["preferred_username", "name", "email"])
@pytest.mark.parametrize("value", ["a" * 1_900_000, "\u200b" * 1_900_000, "\U0001f600" * 400_000])
def test_long_name_is_cut_before_it_is_cleaned(name, value):
    """The size of a provider's claims does not matter."""

    def told():
        claims = with_userinfo(WHO, {"sub": "s", name: value, "email_verified": True})
        yield
        lacks_names(claims)
        return identity_of(claims)

    ms, identity = longest_slice(told)
    assert ms < ALLOWED * LONGEST_MS
    assert len(identity.username) <= 200


def test_address_of_any_tenant_invites_nobody():
    """An attacker's own tenant can claim that any address is verified.

    The subject comes from the provider.
    """
    identity = identity_of(WHO | {"email": "a@b.org", "email_verified": True}, any_tenant=True)
    assert identity.invited_as == ("oidc:s",)


@pytest.mark.parametrize("subject", ["", "x" * 256, 7, None, "a\nb"])
def test_invalid_subject_is_refused(subject):
    """Such a subject identifies nobody."""
    with pytest.raises(SignInUnavailableError):
        identity_of(WHO | {"sub": subject})


@pytest.mark.parametrize(
    ("claims", "lacking"),
    [
        ({}, True),
        ({"email": "a@b.org"}, True),
        ({"name": "A"}, True),
        ({"name": " ", "email": "a@b.org"}, True),
        ({"name": "A", "email": "a@b.org"}, False),
        ({"preferred_username": "a", "email": "a@b.org"}, False),
    ],
)
def test_userinfo_is_requested_for_a_missing_name_or_address(claims, lacking):
    """The ID token may lack one of them or both."""
    assert lacks_names(WHO | claims) == lacking


def test_userinfo_adds_only_missing_claims():
    """The signed claims take precedence; other claims of userinfo are ignored."""
    said = {
        "sub": "s",
        "iss": "https://evil.example",
        "preferred_username": "mallory",
        "name": "Alice",
        "email": "a@b.org",
        "email_verified": True,
    }
    merged = with_userinfo(WHO | {"preferred_username": "alice", "email_verified": False}, said)
    assert merged == WHO | {
        "preferred_username": "alice",
        "name": "Alice",
        "email": "a@b.org",
        "email_verified": True,
    }


def test_an_address_and_its_verification_stay_together():
    """The verification of one address must not apply to another."""
    signed = WHO | {"email": "victim@b.org"}
    assert (
        with_userinfo(signed, {"sub": "s", "email": "own@b.org", "email_verified": True}) == signed
    )
    verified = WHO | {"email_verified": True}
    assert with_userinfo(verified, {"sub": "s", "email": "victim@b.org"}) == verified | {
        "email": "victim@b.org",
        "email_verified": None,
    }


@pytest.mark.parametrize("subject", ["t", None, "S", 7, ["s"]])
def test_userinfo_of_another_subject_is_refused(subject):
    """OpenID Connect Core 1.0, 5.3.2."""
    with pytest.raises(ValueError, match="somebody else"):
        with_userinfo(WHO, {"sub": subject, "name": "x"})
