"""Reply bodies are decoded completely, and a decompression bomb is refused."""

import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsintel.domain.bounds.slices import run_all
from newsintel.domain.text.body import DECODED_CAP_BYTES, RAW_CAP_BYTES, BodyError, BodyReader


def squeezed(data: bytes, wbits: int) -> bytes:
    """Compress data in one of zlib's formats."""
    squeeze = zlib.compressobj(wbits=wbits)
    return squeeze.compress(data) + squeeze.flush()


def read(raw: bytes, coding: str = "", piece: int = 65536) -> bytes:
    """Feed a body in pieces; returns what it decodes to."""
    body = BodyReader(coding, None)
    for at in range(0, len(raw), piece):
        run_all(body.feed(raw[at : at + piece]))
    return body.finish()


@given(
    st.binary(max_size=500),
    st.integers(1, 64),
    st.sampled_from([("", 0), ("identity", 0), ("gzip", 31), (" X-GZIP ", 31), ("deflate", 15)]),
)
def test_a_complete_body_is_decoded_whatever_its_pieces(
    data: bytes, piece: int, coding: tuple[str, int]
) -> None:
    """Decoding is the inverse of the server's coding, wherever the bytes are cut."""
    name, wbits = coding
    assert read(squeezed(data, wbits) if wbits else data, name, piece) == data


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip, gzip", "gzip,gzip", "gzip, identity", "x"])
def test_stacked_and_unknown_codings_are_refused_at_once(coding: str) -> None:
    """We never ask for them, and each layer multiplies the size."""
    with pytest.raises(BodyError, match="stacked or unknown"):
        BodyReader(coding, None)


def test_the_caps_are_inclusive() -> None:
    """A body of exactly the cap passes; one byte more does not.

    This holds for announced and unannounced sizes, compressed or not.
    """
    assert len(read(bytes(RAW_CAP_BYTES))) == RAW_CAP_BYTES
    assert len(read(squeezed(bytes(DECODED_CAP_BYTES), 31), "gzip")) == DECODED_CAP_BYTES
    BodyReader("", RAW_CAP_BYTES)
    with pytest.raises(BodyError, match="larger than 2097152"):
        read(bytes(RAW_CAP_BYTES + 1))
    with pytest.raises(BodyError, match="inflates to more"):
        read(squeezed(bytes(DECODED_CAP_BYTES + 1), 31), "gzip")
    with pytest.raises(BodyError, match="announced"):
        BodyReader("", RAW_CAP_BYTES + 1)


def test_a_decompression_bomb_takes_no_more_memory_than_the_cap() -> None:
    """200 MB in one piece: peak memory stays near the 2 MiB that are allowed."""
    raw = squeezed(bytes(200 * 1024 * 1024), 31)
    body = BodyReader("gzip", None)
    tracemalloc.start()
    try:
        with pytest.raises(BodyError, match="inflates to more"):
            run_all(body.feed(raw))
        assert tracemalloc.get_traced_memory()[1] < 3 * DECODED_CAP_BYTES
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("raw", "coding", "why"),
    [
        (squeezed(b"{}", 31)[:-1], "gzip", "breaks off"),
        (b"", "gzip", "breaks off"),
        (b"{}", "gzip", "not in the content coding"),
        (squeezed(b"{}", 31)[:-8] + bytes(8), "gzip", "not in the content coding"),
        (squeezed(b"{}", 31) * 2, "gzip", "goes on after"),
        (squeezed(b"{}", -15), "deflate", "not in the content coding"),
    ],
    ids=["truncated", "empty", "plain", "checksum", "two members", "raw deflate"],
)
def test_a_body_that_is_incomplete_or_miscoded_is_refused(
    raw: bytes, coding: str, why: str
) -> None:
    """A part of a body must never pass for a complete one."""
    with pytest.raises(BodyError, match=why):
        read(raw, coding)
