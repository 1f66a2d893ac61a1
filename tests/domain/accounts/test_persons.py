"""Persons that are derived from addresses."""

from datetime import timedelta

import pytest

from newsintel.config.values import Secret
from newsintel.domain.accounts.persons import (
    MAX_CACHED_CHARS,
    UNKNOWN_PERSON,
    Persons,
    network_of,
    parse_address,
)
from tests.make import NOON


def persons() -> Persons:
    """Persons under a key of this test."""
    return Persons([Secret("A" * 43)])


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("10.0.0.1:80", "10.0.0.1"),
        ("[2001:db8::1]:80", "2001:db8::/64"),
        ("2001:db8::ffff%eth0", "2001:db8::/64"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
    ],
)
def test_a_port_and_a_zone_are_no_part_of_an_address(address, network):
    """An IPv4-mapped address counts as its IPv4 address, and an IPv6 /64 as one."""
    assert network_of(address) == network


@pytest.mark.parametrize("address", ["", "x", "10.0.0.1:80:90", "[::g]", "1.2.3"])
def test_what_is_no_address_is_none(address):
    """All such callers are one person, so nobody gets more by an invalid address."""
    assert parse_address(address) is None
    assert network_of(address) == UNKNOWN_PERSON
    assert persons().derive_person(address, NOON) == persons().derive_person("unknown", NOON)


def test_a_person_is_the_same_for_a_day():
    """The second call finds it in the cache, but a very long address is not cached."""
    found, long = persons(), "x" * (MAX_CACHED_CHARS + 1)
    for address in ("10.0.0.1", long):
        first = found.derive_person(address, NOON)
        assert found.derive_person(address, NOON) == first
        assert found.derive_person(address, NOON + timedelta(days=1)) != first
