"""The client address of a request, and the person of an anonymous caller."""

from datetime import timedelta
from ipaddress import ip_network

import pytest

from newsintel.config.values import Secret
from newsintel.domain.accounts.persons import MAX_CACHED, Persons, network_of
from newsintel.http.request.client_address import find_client_address
from tests.http.world import NOW

TRUSTED = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))


def scope(peer, *forwarded):
    """Return the scope of a request from this peer, with these X-Forwarded-For lines."""
    headers = [(b"x-forwarded-for", line.encode("latin-1")) for line in forwarded]
    return {
        "type": "http",
        "client": (peer, 1234) if peer else None,
        "headers": headers,
        "state": {},
    }


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("203.0.113.9", (), "203.0.113.9"),
        ("203.0.113.9", ("198.51.100.1",), "203.0.113.9"),
        ("10.0.0.1", (), "10.0.0.1"),
        ("10.0.0.1", ("198.51.100.1",), "198.51.100.1"),
        ("10.0.0.1", ("6.6.6.6, 198.51.100.1",), "198.51.100.1"),
        ("10.0.0.1", ("6.6.6.6, 198.51.100.1, 10.0.0.7",), "198.51.100.1"),
        ("10.0.0.1", ("6.6.6.6", "198.51.100.1"), "198.51.100.1"),
        ("10.0.0.1", ("10.0.0.3, 10.0.0.2",), "10.0.0.3"),
        ("10.0.0.1", ("198.51.100.1, garbage",), "10.0.0.1"),
        ("10.0.0.1", ("198.51.100.1, é, 10.0.0.5",), "10.0.0.5"),
        ("fd00::1", ("[2001:db8::1]:443",), "[2001:db8::1]:443"),
        (None, ("198.51.100.1",), "unknown"),
    ],
)
def test_asvs_22_only_a_trusted_proxy_can_name_the_client(peer, forwarded, client):
    """The rightmost entry that is not a trusted proxy counts.

    A client can write entries further left, so they never count.
    """
    assert find_client_address(scope(peer, *forwarded), TRUSTED) == client


def test_without_trusted_proxies_the_header_is_ignored():
    """The peer is the client."""
    assert find_client_address(scope("10.0.0.1", "198.51.100.1"), ()) == "10.0.0.1"


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("198.51.100.1", "198.51.100.1"),
        ("198.51.100.1:8080", "198.51.100.1"),
        ("::ffff:198.51.100.1", "198.51.100.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2::9]:443", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unknown", "unknown"),
        ("", "unknown"),
    ],
)
def test_a_person_is_an_ipv4_address_or_an_ipv6_64(address, network):
    """The spelling of the address does not matter."""
    assert network_of(address) == network


def test_a_person_changes_with_the_day_and_the_key():
    """Within a day it is the same in every process with the same first key."""
    persons = Persons([Secret("A" * 43)])
    today = persons.derive_person("198.51.100.1", NOW)
    assert (
        today
        == persons.derive_person("198.51.100.1", NOW + timedelta(hours=11))
        == Persons([Secret("A" * 43)]).derive_person("198.51.100.1", NOW)
    )
    assert len(today) == 32
    assert "198" not in today
    others = {
        persons.derive_person("198.51.100.1", NOW + timedelta(days=1)),
        persons.derive_person("198.51.100.2", NOW),
        Persons([Secret("B" * 43)]).derive_person("198.51.100.1", NOW),
    }
    assert len(others) == 3
    assert today not in others


def test_memory_of_persons_is_bounded():
    """An address that drops out of the memory keeps its person."""
    persons = Persons([Secret("A" * 43)])
    first = persons.derive_person("10.0.0.0", NOW)
    for number in range(MAX_CACHED + 10):
        persons.derive_person(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", NOW)
    assert len(persons._known) <= MAX_CACHED
    assert persons.derive_person("10.0.0.0", NOW) == first
