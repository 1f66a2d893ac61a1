"""The body of a reply, read in pieces, with size limits that hold against compression bombs.

Pure: bytes in, bytes or a `BodyError` out. Streaming alone is not enough: one 64 KiB piece of gzip
can decompress to 64 MiB. So each decompression step has an output limit.
"""

import zlib

from newsintel.domain.bounds.slices import Sliced
from newsintel.errors import NewsIntelError

RAW_CAP_BYTES = 2 * 1024 * 1024
"""Size as sent. A hundred of the largest recorded rows are under 0.6 MiB. OWASP ASVS 5.0, 15.2.2;
CWE-409."""

DECODED_CAP_BYTES = 2 * 1024 * 1024
"""Size after decompression. The largest recorded reply has 0.85 MiB. Parsing a larger one would
block the event loop too long (decision 23)."""

_STEP_BYTES = 64 * 1024
"""Output of one decompression step. A bomb is noticed at most one step above the cap."""

_WINDOW_BITS = {"gzip": 31, "x-gzip": 31, "deflate": 15}
"""zlib's names for the codings of RFC 9110, 8.4.1. 31 means a gzip header and checksum, 15 means
zlib's own."""


class BodyError(NewsIntelError):
    """A body that must not be used. The message is one line and quotes nothing of the body."""


class BodyReader:
    """Reads one body.

    Args:
        coding: the Content-Encoding; empty if none.
        length: the Content-Length; None if unknown.
        max_bytes: the limit for the size as sent and for the decoded size. The caps above apply as
            well.

    Raises:
        BodyError: the coding is stacked or unknown, or the length is above the cap. Raised at once.
    """

    def __init__(self, coding: str, length: int | None, max_bytes: int = RAW_CAP_BYTES) -> None:
        coding = coding.strip().lower()
        if coding not in ("", "identity", *_WINDOW_BITS):
            raise BodyError("content coding is stacked or unknown")
        self._raw_cap_bytes, self._decoded_cap_bytes = (
            min(max_bytes, RAW_CAP_BYTES),
            min(max_bytes, DECODED_CAP_BYTES),
        )
        if length is not None and length > self._raw_cap_bytes:
            raise BodyError(f"body announced as larger than {self._raw_cap_bytes} bytes")
        self._inflate = zlib.decompressobj(_WINDOW_BITS[coding]) if coding in _WINDOW_BITS else None
        self._raw_bytes = 0
        self._decoded = bytearray()

    def feed(self, piece: bytes) -> Sliced[None]:
        """Read the next piece, as sent. Yields after each decompression step.

        Raises:
            BodyError: a cap is exceeded, or the piece cannot be decoded. Do not read any further.
        """
        self._raw_bytes += len(piece)
        if self._raw_bytes > self._raw_cap_bytes:
            raise BodyError(f"body larger than {self._raw_cap_bytes} bytes")
        if self._inflate is None:
            self._decoded += piece
            return
        while piece:
            try:
                self._decoded += self._inflate.decompress(piece, max_length=_STEP_BYTES)
            except zlib.error:
                raise BodyError("body is not in the content coding it claims") from None
            if self._inflate.unused_data:
                raise BodyError("body goes on after its compressed data")
            if len(self._decoded) > self._decoded_cap_bytes:
                raise BodyError(f"body inflates to more than {self._decoded_cap_bytes} bytes")
            piece = self._inflate.unconsumed_tail
            yield

    def finish(self) -> bytes:
        """Return the whole body, decoded.

        Raises:
            BodyError: the compressed data is incomplete.
        """
        if self._inflate is not None and not self._inflate.eof:
            raise BodyError("compressed body breaks off")
        return bytes(self._decoded)
