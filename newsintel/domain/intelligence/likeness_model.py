"""The values of intelligence. All are frozen; times are aware UTC."""

from datetime import datetime

from attrs import frozen

from newsintel.domain.search.article import Article


@frozen
class Match:
    """An article of the archive that is like another, or like some weighted terms.

    Attributes:
        score: how like, 0..1; higher is more so. Comparable within one answer alone.
        terms: the words that made the match, as they stand in the article (not stemmed), the most telling first.
    """

    article: Article
    fetched_at: datetime
    score: float
    terms: tuple[str, ...]
