"""Who sent a request: the client's address, as the trusted proxies tell it, and the person that stands for it."""

from collections.abc import Iterable, Sequence
from itertools import islice

from newsintel.config.values import Network
from newsintel.domain.accounts.persons import UNKNOWN, parse_address
from newsintel.http.asgi import Scope

MOST_PROXIES = 16
"""Entries of X-Forwarded-For that are looked at, from the right. Nobody has so many trusted proxies in a row."""


def client_address(scope: Scope, trusted: Sequence[Network]) -> str:
    """The client's address: the peer's, or where the peer is a trusted proxy the rightmost X-Forwarded-For entry that is not one.

    What stands further left was written by the client. A malformed entry ends the walk: whoever is right of it is the client.
    """
    peer = (scope.get("client") or (UNKNOWN,))[0]
    if not trusted or not is_trusted(peer, trusted):
        return str(peer)
    client = str(peer)
    for entry in islice(reversed(_forwarded_for(scope["headers"])), MOST_PROXIES):
        if parse_address(entry) is None:
            break
        client = entry
        if not is_trusted(entry, trusted):
            break
    return client


def _forwarded_for(headers: Iterable[tuple[bytes, bytes]]) -> list[str]:
    """The entries of every X-Forwarded-For header, in order."""
    lines = [value.decode("latin-1") for name, value in headers if name == b"x-forwarded-for"]
    return [entry.strip() for line in lines for entry in line.split(",")]


def is_trusted(address: str, trusted: Sequence[Network]) -> bool:
    """Whether an address is that of a proxy in front of us."""
    parsed = parse_address(address)
    return parsed is not None and any(parsed in network for network in trusted)
