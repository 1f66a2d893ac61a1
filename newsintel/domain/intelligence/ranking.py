"""Chooses and ranks recommendations. Candidates and a profile flow in, scored picks flow out.

    score = affinity * (1 - aversion) * recency * popularity * source

| part | value |
|---|---|
| affinity | 1 - product over interests of (1 - importance * match) |
| aversion | the share of the terms of "less like this" |
| recency | 1/2 + 1/2 * 2^(-age / 3 d) |
| popularity | 0.8 + 0.2 * popularity: engagement, corroboration, saves |
| source | 1 for a preferred one, else 0.9; 1 for all if there is none |

An interest's match is the share of its terms, and each interest is a reason on its own. Every part
is 0..1, and so is the score. The weights are judgements: the fit to the profile decides first, the
rest decides among articles that fit.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from math import fsum

from attrs import evolve, frozen

from newsintel.domain.bounds.slices import Sliced
from newsintel.domain.intelligence.interest_model import (
    Deed,
    DeedKind,
    Evidence,
    Interest,
    Pick,
    PopularArticle,
    Profile,
    ProfileMatch,
    UnseenArticle,
)
from newsintel.domain.intelligence.interests import MIN_ALONE_SHARE
from newsintel.domain.personal.preferences import Preferences
from newsintel.domain.search.matching import PreparedTopics
from newsintel.domain.search.popularity import article_popularity
from newsintel.domain.search.scoring import decay

HALF_LIFE = timedelta(days=3)
RECENCY, POPULARITY, OTHER_SOURCE = 0.5, 0.2, 0.9
DECIMALS = 4

MAX_EXPLORATION_SHARE = 0.25
"""An article with at least this share of an interest's terms is not exploration, and with this
share of unwanted terms it is not offered as such."""

MIN_WORTH = 0.1
"""A fit with a lower worth is not significant, as in `likeness`, and is dropped."""

REASON_TEXTS = {
    DeedKind.TOPIC: "topic you follow: {}",
    DeedKind.SAVED: "because you saved “{}”",
    DeedKind.NOTED: "because of your note on “{}”",
    DeedKind.SEARCHED: "because you searched for “{}”",
    DeedKind.OPENED: "because you read “{}”",
}


@frozen
class Fit:
    """How an article fits a profile.

    Attributes:
        worth: affinity * (1 - aversion), 0..1.
        interest: the number of the interest that it fits best.
        why: the reason in words.
    """

    article_id: str
    worth: float
    interest: int
    why: str


@frozen
class Choice:
    """An article that may be on the page. `interest` is None for articles offered to everybody."""

    pick: Pick
    interest: int | None = None


def rank_fits(found: Iterable[ProfileMatch], of: Profile, now: datetime, most: int) -> list[Fit]:
    """Return the articles that fit a profile best, by worth and recency, best first.

    On ties the newest comes first, then the order is by id.

    Args:
        found: in any order, each once.
        of: the profile.
        now: the time from which ages count.
        most: the maximum number.
    """
    fitting = []
    for one in found:
        worth, interest = _score_fit(one.shared, of)
        if worth >= MIN_WORTH:
            recency = score_recency(one.published_at, now)
            order = (-worth * recency, -one.published_at.timestamp(), one.article_id)
            fitting.append((order, worth, interest, one))
    return [
        Fit(
            one.article_id,
            worth,
            interest,
            explain_pick(of.interests[interest].evidence, one.shared),
        )
        for _, worth, interest, one in sorted(fitting, key=lambda it: it[0])[:most]
    ]


def score_personal(
    fitting: Iterable[Fit], offers: Mapping[str, UnseenArticle], kept: Preferences, now: datetime
) -> Sliced[list[Choice]]:
    """Score the fits that are on offer, best first, without what the preferences exclude."""
    found = []
    excluded = PreparedTopics(kept.excluded_topics)
    for fit in fitting:
        yield
        offer = offers.get(fit.article_id)
        if offer is not None and is_allowed(offer, kept, excluded):
            preferred = offer.article.source in kept.preferred_sources
            score = fit.worth * _score_appeal(offer, kept, now)
            reasons = (
                (fit.why, f"preferred source: {offer.article.source}") if preferred else (fit.why,)
            )
            found.append(Choice(Pick(offer.article, round(score, DECIMALS), reasons), fit.interest))
    return _sort_choices(found)


def score_popular(
    talked: Iterable[PopularArticle],
    offers: Mapping[str, UnseenArticle],
    kept: Preferences,
    of: Profile,
    now: datetime,
) -> Sliced[list[Choice]]:
    """Score popular articles on offer that are outside the profile, in the given order.

    The score is half of recency, popularity and source: there is no sign that this person is
    interested.
    """
    found = []
    excluded = PreparedTopics(kept.excluded_topics)
    for one in talked:
        yield
        offer = offers.get(one.article_id)
        if (
            offer is not None
            and is_allowed(offer, kept, excluded)
            and is_outside_profile(one.terms, of)
        ):
            score = round(0.5 * _score_appeal(offer, kept, now), DECIMALS)
            found.append(Choice(Pick(offer.article, score, (one.why,))))
    return found


def is_outside_profile(terms: frozenset[str], of: Profile) -> bool:
    """Whether an article is outside all interests of a profile and outside its aversions."""
    return all(
        _sum_share(side, terms) < MAX_EXPLORATION_SHARE
        for side in (of.averse, *(interest.terms for interest in of.interests))
    )


def is_allowed(offer: UnseenArticle, kept: Preferences, excluded: PreparedTopics) -> bool:
    """Whether preferences allow an article, by its topics and its language, if known."""
    article = offer.article
    if kept.language and article.language and article.language != kept.language:
        return False
    return not excluded.matches(article)


def score_recency(published_at: datetime, now: datetime) -> float:
    """Return the factor for an article's age. A date after `now` counts as now."""
    return 1 - RECENCY + RECENCY * decay(published_at, now, HALF_LIFE)


def explain_pick(evidence: Sequence[Evidence], shared: frozenset[str]) -> str:
    """Describe the deed that shares most with an article; on ties the strongest."""
    deed: Deed = max(evidence, key=lambda one: _sum_share(one.terms, shared)).deed
    return REASON_TEXTS[deed.kind].format(deed.label)


def _score_fit(shared: frozenset[str], of: Profile) -> tuple[float, int]:
    """Return affinity * (1 - aversion), and the number of the best interest (ties: earliest)."""
    missing, best, most = 1.0, 0, 0.0
    for place, interest in enumerate(of.interests):
        part = interest.importance * _match_interest(interest, shared)
        missing *= 1 - part
        if part > most:
            best, most = place, part
    return (1 - missing) * (1 - _sum_share(of.averse, shared)), best


def _match_interest(interest: Interest, shared: frozenset[str]) -> float:
    """Return how well terms match an interest. A single common word needs a large share."""
    having = [interest.terms[term] for term in shared if term in interest.terms]
    return (
        min(1.0, fsum(having))
        if len(having) > 1 or any(share >= MIN_ALONE_SHARE for share in having)
        else 0.0
    )


def _sum_share(weights: Mapping[str, float], terms: frozenset[str]) -> float:
    # The order of a set differs between processes. fsum gives the same sum in any order.
    return min(1.0, fsum(weights[term] for term in terms if term in weights))


def _score_appeal(offer: UnseenArticle, kept: Preferences, now: datetime) -> float:
    source = (
        1.0
        if not kept.preferred_sources or offer.article.source in kept.preferred_sources
        else OTHER_SOURCE
    )
    popular = (
        1
        - POPULARITY
        + POPULARITY * article_popularity(offer.article, offer.publishers, offer.saves)
    )
    return score_recency(offer.article.published_at, now) * popular * source


def _sort_choices(found: Iterable[Choice]) -> list[Choice]:
    return sorted(
        found,
        key=lambda one: (
            -one.pick.score,
            -one.pick.article.published_at.timestamp(),
            one.pick.article.id,
        ),
    )


def mark_exploration(choice: Choice) -> Pick:
    """Mark a pick as exploration in its reasons."""
    return evolve(choice.pick, reasons=tuple(f"exploration: {why}" for why in choice.pick.reasons))
