"""Identifies anonymous persons for limits and counts by the network of their address."""

import hmac
from collections.abc import Sequence
from datetime import datetime
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from newsintel.config.values import Secret
from newsintel.domain.bounds.newest import Newest
from newsintel.domain.security.keys import derive_key

IpAddress = IPv4Address | IPv6Address

IPV6_PREFIX = 64
"""The smallest network of one customer of a provider (RFC 6177, 2). Its addresses count as one
person."""

MAX_CACHED = 10_000
"""Cached addresses, about 2 MiB. Beyond it the oldest are dropped and computed again, in about 5 us
each."""

MAX_CACHED_CHARS = 64
"""Maximum characters of a cached address. An address with its port has at most 45; after a percent
sign (a zone) any text may follow."""

UNKNOWN_PERSON = "unknown"
"""The network of callers without a readable address, such as behind a unix socket. They count as
one person."""


class Persons:
    """Maps addresses to persons.

    A person is an HMAC under a key that changes daily, so that nobody can recover addresses from
    stored values.
    """

    def __init__(self, secret_keys: Sequence[Secret]) -> None:
        # Every process has the same first key, and so the same persons.
        self._master = secret_keys[0]
        self._day = 0
        self._key = b""
        self._known = Newest[str, str](MAX_CACHED)

    def derive_person(self, address: str, now: datetime) -> str:
        """Return 32 hex digits for a client's address; the same for a whole IPv6 /64."""
        day = now.toordinal()
        if day != self._day:
            self._day, self._key = day, derive_key(self._master, f"persons of {now.date()}")
            self._known.clear()
        if (found := self._known.get(address)) is None:
            found = hmac.digest(self._key, network_of(address).encode(), "sha256").hex()[:32]
            if len(address) <= MAX_CACHED_CHARS:
                self._known[address] = found
        return found


def network_of(address: str) -> str:
    """Return the network of one person: an IPv4 address, or an IPv6 /64.

    An IPv4-mapped IPv6 address counts as its IPv4 address.
    """
    parsed = parse_address(address)
    if parsed is None:
        return UNKNOWN_PERSON
    if isinstance(parsed, IPv6Address):
        return str(IPv6Network((parsed.packed, IPV6_PREFIX), strict=False))
    return str(parsed)


def parse_address(address: str) -> IpAddress | None:
    """Parse an address, also with a port as some balancers write it; None if it is invalid.

    Examples are `10.0.0.1:80` and `[::1]:80`.
    """
    bare = address
    if bare.startswith("["):
        bare = bare[1:].partition("]")[0]
    elif bare.count(":") == 1:
        bare = bare.partition(":")[0]
    try:
        parsed = ip_address(bare.partition("%")[0])
    except ValueError:
        return None
    return (parsed.ipv4_mapped or parsed) if isinstance(parsed, IPv6Address) else parsed
