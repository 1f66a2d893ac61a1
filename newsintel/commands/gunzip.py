"""Decompresses gzip in pieces. Unlike Python's gzip reader, it returns everything before damage."""

import zlib
from collections.abc import Iterator

MAGIC = b"\x1f\x8b"
"""The first bytes of every gzip member (RFC 1952, 2.3.1)."""

_STEP_BYTES = 2**20
"""Most bytes inflated at a time: a small piece can inflate to a thousand times its size."""

_GZIP_WINDOW = 31
"""zlib's `wbits` for a gzip header, deflate with the largest window, and the checksum."""


class DamagedError(Exception):
    """The data is cut short or damaged. The message says how."""


def decompress_gzip(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the content of all gzip members, as `gzip`, `pigz` and appending write them.

    Zeros between members and after the last one are padding, as on tapes; gzip skips them too.

    Raises:
        DamagedError: after everything before the damage was yielded.
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
                yield _salvage_content(before, left)
                raise DamagedError(_describe_damage(str(error))) from error
            yield content
            left = inflate.unconsumed_tail
            if inflate.eof:
                left, inflate, inside = inflate.unused_data, zlib.decompressobj(_GZIP_WINDOW), False
            elif not left and len(content) < _STEP_BYTES:
                break  # otherwise zlib still holds content
    if inside:
        raise DamagedError("it is cut short")


def _salvage_content(inflate: "zlib._Decompress", piece: bytes) -> bytes:
    """Return a piece's content before the damaged byte, which zlib drops when it raises."""
    content = bytearray()
    for at in range(len(piece)):
        try:
            content += inflate.decompress(piece[at : at + 1])
        except zlib.error:
            break
    return bytes(content)


def _describe_damage(said: str) -> str:
    if "data check" in said or "length check" in said:
        return "its checksum is wrong, so an earlier line may be corrupt"
    return "its compressed data is broken"
