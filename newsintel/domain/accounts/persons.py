"""Persons as limits and counts know them: an account, or the network of an address."""

import hmac
from collections.abc import Sequence
from datetime import datetime
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from newsintel.config.values import Secret
from newsintel.domain.bounds.newest import Newest
from newsintel.domain.security.keys import derive

Address = IPv4Address | IPv6Address

IPV6_PREFIX = 64
"""The network that one customer of a provider has at least (RFC 6177, 2): its addresses are one person."""

KNOWN = 10_000
"""Addresses whose person is remembered, about 2 MiB; past that the oldest are forgotten and worked out again, in some 5 us each."""

LONGEST_KNOWN = 64
"""Characters. An address has 45 with its port at most; behind a percent sign (a zone) anything may follow."""

UNKNOWN = "unknown"
"""Whoever has no address that can be read, as behind a unix socket: all of them are one person."""


class Persons:
    """The person behind each address: an HMAC under a key that changes daily, so that no list of addresses can be made of what is kept."""

    def __init__(self, secret_keys: Sequence[Secret]) -> None:
        self._master = secret_keys[0]  # every process has the same first key, and so the same persons
        self._day = 0
        self._key = b""
        self._known = Newest[str, str](KNOWN)

    def person(self, address: str, now: datetime) -> str:
        """32 hex digits for a client's address; the same for a whole IPv6 /64."""
        day = now.toordinal()
        if day != self._day:
            self._day, self._key = day, derive(self._master, f"persons of {now.date()}")
            self._known.clear()
        if (found := self._known.get(address)) is None:
            found = hmac.digest(self._key, network_of(address).encode(), "sha256").hex()[:32]
            if len(address) <= LONGEST_KNOWN:
                self._known[address] = found
        return found


def network_of(address: str) -> str:
    """What is one person's: an IPv4 address, or an IPv6 /64. An IPv4 address written as IPv6 is the IPv4 one."""
    parsed = parse_address(address)
    if parsed is None:
        return UNKNOWN
    if isinstance(parsed, IPv6Address):
        return str(IPv6Network((parsed.packed, IPV6_PREFIX), strict=False))
    return str(parsed)


def parse_address(address: str) -> Address | None:
    """An address, also with a port (`10.0.0.1:80`, `[::1]:80`) as some balancers write it; None if it is none."""
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
