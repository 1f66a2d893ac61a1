"""Finished answers in a second form, compressed by gzip.

Only for what is the same for everybody: if a page that repeats the caller's words also holds a
secret, its compressed length tells something about the secret (BREACH).
"""

import zlib
from collections.abc import Iterable
from typing import Any, Protocol, TypeVar

from newsintel.domain.bounds.slices import Sliced, run_all
from newsintel.http.asgi import HeaderLines
from newsintel.http.request.accepting import accepts_gzip

T = TypeVar("T", bound="TwoForms")


class TwoForms(Protocol):
    """A finished answer that may have a compressed form."""

    @property
    def packed(self) -> Any:
        """The compressed form, of the same class; None = there is none."""
        ...


LEVEL = 4
"""zlib's level: half the time of the default, and some 3 % longer."""
GZIP_BITS = 31
"""zlib's window bits for gzip with the largest window."""
LEAST_BYTES = 1024
"""A shorter body fits a packet or two as it is."""
CHUNK_BYTES = 64 * 1024
"""Bytes that are compressed without a pause: about 1 ms."""


def choose_form(answer: T, headers: Iterable[tuple[bytes, bytes]]) -> T:
    """Return the form of an answer that a request with these header lines should get."""
    packed: T | None = answer.packed
    return packed if packed is not None and accepts_gzip(headers) else answer


def is_worth_packing(body: bytes, headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Return whether to compress a body that a request with these header lines asked for.

    An answer that is made for a proxy or program that takes no gzip is then not compressed for
    nothing.
    """
    return len(body) >= LEAST_BYTES and accepts_gzip(headers)


def pack(body: bytes) -> bytes:
    """Return a body compressed by gzip."""
    return run_all(pack_in_slices(body))


def pack_in_slices(body: bytes) -> Sliced[bytes]:
    """Return a body compressed by gzip, in slices. Equal bodies give equal bytes."""
    packer = zlib.compressobj(LEVEL, zlib.DEFLATED, GZIP_BITS)
    pieces = []
    for start in range(0, len(body), CHUNK_BYTES):
        pieces.append(packer.compress(body[start : start + CHUNK_BYTES]))
        yield
    return b"".join((*pieces, packer.flush()))


def vary_by_encoding(lines: Iterable[tuple[bytes, bytes]]) -> HeaderLines:
    """Return the header lines of an answer of which there are two forms."""
    kept = list(lines)
    for place, (name, value) in enumerate(kept):
        if name == b"vary":
            kept[place] = (name, value + b", Accept-Encoding")
            return kept
    return [*kept, (b"vary", b"Accept-Encoding")]


def describe_packed(lines: Iterable[tuple[bytes, bytes]], packed: bytes) -> HeaderLines:
    """Return the header lines of the compressed form, made from those of the plain form."""
    length = (b"content-length", b"%d" % len(packed))
    replaced = [length if line[0] == b"content-length" else line for line in lines]
    return [*replaced, (b"content-encoding", b"gzip")]
