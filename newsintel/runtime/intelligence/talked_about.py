"""What is on many people's minds: the articles that trending searches find, then those that many outlets cover. The same for everybody.

Made at most once in KEEP_S for all who ask, by the first of them; it costs a handful of searches of the archive. Where it cannot be made,
all who waited learn it at the same moment.
"""

from collections.abc import Sequence
from math import inf

import trio

from newsintel.domain.archive import query as archive_query
from newsintel.domain.archive.model import ArchiveSort
from newsintel.domain.archive.ports import ArchiveSearch
from newsintel.domain.intelligence.interest_model import Talked
from newsintel.domain.intelligence.interests import EACH
from newsintel.domain.intelligence.ports import Likeness, Reading, Trending
from newsintel.domain.intelligence.search_counts import Span, Trend
from newsintel.errors import BusyError, InvalidParameterError
from newsintel.runtime.make_once import MakeOnce

KEEP_S = 60.0
EMPTY_S = 5.0
"""For how long a list is remembered that has no article, or of whose articles no term is known: the archive, or its words, are just being
counted."""
TRENDS = 8
"""Searches that articles are found for, of EACH_TREND articles each."""
EACH_TREND = 5
COVERED = 60
"""Widely covered articles; where nothing is, simply the newest. Enough for a page of 50 at two of a publisher, as a rule."""


class TalkedAbout:
    """The list, remembered for a while.

    Args:
        trending: what is searched for.
        archive: finds the articles.
        reading: knows which are widely covered.
        likeness: knows the terms of titles.
        floor: people that a search must have to be seen.
    """

    def __init__(self, trending: Trending, archive: ArchiveSearch, reading: Reading, likeness: Likeness, floor: int) -> None:
        self._trending = trending
        self._archive = archive
        self._reading = reading
        self._likeness = likeness
        self._floor = floor
        self._making: MakeOnce[None, Sequence[Talked]] = MakeOnce(own_failures=BusyError)
        self._good_until = -inf
        self._list: Sequence[Talked] = ()

    async def now(self) -> Sequence[Talked]:
        """The list, at most KEEP_S old (EMPTY_S while it says nothing), the most talked about first.

        Raises:
            UnavailableError: it cannot be made.
        """
        if trio.current_time() < self._good_until:
            return self._list
        return await self._making.make(None, self._renew)

    async def _renew(self) -> Sequence[Talked]:
        made = self._list = await self._make()
        self._good_until = trio.current_time() + (KEEP_S if any(one.terms for one in made) else EMPTY_S)
        return made

    async def _make(self) -> Sequence[Talked]:
        found: dict[str, tuple[str, str]] = {}
        for trend in await self._trending.top(Span.DAY, self._floor, TRENDS):
            for article_id, title in await self._matches(trend):
                found.setdefault(article_id, (title, f"many people search for “{trend.query}”"))
        for article_id, title, duplicates in await self._reading.covered(COVERED):
            found.setdefault(article_id, (title, f"widely covered, {duplicates + 1} times" if duplicates else "new"))
        terms = await self._likeness.telling_words([title for title, _ in found.values()], EACH)
        return [Talked(one, why, frozenset(some)) for (one, (_, why)), some in zip(found.items(), terms, strict=True)]

    async def _matches(self, trend: Trend) -> Sequence[tuple[str, str]]:
        """The newest articles of a trending search; none if the archive cannot look for it, as for stop words alone."""
        try:
            page = await self._archive.search(archive_query.build(trend.query, sort=ArchiveSort.NEWEST), EACH_TREND, None)
        except InvalidParameterError:
            return ()
        return [(hit.article.id, hit.article.title) for hit in page.hits]
