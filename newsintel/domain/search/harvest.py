"""The result of a search, in the order of the dataflow: scores, merge, harvest, answer.

All values are frozen; times are aware UTC.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from functools import cached_property

from attrs import evolve, field, frozen

from newsintel.domain.search.article import ArchivedArticle, Article, Group
from newsintel.domain.search.outcome import FetchOutcome, HeldFrom
from newsintel.domain.search.query_model import Dedupe, Query
from newsintel.domain.search.sizes import (
    ANSWER_BYTES,
    GROUP_BYTES,
    articles_bytes,
    query_bytes,
)
from newsintel.domain.tracing import NO_SPAN, Span


@frozen
class ScoreParts:
    """The parts of a relevance score, which is their sum; `scoring` has the ranges and formulas."""

    title: float
    description: float
    recency: float
    corroboration: float
    engagement: float
    source_rank: float

    @property
    def total(self) -> float:
        """The score, 0..1."""
        words = self.title + self.description + self.source_rank
        return words + self.recency + self.corroboration + self.engagement


@frozen
class Ranked:
    """A group with the parts of its leader's score and its popularity, 0..1 (see `popularity`)."""

    group: Group
    parts: ScoreParts
    popularity: float = 0.0


@frozen
class Merge:
    """Every group of a harvest under one dedupe mode, best first."""

    mode: Dedupe
    ranked: tuple[Ranked, ...]


class Origin(StrEnum):
    """Where an answer's articles come from."""

    LIVE = "live"
    STALE = "stale"
    ARCHIVE = "archive"


@frozen
class Harvest:
    """The whole result of one fan-out: the unit that is cached, archived and viewed.

    Attributes:
        fetched_at: when it landed; its scores are of this time, and it identifies the harvest among
            those of its key.
        outcomes: one per selected source, in founder order.
        origin: LIVE; ARCHIVE if `archived` replaces the results of sources that all failed; STALE
            if it is served because no newer one could be fetched.
        archived: articles from the archive, only with origin ARCHIVE.
        saves: how many people had saved an article when the harvest landed, by public id; without
            the articles that too few people had saved.
    """

    query: Query
    fetched_at: datetime
    outcomes: tuple[FetchOutcome, ...]
    origin: Origin = Origin.LIVE
    archived: tuple[Article, ...] = ()
    saves: Mapping[str, int] = field(factory=dict)

    @property
    def articles(self) -> tuple[Article, ...]:
        """Every article, in founder order: SOURCES order, then upstream position."""
        return self.archived + tuple(
            article for outcome in self.outcomes for article in outcome.articles
        )

    @property
    def complete(self) -> bool:
        """True if no selected, enabled source failed."""
        return not any(outcome.status.failed for outcome in self.outcomes)

    @property
    def answered(self) -> bool:
        """True if at least one source answered, or none was enabled to be asked."""
        return self.complete or any(outcome.status.answered for outcome in self.outcomes)

    @property
    def cacheable(self) -> bool:
        """True if it may answer later callers: it is live, and at least one source answered."""
        return self.origin is Origin.LIVE and any(
            outcome.status.answered for outcome in self.outcomes
        )

    @property
    def fresh_since(self) -> datetime:
        """The time from which its freshness counts: that of its oldest good outcome.

        A refresh of failed sources does not renew the other outcomes.
        """
        return min(
            (outcome.fetched_at for outcome in self.outcomes if outcome.status.answered),
            default=self.fetched_at,
        )


@frozen
class Answer:
    """What a flight lands with: a harvest and its default merge.

    Attributes:
        merge: the harvest's articles under Dedupe.NORMAL.
        refused: the outcomes of the refresh that failed; () if the answer is not stale, or if no
            refresh was allowed.
    """

    harvest: Harvest
    merge: Merge
    refused: tuple[FetchOutcome, ...] = ()

    @cached_property
    def size_bytes(self) -> int:
        """The size in memory, for the limits of caches and queues: each of them asks for it."""
        articles, groups = self.harvest.articles, self.merge.ranked
        return (
            ANSWER_BYTES
            + query_bytes(self.harvest.query)
            + articles_bytes(articles)
            + GROUP_BYTES * len(groups)
        )

    def find_article(self, article_id: str) -> ArchivedArticle | None:
        """Return an article of the harvest, as far as this answer knows it."""
        fetched_at = self.harvest.fetched_at
        for ranked in self.merge.ranked:
            group = ranked.group
            for member in group.members:
                if member.article.id == article_id:
                    discussed = group.find_discussion(article_id)
                    article = evolve(
                        member.article, engagement=discussed or member.article.engagement
                    )
                    return ArchivedArticle(
                        article,
                        fetched_at,
                        fetched_at,
                        group.leader.id,
                        group.founder.id,
                        tuple(
                            other
                            for other in group.list_others(member.article)
                            if other.article.id != article_id  # the same page, of another source
                        ),
                    )
        return None

    @property
    def stale(self) -> bool:
        """True if it is an older harvest because a newer one could not be fetched."""
        return self.harvest.origin is Origin.STALE

    @property
    def failed(self) -> bool:
        """True if no source answered, and no older harvest or archive replaces the answer."""
        return self.harvest.origin is Origin.LIVE and not self.harvest.answered

    @property
    def reported(self) -> tuple[FetchOutcome, ...]:
        """The outcomes to show to the caller: those of a failed refresh, else the harvest's.

        The outcomes of an older harvest are not what happened just now.
        """
        return self.refused or self.harvest.outcomes

    @property
    def complete(self) -> bool:
        """True if no selected, enabled source failed, in the failed refresh if there was one."""
        return not any(outcome.status.failed for outcome in self.reported)

    @property
    def personal(self) -> bool:
        """True if a source held back from the person who asked.

        Others may get more, so no shared cache may keep the answer.
        """
        return any(
            outcome.held_back is HeldFrom.PERSON
            for outcome in (*self.harvest.outcomes, *self.refused)
        )


class Via(StrEnum):
    """How an answer reached this caller."""

    HIT = "hit"
    REVALIDATED = "revalidated"
    """Served at once after its TTL: a flight renews it, or the asker may not start one."""
    MISS = "miss"
    COLLAPSED = "collapsed"
    """By a flight that was already running."""


@frozen
class Reply:
    """An answer, and how it reached this caller."""

    answer: Answer
    via: Via


@frozen
class CacheWrite:
    """An answer to keep in Redis, and the token of the claim to release (None = no claim).

    Its write is a step of `span`.
    """

    answer: Answer
    lock_token: str | None
    span: Span = NO_SPAN


@frozen
class ArchiveWrite:
    """An answer whose articles go to the archive, as a step of `span`."""

    answer: Answer
    span: Span = NO_SPAN
