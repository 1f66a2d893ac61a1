"""What an older version has left in one Redis is used by this one."""

from newsintel.storage.redis.spool import BYTES, STREAM, RedisSpool
from tests.storage.support import ON_ONE_SERVER


@ON_ONE_SERVER
async def test_spool_of_an_older_version_is_drained_and_counted(link, redis):
    """Its entries are under the same name, and its counter is taken over once."""
    await RedisSpool(link, 100).add(b"older")
    await redis("RENAME", BYTES, "spool:bytes")
    place = RedisSpool(link, 100)
    entry = await place.take()
    assert (entry.data, place.size_bytes) == (b"older", 5)
    await place.add(b"newer")
    assert int(await redis("GET", BYTES)) == 10
    assert await redis("EXISTS", "spool:bytes") == 0
    await entry.remove()
    assert (place.size_bytes, await redis("XLEN", STREAM)) == (5, 1)
