"""The values of feed readers: streams and their items. All are frozen; times are aware UTC."""

from datetime import datetime, timedelta

from attrs import frozen

from newsintel.domain.archive.model import ArchiveQuery

STREAM_ITEMS = 500
"""The newest articles of a stream that a reader sees. Older ones count as read."""

STREAM_AGE = timedelta(days=30)
"""The age from which an article is no longer an item of a stream. Google Reader, too, marked items
as read after 30 days."""


@frozen
class Stream:
    """A list of articles that a person follows.

    Attributes:
        id: `feed/` and the id of what the stream shows.
        title: the person's own name for it.
        query: what the archive finds for it.
        created_at: when the person made it.
    """

    id: str
    title: str
    query: ArchiveQuery
    created_at: datetime


@frozen
class Item:
    """An article in a stream.

    Attributes:
        id: public id of the article.
        seen_us: when it came to the archive, in microseconds of Unix time.
        published_us: when it was published, in the same unit.
    """

    id: str
    seen_us: int
    published_us: int

    @property
    def order(self) -> tuple[int, int, str]:
        """The place in a stream, from the oldest on: by arrival, as in Google Reader."""
        return self.seen_us, self.published_us, self.id


@frozen
class ItemState:
    """What a person did with an article."""

    read: bool = False
    starred: bool = False


UNTOUCHED = ItemState()
