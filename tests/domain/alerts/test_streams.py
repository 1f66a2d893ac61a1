"""The streams that follow from saved searches, beside those of private feeds."""

from newsintel.domain.alerts.digests import Every
from newsintel.domain.alerts.model import SavedSearch, WatchedQuery
from newsintel.domain.alerts.streams import FollowedStreams
from newsintel.domain.archive.model import ArchiveSort
from newsintel.domain.reader.streams import FeedStreams
from tests.domain.reader.test_streams import Feeds
from tests.make import NOON


def search(public_id, name, query, **changes):
    """A saved search without channels."""
    values = {"every": Every.DAY, "time_zone": "UTC", "paused": False}
    times = {"created_at": NOON, "changed_at": NOON}
    return SavedSearch(public_id, name, query, (), **(values | times | changes))


class Searches:
    """A store with two searches, the newest first."""

    async def list_of_user(self, user_id):
        """Return them."""
        return (
            search("w_b", "Guardian", WatchedQuery(None, ("guardian",), language="en")),
            search("w_a", "नीति", WatchedQuery('climate OR "sea level"'), paused=True),
        )


async def test_saved_searches_follow_the_feeds():
    """The oldest first, with all filters, newest articles first; a pause stops only alerts."""
    streams = await FollowedStreams(FeedStreams(Feeds()), Searches()).list_streams(1)
    assert [one.id for one in streams] == ["feed/f_a", "feed/f_c", "feed/w_a", "feed/w_b"]
    climate, guardian = streams[2:]
    assert (climate.title, len(climate.query.alternatives)) == ("नीति", 2)
    assert (guardian.query.sources, guardian.query.language) == (("guardian",), "en")
    assert {one.query.sort for one in streams} == {ArchiveSort.NEWEST}
