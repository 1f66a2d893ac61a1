"""Which IP addresses are public: those that a server may connect to on behalf of others."""

import ipaddress

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
"""IPv6 addresses that stand for the IPv4 address in their last 32 bits (RFC 6052)."""
_SITE_LOCAL = ipaddress.IPv6Network("fec0::/10")
"""Deprecated (RFC 3879), and still routed in some networks."""


def is_public(address: str) -> bool:
    """Return whether an IP address belongs to the public internet.

    Private, shared, loopback, link-local, multicast and reserved addresses do not, and IPv6
    addresses that lead to such an IPv4 address do not. Anything but an IP address does not.
    """
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address):
        if found in _NAT64:
            return _is_global(ipaddress.IPv4Address(int(found) & 0xFFFF_FFFF))
        if found.sixtofour is not None or found.teredo is not None:
            return False  # tunnels that nobody runs any more (RFC 7526), except to hide an address
    return _is_global(found)


def _is_global(address: Address) -> bool:
    return address.is_global and not (
        address.is_multicast or address.is_reserved or address in _SITE_LOCAL
    )
