"""Decompresses gzip piece by piece and, unlike Python's own reader, gives everything that came before a damage."""

import zlib
from collections.abc import Iterator

MAGIC = b"\x1f\x8b"
"""How every gzip member begins (RFC 1952, 2.3.1)."""

_STEP_BYTES = 2**20
"""Inflated at a time at most: a small piece may hold a thousand times as much."""

_GZIP_WINDOW = 31
"""zlib's name for a gzip header, deflate with the largest window, and the checksum."""


class DamagedError(Exception):
    """The data ends or breaks where it should not. The message says how."""


def gunzipped(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The content of one gzip member after the other, as `gzip`, `pigz` and appending write them.

    Zeros between members and after the last are padding, as on tapes; gzip itself passes over them too.

    Raises:
        DamagedError: once everything before the damage was given.
    """
    inflate, inside = zlib.decompressobj(_GZIP_WINDOW), False
    for piece in pieces:
        left = piece
        while inside or (left := left.lstrip(b"\0")):
            if not inside and not MAGIC.startswith(left[: len(MAGIC)]):
                raise DamagedError("what follows is not gzip")
            inside = True
            before = inflate.copy()
            try:
                content = inflate.decompress(left, _STEP_BYTES)
            except zlib.error as error:
                yield _salvaged(before, left)
                raise DamagedError(_reason(str(error))) from error
            yield content
            left = inflate.unconsumed_tail
            if inflate.eof:
                left, inflate, inside = inflate.unused_data, zlib.decompressobj(_GZIP_WINDOW), False
            elif not left and len(content) < _STEP_BYTES:
                break  # else zlib holds more content back
    if inside:
        raise DamagedError("it is cut short")


def _salvaged(inflate: "zlib._Decompress", piece: bytes) -> bytes:
    """What a piece gives before the byte at which it breaks: zlib keeps to itself what it had when it noticed."""
    content = bytearray()
    for at in range(len(piece)):
        try:
            content += inflate.decompress(piece[at : at + 1])
        except zlib.error:
            break
    return bytes(content)


def _reason(said: str) -> str:
    if "data check" in said or "length check" in said:
        return "its checksum is wrong, so one of the lines before may not be as it was written"
    return "its compressed data is broken"
