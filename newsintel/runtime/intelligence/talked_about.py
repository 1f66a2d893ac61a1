"""Lists the articles that trending searches find, then those that many outlets cover.

The list is the same for everybody. The first caller makes it for all, at most once in LIST_KEEP_S,
with a few archive searches. If it cannot be made, all waiters fail at the same moment.
"""

from collections.abc import Sequence
from math import inf

import trio

from newsintel.domain.archive import query as archive_query
from newsintel.domain.archive.model import ArchiveSort
from newsintel.domain.archive.ports import ArchiveSearch
from newsintel.domain.intelligence.interest_model import PopularArticle
from newsintel.domain.intelligence.interests import TERMS_PER_DEED
from newsintel.domain.intelligence.ports import Likeness, Reading, Trending
from newsintel.domain.intelligence.search_counts import Trend, TrendWindow
from newsintel.errors import BusyError, InvalidParameterError
from newsintel.runtime.make_once import MakeOnce

LIST_KEEP_S = 60.0
EMPTY_S = 5.0
"""How long a list is kept that has no articles, or only articles without known terms.

The articles or the terms of the archive may not be counted yet.
"""
TRENDS = 8
"""Maximum number of trending searches, with EACH_TREND articles each."""
EACH_TREND = 5
COVERED = 60
"""Maximum number of widely covered articles, or of the newest ones if none is widely covered.

Usually enough for a page of 50 with two articles per publisher.
"""


class TalkedAbout:
    """The list, cached for a short time.

    Args:
        trending: finds the trending searches.
        archive: finds their articles.
        reading: finds the widely covered articles.
        likeness: finds the terms of titles.
        floor: how many people must have made a search before it is shown.
    """

    def __init__(
        self,
        trending: Trending,
        archive: ArchiveSearch,
        reading: Reading,
        likeness: Likeness,
        floor: int,
    ) -> None:
        self._trending = trending
        self._archive = archive
        self._reading = reading
        self._likeness = likeness
        self._floor = floor
        self._making: MakeOnce[None, Sequence[PopularArticle]] = MakeOnce(own_failures=BusyError)
        self._good_until = -inf
        self._list: Sequence[PopularArticle] = ()

    async def get_list(self) -> Sequence[PopularArticle]:
        """Return the list, the most talked about first, at most LIST_KEEP_S old.

        Without terms it is at most EMPTY_S old.

        Raises:
            UnavailableError: the list cannot be made.
        """
        if trio.current_time() < self._good_until:
            return self._list
        return await self._making.make(None, self._renew)

    async def _renew(self) -> Sequence[PopularArticle]:
        made = self._list = await self._make()
        self._good_until = trio.current_time() + (
            LIST_KEEP_S if any(one.terms for one in made) else EMPTY_S
        )
        return made

    async def _make(self) -> Sequence[PopularArticle]:
        found: dict[str, tuple[str, str]] = {}
        for trend in await self._trending.list_top(TrendWindow.DAY, self._floor, TRENDS):
            for article_id, title in await self._find_articles(trend):
                found.setdefault(article_id, (title, f"many people search for “{trend.query}”"))
        for article_id, title, duplicates in await self._reading.list_most_covered(COVERED):
            found.setdefault(
                article_id,
                (title, f"widely covered, {duplicates + 1} times" if duplicates else "new"),
            )
        terms = await self._likeness.find_key_terms(
            [title for title, _ in found.values()], TERMS_PER_DEED
        )
        return [
            PopularArticle(one, why, frozenset(some))
            for (one, (_, why)), some in zip(found.items(), terms, strict=True)
        ]

    async def _find_articles(self, trend: Trend) -> Sequence[tuple[str, str]]:
        """Return the newest articles of a trending search, as id and title.

        Returns nothing if the archive cannot search for it, for example for stop words alone.
        """
        try:
            page = await self._archive.search(
                archive_query.build_archive_query(trend.query, sort=ArchiveSort.NEWEST),
                EACH_TREND,
                None,
            )
        except InvalidParameterError:
            return ()
        return [(hit.article.id, hit.article.title) for hit in page.hits]
