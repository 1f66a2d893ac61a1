"""How like candidates are to what is asked, and which of them to show: each story once, and none that is known already.

| part of a score | |
|---|---|
| shared | the weights of the terms that a candidate has, as a share of all |
| length | 1 / (1 - 0.5 + 0.5 L) where L is its number of words over the candidates' median, at least 1: long texts share by chance |
| recency | 0.85 + 0.15 2^(-age / 30 d): of two that are equally like, the newer; what is like by a tenth more stays before it |
| publisher | 0.85 for the publisher of the text itself: another view of a story is worth more than the next piece of the same desk |

Their product is 0..1. The length's form is that of BM25 (Robertson and Zaragoza, The Probabilistic Relevance Framework, 2009, 3.4) without
its gain for short texts; its 0.5 was chosen on one half of the labelled stories (docs/decisions/0017). The other two are judgements.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from statistics import median

from attrs import evolve, frozen

from newsintel.domain.search.article import Article
from newsintel.domain.search.dedup import Deduper
from newsintel.domain.search.query_model import Dedupe
from newsintel.domain.search.scoring import faded
from newsintel.domain.text.clean import fold

LENGTH, RECENCY, SAME_PUBLISHER = 0.5, 0.15, 0.85
HALF_LIFE = timedelta(days=30)

FAINT = 0.1
"""Below it a match says nothing: one common word of a dozen. Fewer matches are better than such."""

DECIMALS = 4


@frozen
class Candidate:
    """An article that shares terms with a text.

    Attributes:
        id: inside the archive.
        words: how many different ones it has.
        shared: bit n stands for the nth of the terms.
    """

    id: int
    words: int
    shared: int


@frozen
class Scored:
    """An article's id inside the archive, its score, and the terms that it shares, the most telling first."""

    id: int
    score: float
    terms: tuple[str, ...]


def closest(candidates: Sequence[Candidate], weights: Mapping[str, float]) -> list[Scored]:
    """The candidates by what they share and their length, without those that share too little; ties by the latest archived.

    Args:
        candidates: in any order.
        weights: of the terms, in the order of the bits in `shared`.
    """
    if not candidates:
        return []
    usual = max(1.0, median(one.words for one in candidates))
    terms = {mask: tuple(term for place, term in enumerate(weights) if mask >> place & 1) for mask in {one.shared for one in candidates}}
    whole = sum(weights.values())
    shares = {mask: sum(weights[term] for term in some) / whole for mask, some in terms.items()}
    scored = [Scored(one.id, shares[one.shared] / _length(one.words / usual), terms[one.shared]) for one in candidates]
    return sorted((one for one in scored if one.score >= FAINT), key=lambda one: (-one.score, -one.id))


def best(scored: Iterable[Scored], articles: Mapping[int, Article], publisher: str | None, now: datetime) -> list[Scored]:
    """Scored articles with recency and publisher in their scores, best first; ties by the latest archived.

    Args:
        scored: from `closest`.
        articles: by id; of one that is not here, because it went in the meantime, nothing is kept.
        publisher: of the text itself, if it has one.
        now: what age is counted from.
    """
    rescored = []
    for one in scored:
        if article := articles.get(one.id):
            same = SAME_PUBLISHER if publisher is not None and fold(article.publisher) == fold(publisher) else 1.0
            rescored.append(evolve(one, score=round(one.score * same * _recency(article.published_at, now), DECIMALS)))
    return sorted(rescored, key=lambda one: (-one.score, -one.id))


def distinct(
    ranked: Iterable[Scored], titles: Mapping[int, str], ties: Iterable[tuple[int, int]], known: Sequence[tuple[int | None, str]]
) -> list[Scored]:
    """The best of each story, without the stories that are known.

    Articles are of one story if they are tied, directly or through others, or if their titles are near as they would be in a search.

    Args:
        ranked: best first.
        titles: of all of them, by id; those without one are left out, since they are gone.
        ties: pairs of duplicates.
        known: the id (None if it has none) and title of each article that is not wanted.
    """
    groups = _groups(ties)
    seen = {groups.get(one, one) for one, _ in known if one is not None}
    deduper = Deduper(Dedupe.NORMAL)
    for _, title in known:
        deduper.add(title, None)
    kept = []
    for one in ranked:
        if one.id not in titles or groups.get(one.id, one.id) in seen or deduper.add(titles[one.id], None).rule is not None:
            continue
        seen.add(groups.get(one.id, one.id))
        kept.append(one)
    return kept


def _length(times_usual: float) -> float:
    return 1 - LENGTH + LENGTH * max(1.0, times_usual)


def _recency(published_at: datetime, now: datetime) -> float:
    return 1 - RECENCY + RECENCY * faded(published_at, now, HALF_LIFE)


def _groups(ties: Iterable[tuple[int, int]]) -> dict[int, int]:
    """One id that stands for its whole group, for each id that is tied to another."""
    groups: dict[int, set[int]] = {}
    for one, other in ties:
        merged = groups.get(one, {one}) | groups.get(other, {other})
        for member in merged:
            groups[member] = merged
    return {member: min(group) for member, group in groups.items()}
