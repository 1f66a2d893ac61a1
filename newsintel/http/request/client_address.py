"""The client's IP address, as the trusted proxies report it."""

from collections.abc import Iterable, Sequence
from itertools import islice

from newsintel.config.values import Network
from newsintel.domain.accounts.persons import UNKNOWN_PERSON, parse_address
from newsintel.http.asgi import Scope

MAX_PROXIES = 16
"""Entries of X-Forwarded-For that are read, from the right. No setup has so many trusted proxies in
a row."""


def find_client_address(scope: Scope, trusted: Sequence[Network]) -> str:
    """Return the client's address.

    This is the peer's address. If the peer is a trusted proxy, it is the rightmost entry of
    X-Forwarded-For that is not a trusted proxy: the client can forge the entries further left. If
    an entry is malformed, the entry to its right is the client.
    """
    peer = (scope.get("client") or (UNKNOWN_PERSON,))[0]
    if not trusted or not is_trusted(peer, trusted):
        return str(peer)
    client = str(peer)
    for entry in islice(reversed(_split_forwarded_for(scope["headers"])), MAX_PROXIES):
        if parse_address(entry) is None:
            break
        client = entry
        if not is_trusted(entry, trusted):
            break
    return client


def _split_forwarded_for(headers: Iterable[tuple[bytes, bytes]]) -> list[str]:
    """Return the entries of all X-Forwarded-For headers, in order."""
    lines = [value.decode("latin-1") for name, value in headers if name == b"x-forwarded-for"]
    return [entry.strip() for line in lines for entry in line.split(",")]


def is_trusted(address: str, trusted: Sequence[Network]) -> bool:
    """Whether an address belongs to a trusted proxy."""
    parsed = parse_address(address)
    return parsed is not None and any(parsed in network for network in trusted)
