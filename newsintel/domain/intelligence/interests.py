"""Derives a person's interests from what they did. Deeds with terms flow in, a profile flows out.

The terms of a deed are scaled to a length of

    strength(kind) * 2 ^ (-age / half-life(kind))

and added up as Rocchio did with documents that people judged (Relevance feedback in information
retrieval, 1971): wanted terms count positive, unwanted ones negative, and a sum below 0 is dropped.
But a person has several interests, and the mean of two interests describes neither. So deeds with
common words are clustered first, as PinnerSage does with what people pin (Pal et al., KDD 2020):
here by the cosine of their terms.

| | strength | half-life | reason |
|---|---|---|---|
| topic | 1.0 | none | stated explicitly, and withdrawn explicitly |
| save | 1.0 | 30 d | meant to be read again, so it lasts |
| search | 0.8 | 7 d | the person's own words, but usually a short-lived need |
| note | 0.5 | 30 d | counts in addition to the save that it belongs to |
| opened | 0.3 | 14 d | clicks are many and say little |
| less like this | -1.0 | 60 d | people do not repeat it |

Strengths and half-lives are judgements; news interests drift within weeks (Liu, Dolan and Pedersen,
Personalized news recommendation based on click behavior, IUI 2010).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from math import sqrt

from attrs import define, field

from newsintel.domain.intelligence.interest_model import (
    CandidateQuery,
    Deed,
    DeedKind,
    Evidence,
    Interest,
    Profile,
)
from newsintel.domain.search.scoring import decay

STRENGTH = {
    DeedKind.TOPIC: 1.0,
    DeedKind.SAVED: 1.0,
    DeedKind.SEARCHED: 0.8,
    DeedKind.NOTED: 0.5,
    DeedKind.OPENED: 0.3,
    DeedKind.DISLIKED: 1.0,
}
HALF_LIFE_D = {
    DeedKind.SAVED: 30,
    DeedKind.SEARCHED: 7,
    DeedKind.NOTED: 30,
    DeedKind.OPENED: 14,
    DeedKind.DISLIKED: 60,
}

MOST_DEEDS = 100
"""A profile uses only the strongest deeds: the next one would contribute less than a hundredth."""

TERMS_PER_DEED = 8
"""Terms of one deed: a headline rarely has more that are significant."""

MIN_CLUSTER_COSINE = 0.25
"""Cosine from which a deed belongs to an interest: two of eight words."""

MOST_INTERESTS, MOST_TERMS, MOST_AVERSE = 5, 7, 14
"""Limits of interests, of the terms of each, and of unwanted terms. More find few further articles,
and cost time."""

MIN_ALONE_SHARE = 0.3
"""A term with this share of its interest's weight finds articles on its own: either several deeds
have it, or no other term does."""


def deed_strength(deed: Deed, now: datetime) -> float:
    """Return the weight of a deed at `now`, 0..1. A later date counts as now; HIDDEN weighs 0."""
    if deed.kind is DeedKind.HIDDEN:
        return 0.0
    if deed.at is None:
        return STRENGTH[deed.kind]
    return STRENGTH[deed.kind] * decay(deed.at, now, timedelta(days=HALF_LIFE_D[deed.kind]))


def select_strongest(deeds: Iterable[Deed], now: datetime) -> list[Deed]:
    """Return at most MOST_DEEDS deeds, the strongest first; on ties in the given order."""
    weighed = [(deed_strength(deed, now), deed) for deed in deeds]
    return [deed for say, deed in sorted(weighed, key=lambda one: -one[0])[:MOST_DEEDS] if say > 0]


def build_profile(
    deeds: Sequence[Deed], terms: Sequence[Mapping[str, float]], now: datetime
) -> Profile:
    """Return the profile of a person with these deeds.

    Args:
        deeds: the strongest first.
        terms: the terms of each deed's text, in the same order. Weights are above 0; a deed may
            have no terms.
        now: the current time.
    """
    evidence = [
        Evidence(deed, _scale_terms(some, deed_strength(deed, now)))
        for deed, some in zip(deeds, terms, strict=True)
        if some
    ]
    against: dict[str, float] = defaultdict(float)
    gathered = _Clustering()
    for one in evidence:
        if one.deed.kind is DeedKind.DISLIKED:
            for term, weight in one.terms.items():
                against[term] += weight
        else:
            gathered.add(one)
    judged = [(bundle, _subtract_terms(bundle.terms, against)) for bundle in gathered.bundles]
    largest = sorted(judged, key=lambda one: -sum(one[1].values()))[:MOST_INTERESTS]
    most = max((sum(left.values()) for _, left in largest), default=0.0)
    return Profile(
        tuple(
            Interest(
                sqrt(sum(left.values()) / most),
                _compute_shares(left, MOST_TERMS),
                tuple(bundle.evidence),
            )
            for bundle, left in largest
            if left
        ),
        _compute_shares(_subtract_terms(against, gathered.total), MOST_AVERSE),
    )


def build_candidate_query(of: Profile) -> CandidateQuery:
    """Return how to search for articles that fit a profile."""
    lone = [
        term
        for interest in of.interests
        for term, share in interest.terms.items()
        if share >= MIN_ALONE_SHARE
    ]
    terms = [*(term for interest in of.interests for term in interest.terms), *of.averse]
    return CandidateQuery(
        tuple(dict.fromkeys(lone)),
        tuple(tuple(interest.terms) for interest in of.interests if len(interest.terms) > 1),
        tuple(dict.fromkeys(terms)),
    )


@define
class _Cluster:
    """A cluster of deeds, and the sum of their terms."""

    evidence: list[Evidence] = field(factory=list)
    terms: dict[str, float] = field(factory=lambda: defaultdict(float))
    square: float = 0.0

    def add(self, one: Evidence) -> None:
        self.evidence.append(one)
        for term, weight in one.terms.items():
            before = self.terms[term]
            self.terms[term] = before + weight
            self.square += (before + weight) ** 2 - before**2


@define
class _Clustering:
    """Adds each deed to the most similar cluster, or starts a new one with it."""

    bundles: list[_Cluster] = field(factory=list)
    total: dict[str, float] = field(factory=lambda: defaultdict(float))
    _having: dict[str, set[int]] = field(factory=lambda: defaultdict(set))

    def add(self, one: Evidence) -> None:
        place = self._find_nearest(one.terms)
        if place is None:
            place = len(self.bundles)
            self.bundles.append(_Cluster())
        self.bundles[place].add(one)
        for term, weight in one.terms.items():
            self.total[term] += weight
            self._having[term].add(place)

    def _find_nearest(self, terms: Mapping[str, float]) -> int | None:
        """Return the earliest cluster with the greatest cosine of at least MIN_CLUSTER_COSINE."""
        products: dict[int, float] = defaultdict(float)
        for term, weight in terms.items():
            for place in self._having[term]:
                products[place] += weight * self.bundles[place].terms[term]
        own = sqrt(sum(weight**2 for weight in terms.values()))
        cosines = {
            place: product / (own * sqrt(self.bundles[place].square))
            for place, product in products.items()
        }
        best = max(cosines, key=lambda place: (cosines[place], -place), default=None)
        return best if best is not None and cosines[best] >= MIN_CLUSTER_COSINE else None


def _scale_terms(terms: Mapping[str, float], length: float) -> dict[str, float]:
    norm = sqrt(sum(weight**2 for weight in terms.values()))
    return {term: weight * length / norm for term, weight in terms.items()}


def _subtract_terms(terms: Mapping[str, float], against: Mapping[str, float]) -> dict[str, float]:
    """Subtract the weights of `against` and keep the positive results."""
    return {
        term: weight - against.get(term, 0.0)
        for term, weight in terms.items()
        if weight > against.get(term, 0.0)
    }


def _compute_shares(terms: Mapping[str, float], most: int) -> dict[str, float]:
    """Return the heaviest terms as shares of their sum; ties by term."""
    chosen = sorted(terms.items(), key=lambda one: (-one[1], one[0]))[:most]
    whole = sum(weight for _, weight in chosen)
    return {term: weight / whole for term, weight in chosen}
