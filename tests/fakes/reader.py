"""The ports of feed readers in memory."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta

from attrs import evolve

from newsintel.domain.paging import Position
from newsintel.domain.reader.model import Item, ItemState
from newsintel.domain.reader.ports import ReadMark, ReadMarkPage
from newsintel.domain.search.article import MAX_CONTENT
from tests.fakes.personal import _Memory

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def count_us(moment):
    """Return microseconds of Unix time."""
    return (moment - EPOCH) // timedelta(microseconds=1)


class MemoryReaderArticles(_Memory):
    """A `ports.ReaderArticles`. A query finds the hits whose title has one of its words."""

    def __init__(self, hits=()) -> None:
        super().__init__()
        self.hits = list(hits)
        self.asked = []
        self.most_whole = 0
        """The most articles that were asked for at once with their whole texts."""

    async def list_items(self, query, limit):
        await self._answer()
        self.asked.append(query)
        found = [hit for hit in self.hits if self._matches(query, hit)]
        found.sort(key=lambda hit: hit.article.published_at, reverse=True)
        return [
            Item(hit.article.id, count_us(hit.first_seen_at), count_us(hit.article.published_at))
            for hit in found[:limit]
        ]

    @staticmethod
    def _matches(query, hit):
        if query.start and hit.article.published_at < query.start:
            return False
        words = [one.text for each in query.alternatives for one in each]
        return not words or any(word in hit.article.title for word in words)

    async def find_articles(self, prefixes, chars):
        await self._answer()
        self.most_whole = max(self.most_whole, len(prefixes) if chars >= MAX_CONTENT else 0)
        return [
            evolve(
                hit,
                article=evolve(
                    hit.article,
                    description=hit.article.description and hit.article.description[:chars],
                    content=hit.article.content and hit.article.content[:chars],
                ),
            )
            for hit in self.hits
            if hit.article.id.startswith(tuple(prefixes))
        ]


class MemoryReadMarks(_Memory):
    """A `ports.ReadMarks` beside the saves of a MemorySaved."""

    def __init__(self, saved) -> None:
        super().__init__()
        self.kept: dict[int, dict[str, datetime]] = defaultdict(dict)
        self._saved = saved

    async def mark_read(self, user_id, article_ids, at):
        await self._answer()
        self.kept[user_id] |= dict.fromkeys(article_ids, at)

    async def mark_unread(self, user_id, article_ids):
        await self._answer()
        for one in article_ids:
            self.kept[user_id].pop(one, None)

    async def find_states(self, user_id, article_ids):
        await self._answer()
        read, saved = self.kept[user_id], self._saved.kept[user_id]
        return {
            one: ItemState(one in read, one in saved)
            for one in article_ids
            if one in read or one in saved
        }

    async def list_starred(self, user_id):
        await self._answer()
        return [
            Item(one.article.id, count_us(one.saved_at), count_us(one.article.published_at))
            for one in self._saved.kept[user_id].values()
        ]

    async def list_page(self, user_id, limit, after):
        await self._answer()
        marks = sorted(self.kept[user_id].items(), key=lambda mark: (-mark[1].timestamp(), mark[0]))
        if after is not None:
            last = (-datetime.fromisoformat(after.keys[0]).timestamp(), after.keys[1])
            marks = [mark for mark in marks if (-mark[1].timestamp(), mark[0]) > last]
        page = tuple(ReadMark(*mark) for mark in marks[:limit])
        more = len(marks) > limit
        return ReadMarkPage(
            page, Position((page[-1].read_at.isoformat(), page[-1].article_id)) if more else None
        )
