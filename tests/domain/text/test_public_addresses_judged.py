"""Public addresses, judged by netaddr, which has IANA's registries from their own files."""

import ipaddress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from netaddr import IPAddress

from newsintel.domain.text.public_addresses import is_public

REGISTRY = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.0.0/29",
    "192.0.0.8/32",
    "192.0.0.9/32",
    "192.0.0.10/32",
    "192.0.0.170/32",
    "192.0.0.171/32",
    "192.0.2.0/24",
    "192.31.196.0/24",
    "192.52.193.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "192.175.48.0/24",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "240.0.0.0/4",
    "255.255.255.255/32",
    "::1/128",
    "::/128",
    "::ffff:0:0/96",
    "64:ff9b::/96",
    "64:ff9b:1::/48",
    "100::/64",
    "100:0:0:1::/64",
    "2001::/23",
    "2001::/32",
    "2001:1::1/128",
    "2001:1::2/128",
    "2001:1::3/128",
    "2001:2::/48",
    "2001:3::/32",
    "2001:4:112::/48",
    "2001:10::/28",
    "2001:20::/28",
    "2001:30::/28",
    "2001:db8::/32",
    "2002::/16",
    "2620:4f:8000::/48",
    "3fff::/20",
    "5f00::/16",
    "fc00::/7",
    "fe80::/10",
]
"""The blocks of IANA's IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890), in order."""

REACHABLE = [
    "192.0.0.9/32",
    "192.0.0.10/32",
    "192.31.196.0/24",
    "192.52.193.0/24",
    "192.175.48.0/24",
    "64:ff9b::/96",
    "2001:1::1/128",
    "2001:1::2/128",
    "2001:1::3/128",
    "2001:3::/32",
    "2001:4:112::/48",
    "2001:20::/28",
    "2001:30::/28",
    "2620:4f:8000::/48",
]
"""Those of them that the registries call globally reachable."""

OTHERS = ["224.0.0.0/4", "ff00::/8", "fec0::/10", "::/8", "4000::/3", "8000::/1", "2000::/3"]
"""Multicast, site-local, and parts of IPv6 of which nothing is assigned."""


@st.composite
def addresses(draw) -> str:
    """An address in or beside one of the blocks, or anywhere."""
    block = ipaddress.ip_network(draw(st.sampled_from([*REGISTRY, *OTHERS, "0.0.0.0/0", "::/0"])))
    first, last = int(block[0]), int(block[-1])
    near = st.sampled_from([first - 1, first, first + 1, last - 1, last, last + 1])
    number = draw(near | st.integers(first, last))
    return str(type(block[0])(number % 2**block.max_prefixlen))


@given(addresses())
@example("64:ff9b::7f00:1")
@example("64:ff9b::a9fe:a9fe")
@example("2002:7f00:1::")
def test_what_we_call_public_netaddr_calls_global(address):
    """Behind NAT64 the IPv4 address counts."""
    if not is_public(address):
        return
    judged = IPAddress(address)
    if judged.version == 6 and address.startswith("64:ff9b::"):
        judged = IPAddress(int(judged) & 0xFFFF_FFFF, 4)
    assert judged.is_global()
    assert not judged.is_multicast()
    assert not judged.is_reserved()
    assert not judged.is_link_local()
    assert not judged.is_loopback()


@given(st.integers(0, 2**32 - 1))
def test_in_ipv4_we_refuse_little_else(number):
    """All that is global is public to us, except protocol assignments and multicast."""
    address, judged = str(ipaddress.IPv4Address(number)), IPAddress(number, 4)
    if judged.is_global() and not judged.is_multicast() and not judged.is_reserved():
        kept = ipaddress.ip_address(address) not in ipaddress.ip_network("192.0.0.0/24")
        assert is_public(address) is kept or address.startswith("192.88.99.")


@pytest.mark.parametrize("block", sorted({*REGISTRY} - {*REACHABLE}))
def test_blocks_that_are_not_reachable_are_refused(block):
    """Except inside NAT64's own prefix, whose addresses stand for IPv4's."""
    network = ipaddress.ip_network(block)
    reachable = [ipaddress.ip_network(one) for one in REACHABLE]
    for at in {0, 1, network.num_addresses // 2, network.num_addresses - 1}:
        if at < network.num_addresses:
            address = network[at]
            if not any(address in one for one in reachable):
                assert not is_public(str(address))


@given(st.integers(0, 2**32 - 1))
def test_an_ipv6_address_that_holds_an_ipv4_address_is_no_way_around(number):
    """Mapped, compatible, translated, 6to4, Teredo, NAT64 of one network, and NAT64."""
    four = ipaddress.IPv4Address(number)
    low = int(four)
    six = {
        "mapped": 0xFFFF << 32 | low,
        "compatible": low,
        "translated": 0xFFFF << 48 | low,
        "6to4": 0x2002 << 112 | low << 80,
        "teredo server": 0x2001_0000 << 96 | low << 64,
        "teredo client": 0x2001_0000 << 96 | (low ^ 0xFFFF_FFFF),
        "local NAT64": 0x0064_FF9B_0001 << 80 | low,
    }
    for kind, value in six.items():
        assert not is_public(str(ipaddress.IPv6Address(value))), kind
    assert is_public(str(ipaddress.IPv6Address(0x0064_FF9B << 96 | low))) is is_public(str(four))
