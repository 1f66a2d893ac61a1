"""How much of a reply is read at once."""

import httpcore

from newsintel.outbound.small_reads import BODY_READ_BYTES, FRAMING_READ_BYTES, SmallReadStream

LARGE = 64 * 1024
"""The size of httpcore's reads."""


class Endless(httpcore.AsyncNetworkStream):
    """A stream that always has as many bytes as are wanted."""

    async def read(self, max_bytes, timeout=None):  # noqa: ASYNC109 - httpcore's interface
        return b"x" * max_bytes

    async def write(self, buffer, timeout=None):  # noqa: ASYNC109 - httpcore's interface
        return None


async def test_only_a_body_of_known_length_is_read_at_once():
    """What follows the body may be framing, so the reads after it are small again."""
    stream = SmallReadStream(Endless())
    await stream.write(b"GET")
    sizes = [len(await stream.read(LARGE))]
    stream.note_piece()
    sizes.append(len(await stream.read(LARGE)))
    stream.expect_body(LARGE + 10_000)
    for _ in range(3):
        stream.note_piece()
        sizes.append(len(await stream.read(LARGE)))
    await stream.write(b"GET")
    sizes.append(len(await stream.read(LARGE)))
    assert sizes == [
        FRAMING_READ_BYTES,
        BODY_READ_BYTES,
        LARGE,
        10_000,
        BODY_READ_BYTES,
        FRAMING_READ_BYTES,
    ]
