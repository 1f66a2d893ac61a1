"""Which IP addresses are public: those that a server may connect to on behalf of others."""

import ipaddress

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
"""IPv6 addresses that stand for the IPv4 address in their last 32 bits (RFC 6052)."""

_SPECIAL = tuple(
    map(
        ipaddress.ip_network,
        (
            "192.0.0.0/24",  # protocol assignments (RFC 6890); two of its addresses are anycast
            "192.88.99.0/24",  # relays of 6to4, which is deprecated (RFC 7526)
            "2001::/23",  # protocol assignments (RFC 2928), among them Teredo (RFC 4380)
            "2002::/16",  # 6to4: tunnels that are only used to hide an IPv4 address now
            "3fff::/20",  # documentation (RFC 9637)
        ),
    )
)
"""Ranges of IANA's registries that an older Python counts as public, or that lead elsewhere."""

_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
"""The only part of IPv6 from which public addresses are assigned (RFC 4291, 2.5.4). Outside are
site-local addresses, NAT64 of one network (RFC 8215) and segment routing (RFC 9602)."""


def is_public(address: str) -> bool:
    """Return whether an IP address belongs to the public internet.

    Private, shared, loopback, link-local, multicast and reserved addresses do not, and IPv6
    addresses that lead to such an IPv4 address do not. Anything but an IP address does not.
    """
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address) and found in _NAT64:
        found = ipaddress.IPv4Address(int(found) & 0xFFFF_FFFF)
    return _is_global(found)


def _is_global(address: Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address) and address not in _GLOBAL_UNICAST:
        return False
    return (
        address.is_global
        and not address.is_multicast
        and not address.is_reserved
        and not any(address in network for network in _SPECIAL)
    )
