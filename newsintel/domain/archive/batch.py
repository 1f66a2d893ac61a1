"""Articles and pairs on their way from answers to the archive."""

from datetime import datetime

from attrs import define, field

from newsintel.domain.search.article import Article, Pair
from newsintel.domain.search.harvest import Answer
from newsintel.domain.search.merging import build_pairs
from newsintel.domain.search.sizes import articles_bytes

BATCH_ROWS = 200
"""Articles that one statement saves. More would not be faster: the tests of the storage measured
it.
"""
BATCH_BYTES = 512 * 2**10
"""Texts that one statement saves. On two busy cores that takes 0.3 s, and 2 MiB take 1 s; the time
limit of a statement is 1.5 s. 200 articles of 19 kB take 5 s.
"""

FetchedArticle = tuple[Article, datetime]


@define
class ArchiveBatch:
    """Articles and pairs that are accepted, and neither saved nor spooled yet.

    Attributes:
        rows: articles with the times of their fetch. Whatever handles rows takes them from the
            front, so the batch always holds what is still to do.
        pairs: pairs of articles; they follow all rows, because both articles must be saved first.
    """

    rows: list[FetchedArticle] = field(factory=list)
    pairs: list[Pair] = field(factory=list)

    def add(self, answer: Answer) -> None:
        """Add a landed answer's articles, and the pairs that its merge found."""
        self.rows += [
            (article, outcome.fetched_at)
            for outcome in answer.harvest.outcomes
            for article in outcome.articles
        ]
        self.pairs += build_pairs(answer.merge)

    def drop_repeats(self) -> None:
        """Keep of each article, as several answers may have it, the row of its latest fetch."""
        self.rows = list(dict(self.rows).items())

    def count_piece(self) -> int:
        """Return how many of the first rows one statement saves: by number and by bytes.

        An article larger than BATCH_BYTES is a piece of its own.
        """
        size_bytes = 0
        for number, (article, _) in enumerate(self.rows[:BATCH_ROWS]):
            size_bytes += articles_bytes([article])
            if number and size_bytes > BATCH_BYTES:
                return number
        return min(len(self.rows), BATCH_ROWS)
