"""Puts a page of recommendations together: personal picks in turn with explored ones, no story twice, no publisher more than twice.

Of ten stories on one thing the tenth says little: each pick of an interest makes the next one of it worth FADING times as much. Every
EVERYth place is for what many others care about and the person's profile does not know: who only ever sees more of the same can show no
other interest. Which of these it is, chance decides, the same for a person and a UTC day, so that a page reloaded is the same page.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date
from hashlib import sha256

from attrs import define, field

from newsintel.domain.intelligence.interest_model import Basis, Pick, Recommendations
from newsintel.domain.intelligence.ranking import Choice, as_exploration
from newsintel.domain.search.article import Article
from newsintel.domain.search.dedup import Deduper
from newsintel.domain.search.query_model import Dedupe
from newsintel.domain.text.clean import fold

EVERY = 5
"""Every fifth place explores: a fifth of the page is a price that the others still pay for."""

FADING = 0.85
PER_PUBLISHER = 2
"""On a page (contract)."""


def page(
    personal: Sequence[Choice], talked: Sequence[Choice], known: Iterable[str], *, limit: int, person: str, day: date
) -> Recommendations:
    """A page of at most `limit` picks.

    Args:
        personal: what fits the person, best first.
        talked: what is on many people's minds, best first.
        known: titles of what the person has dealt with, near-duplicates of which are not shown.
        limit: of the page.
        person: tells people apart.
        day: the UTC day.
    """
    choosing = _Choosing(known)
    if not personal:
        return _trending(talked, choosing, limit)
    explored = [as_exploration(one) for one in _shuffled(talked, person, day)]
    left, picks, used = list(personal), list[Pick](), Counter[int | None]()
    while len(picks) < limit and (left or explored):
        if explored and (not left or len(picks) % EVERY == EVERY - 1):
            pick = explored.pop(0)
        else:
            best = max(left, key=lambda one: one.pick.score * FADING ** used[one.interest])
            left.remove(best)
            pick = best.pick
            used[best.interest] += 1
        if choosing.take(pick.article):
            picks.append(pick)
    return Recommendations(Basis.PERSONAL, tuple(picks))


def _trending(talked: Iterable[Choice], choosing: "_Choosing", limit: int) -> Recommendations:
    picks = [one.pick for one in talked if choosing.take(one.pick.article)]
    return Recommendations(Basis.TRENDING, tuple(picks[:limit]))


@define
class _Choosing:
    """Knows what is on the page, and what must not be."""

    _known: Iterable[str]
    _stories: Deduper = field(init=False, factory=lambda: Deduper(Dedupe.NORMAL))
    _publishers: Counter[str] = field(init=False, factory=Counter)
    _ids: set[str] = field(init=False, factory=set)

    def __attrs_post_init__(self) -> None:
        for title in self._known:
            self._stories.add(title, None)

    def take(self, article: Article) -> bool:
        """Put an article on the page if there is room for its publisher, and its story is new."""
        publisher = fold(article.publisher)
        if self._publishers[publisher] >= PER_PUBLISHER or article.id in self._ids:
            return False
        if self._stories.add(article.title, article.canonical_url).rule is not None:
            return False
        self._ids.add(article.id)
        self._publishers[publisher] += 1
        return True


def _shuffled(choices: Iterable[Choice], person: str, day: date) -> list[Choice]:
    def chance(one: Choice) -> bytes:
        return sha256(f"{day}\n{person}\n{one.pick.article.id}".encode()).digest()

    return sorted(choices, key=chance)
