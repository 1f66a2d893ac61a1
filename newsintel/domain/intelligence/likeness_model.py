"""The values of similar articles. All are frozen; times are aware UTC."""

from datetime import datetime

from attrs import frozen

from newsintel.domain.search.article import Article


@frozen
class SimilarArticle:
    """An article of the archive that is similar to another, or to some weighted terms.

    Attributes:
        score: the similarity, 0..1; higher is more similar. Comparable only within one answer.
        terms: the words that matched, as the article spells them (not stemmed), the most
            significant first.
    """

    article: Article
    fetched_at: datetime
    score: float
    terms: tuple[str, ...]
