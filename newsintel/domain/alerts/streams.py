"""What a person follows in a feed reader: private feeds, and saved searches."""

from collections.abc import Sequence

from attrs import evolve, frozen

from newsintel.domain.alerts.ports import SavedSearches
from newsintel.domain.alerts.watched import build_watched
from newsintel.domain.archive.model import ArchiveSort
from newsintel.domain.reader.model import Stream
from newsintel.domain.reader.ports import Streams
from newsintel.domain.reader.streams import STREAM_PREFIX


@frozen
class FollowedStreams:
    """A `reader.ports.Streams`: those of the private feeds, then each saved search.

    A paused search is a stream too: a pause stops its alerts.
    """

    _feeds: Streams
    _searches: SavedSearches

    async def list_streams(self, user_id: int) -> Sequence[Stream]:
        """Return the streams, the oldest of each kind first, so that a new one moves no other."""
        searches = await self._searches.list_of_user(user_id)
        return [
            *await self._feeds.list_streams(user_id),
            *(
                Stream(
                    STREAM_PREFIX + search.public_id,
                    search.name,
                    evolve(build_watched(search.query), sort=ArchiveSort.NEWEST),
                    search.created_at,
                )
                for search in reversed(searches)
            ),
        ]
