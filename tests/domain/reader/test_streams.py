"""The streams that follow from private feeds."""

from newsintel.domain.archive.model import ArchiveSort
from newsintel.domain.personal.model import FeedList, PrivateFeed
from newsintel.domain.reader.streams import FeedStreams
from tests.make import NOON


class Feeds:
    """A store with three feeds, the newest first."""

    async def list_of_user(self, user_id):
        """Return them."""
        return (
            PrivateFeed("f_c", "All", FeedList.ARCHIVE, None, NOON),
            PrivateFeed("f_b", "Mine", FeedList.SAVED, None, NOON),
            PrivateFeed("f_a", "Züge 🚆", FeedList.ARCHIVE, "rail OR bahn", NOON),
        )


async def test_feeds_of_the_archive_are_streams_and_those_of_saves_are_not():
    """The oldest first, each with its query, newest articles first."""
    first, second = await FeedStreams(Feeds()).list_streams(1)
    assert (first.id, first.title, len(first.query.alternatives)) == ("feed/f_a", "Züge 🚆", 2)
    assert (second.id, second.query.alternatives) == ("feed/f_c", ())
    assert {one.query.sort for one in (first, second)} == {ArchiveSort.NEWEST}
