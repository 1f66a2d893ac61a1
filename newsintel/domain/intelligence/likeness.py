"""Scores similar articles and chooses those to show: each story once, without known ones.

| part of a score | value |
|---|---|
| shared | the weights of the candidate's terms, as a share of all |
| length | 1 / (1 - 0.5 + 0.5 L), see below |
| recency | 0.85 + 0.15 2^(-age / 30 d) |
| publisher | 0.85 if the publisher is that of the text itself, else 1 |

The score is their product, 0..1. L is the candidate's number of words over the median of all
candidates, at least 1: long texts share words by chance. Its form is that of BM25 (Robertson and
Zaragoza, The Probabilistic Relevance Framework, 2009, 3.4) without the bonus for short texts. Its
0.5 was chosen on one half of the labelled stories (docs/decisions/0017). The other two factors are
judgements. Recency: of two equally similar articles the newer comes first, but one that is a tenth
more similar stays ahead. Publisher: another view of a story is worth more than the next article of
the same publisher.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from statistics import median

from attrs import evolve, frozen

from newsintel.domain.search.article import Article
from newsintel.domain.search.dedup import Deduper, Headline
from newsintel.domain.search.query_model import Dedupe
from newsintel.domain.search.scoring import decay
from newsintel.domain.text.clean import fold

LENGTH, RECENCY, SAME_PUBLISHER = 0.5, 0.15, 0.85
HALF_LIFE = timedelta(days=30)

MIN_SCORE = 0.1
"""A match with a lower score is not significant: one common word of a dozen. It is dropped."""

DECIMALS = 4


@frozen
class Candidate:
    """An article that shares terms with a text.

    Attributes:
        id: its internal id in the archive.
        words: how many different words it has.
        shared: bit n is set if it has the nth term.
    """

    id: int
    words: int
    shared: int


@frozen
class Scored:
    """An article's internal id, its score, and the shared terms, the most significant first."""

    id: int
    score: float
    terms: tuple[str, ...]


def score_candidates(candidates: Sequence[Candidate], weights: Mapping[str, float]) -> list[Scored]:
    """Score candidates by shared terms and length, best first, and drop those below MIN_SCORE.

    On ties the latest archived comes first.

    Args:
        candidates: in any order.
        weights: of the terms, in the order of the bits in `shared`.
    """
    if not candidates:
        return []
    usual = max(1.0, median(one.words for one in candidates))
    terms = {
        mask: tuple(term for place, term in enumerate(weights) if mask >> place & 1)
        for mask in {one.shared for one in candidates}
    }
    whole = sum(weights.values())
    shares = {mask: sum(weights[term] for term in some) / whole for mask, some in terms.items()}
    scored = [
        Scored(one.id, shares[one.shared] / _length_factor(one.words / usual), terms[one.shared])
        for one in candidates
    ]
    return sorted(
        (one for one in scored if one.score >= MIN_SCORE), key=lambda one: (-one.score, -one.id)
    )


def rescore_articles(
    scored: Iterable[Scored], articles: Mapping[int, Article], publisher: str | None, now: datetime
) -> list[Scored]:
    """Multiply scores by recency and publisher, best first; on ties the latest archived first.

    Args:
        scored: from `score_candidates`.
        articles: by id. Articles that are missing here were deleted meanwhile and are dropped.
        publisher: the publisher of the text itself, if it has one.
        now: the time from which ages count.
    """
    rescored = []
    for one in scored:
        if article := articles.get(one.id):
            same = (
                SAME_PUBLISHER
                if publisher is not None and fold(article.publisher) == fold(publisher)
                else 1.0
            )
            score = one.score * same * _recency_factor(article.published_at, now)
            rescored.append(evolve(one, score=round(score, DECIMALS)))
    return sorted(rescored, key=lambda one: (-one.score, -one.id))


def drop_duplicates(
    ranked: Iterable[Scored],
    titles: Mapping[int, str],
    ties: Iterable[tuple[int, int]],
    known: Sequence[tuple[int | None, str]],
) -> list[Scored]:
    """Return the best article of each story, without known stories.

    Articles belong to one story if they are duplicates, directly or through others, or if their
    titles are nearly equal. The rule for stories would take away most of what is asked for: titles
    about one subject.

    Args:
        ranked: best first.
        titles: the titles of all of them, by id. Articles without one were deleted and are dropped.
        ties: pairs of duplicates.
        known: the id (None if it has none) and the title of each unwanted article.
    """
    groups = _group_ties(ties)
    seen = {groups.get(one, one) for one, _ in known if one is not None}
    deduper = Deduper(Dedupe.STRICT)
    for _, title in known:
        deduper.add(Headline(title), None)
    kept = []
    for one in ranked:
        if (
            one.id not in titles
            or groups.get(one.id, one.id) in seen
            or deduper.add(Headline(titles[one.id]), None).rule is not None
        ):
            continue
        seen.add(groups.get(one.id, one.id))
        kept.append(one)
    return kept


def _length_factor(times_usual: float) -> float:
    return 1 - LENGTH + LENGTH * max(1.0, times_usual)


def _recency_factor(published_at: datetime, now: datetime) -> float:
    return 1 - RECENCY + RECENCY * decay(published_at, now, HALF_LIFE)


def _group_ties(ties: Iterable[tuple[int, int]]) -> dict[int, int]:
    """Map each id that has duplicates to one id for its whole group."""
    groups: dict[int, set[int]] = {}
    for one, other in ties:
        merged = groups.get(one, {one}) | groups.get(other, {other})
        for member in merged:
            groups[member] = merged
    return {member: min(group) for member, group in groups.items()}
