"""Builds a page of recommendations: personal picks mixed with exploration, without repetition.

No story occurs twice, no publisher more than twice. The tenth story about one subject adds little,
so each pick of an interest multiplies the worth of the next one by REPEAT_FACTOR. One place in
EXPLORATION_INTERVAL goes to an article that many others care about and that is outside the person's
profile: people who only see more of the same cannot show other interests. These articles are chosen
at random, but the same for a person and a UTC day, so that reloading does not change the page.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date
from hashlib import sha256

from attrs import define, field

from newsintel.domain.intelligence.interest_model import Basis, Pick, Recommendations
from newsintel.domain.intelligence.ranking import Choice, mark_exploration
from newsintel.domain.search.article import Article
from newsintel.domain.search.dedup import Deduper, Headline
from newsintel.domain.search.query_model import Dedupe
from newsintel.domain.text.clean import fold

EXPLORATION_INTERVAL = 5
"""Every fifth place is for exploration: a fifth of the page is an acceptable cost."""

REPEAT_FACTOR = 0.85
PER_PUBLISHER = 2
"""On a page (contract)."""


def build_page(
    personal: Sequence[Choice],
    talked: Sequence[Choice],
    known: Iterable[str],
    *,
    limit: int,
    person: str,
    day: date,
) -> Recommendations:
    """Return a page of at most `limit` picks.

    Args:
        personal: articles that fit the person, best first.
        talked: articles that many people care about, best first.
        known: titles of articles that the person saved, opened or dismissed. Near-duplicates are
            not shown.
        limit: the size of the page.
        person: identifies the person, to vary the exploration.
        day: the UTC day.
    """
    choosing = _Selection(known)
    if not personal:
        return _build_trending(talked, choosing, limit)
    explored = [mark_exploration(one) for one in _shuffle_daily(talked, person, day)]
    left, picks, used = list(personal), list[Pick](), Counter[int | None]()
    while len(picks) < limit and (left or explored):
        if explored and (not left or len(picks) % EXPLORATION_INTERVAL == EXPLORATION_INTERVAL - 1):
            pick = explored.pop(0)
        else:
            best = max(left, key=lambda one: one.pick.score * REPEAT_FACTOR ** used[one.interest])
            left.remove(best)
            pick = best.pick
            used[best.interest] += 1
        if choosing.try_add(pick.article):
            picks.append(pick)
    return Recommendations(Basis.PERSONAL, tuple(picks))


def _build_trending(
    talked: Iterable[Choice], choosing: "_Selection", limit: int
) -> Recommendations:
    picks = [one.pick for one in talked if choosing.try_add(one.pick.article)]
    return Recommendations(Basis.TRENDING, tuple(picks[:limit]))


@define
class _Selection:
    """Tracks which stories and publishers the page may still take."""

    _known: Iterable[str]
    _stories: Deduper = field(init=False, factory=lambda: Deduper(Dedupe.NORMAL))
    _publishers: Counter[str] = field(init=False, factory=Counter)
    _ids: set[str] = field(init=False, factory=set)

    def __attrs_post_init__(self) -> None:
        for title in self._known:
            self._stories.add(Headline(title), None)

    def try_add(self, article: Article) -> bool:
        """Add an article if its publisher has room and its story is new; False if not added."""
        publisher = fold(article.publisher)
        if self._publishers[publisher] >= PER_PUBLISHER or article.id in self._ids:
            return False
        if self._stories.add(Headline(article.title), article.canonical_url).rule is not None:
            return False
        self._ids.add(article.id)
        self._publishers[publisher] += 1
        return True


def _shuffle_daily(choices: Iterable[Choice], person: str, day: date) -> list[Choice]:
    def chance(one: Choice) -> bytes:
        return sha256(f"{day}\n{person}\n{one.pick.article.id}".encode()).digest()

    return sorted(choices, key=chance)
