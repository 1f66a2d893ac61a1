"""The streams that follow from a person's private feeds."""

from collections.abc import Sequence

from attrs import frozen

from newsintel.domain.archive.model import ArchiveSort
from newsintel.domain.archive.query import build_archive_query
from newsintel.domain.personal.model import FeedList
from newsintel.domain.personal.ports import PrivateFeeds
from newsintel.domain.reader.model import Stream

STREAM_PREFIX = "feed/"


@frozen
class FeedStreams:
    """A `ports.Streams`: each private feed of the archive is a stream.

    Feeds of saved articles are not: readers show these as starred.
    """

    _feeds: PrivateFeeds

    async def list_streams(self, user_id: int) -> Sequence[Stream]:
        """Return the streams, the oldest feed first, so that a new one does not move the others."""
        feeds = await self._feeds.list_of_user(user_id)
        return [
            Stream(
                STREAM_PREFIX + feed.public_id,
                feed.name,
                build_archive_query(feed.q, sort=ArchiveSort.NEWEST),
                feed.created_at,
            )
            for feed in reversed(feeds)
            if feed.shows is FeedList.ARCHIVE
        ]
