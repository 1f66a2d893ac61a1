"""Recommendations for one person: what they did becomes a profile, the profile finds candidates, and what is left of those makes a page.

Everything read is bounded, and nothing of it is remembered: whatever a person does counts with the next page.
"""

from collections.abc import Awaitable, Callable, Sequence

from attrs import frozen

from newsintel.domain.accounts.model import Account
from newsintel.domain.intelligence.interest_model import Deed, Kind, Profile, Recommendations
from newsintel.domain.intelligence.interests import EACH, profile, strongest, wanted
from newsintel.domain.intelligence.page import page
from newsintel.domain.intelligence.ports import Likeness, Reading
from newsintel.domain.intelligence.ranking import fits, personal, talked_about
from newsintel.domain.personal.preferences import Preferences
from newsintel.domain.ports import WallClock
from newsintel.runtime.intelligence.talked_about import TalkedAbout
from newsintel.runtime.turns import in_turns

CANDIDATES = 150
"""Articles that are scored, the newest that fit."""
OFFERS = 60
"""The best of these that are read whole; a page has 50 at most, two of a publisher."""


@frozen(eq=False)
class Recommender:
    """Makes pages.

    Attributes:
        reading: what people did, and what there is.
        likeness: weighs words.
        talked: what is on many people's minds.
        heeded: tells a person's preferences.
        now: the time.
    """

    _reading: Reading
    _likeness: Likeness
    _talked: TalkedAbout
    _heeded: Callable[[int], Awaitable[Preferences]]
    _now: WallClock

    async def page(self, account: Account, limit: int) -> Recommendations:
        """At most `limit` articles for somebody.

        Raises:
            UnavailableError: PostgreSQL did not do its part.
        """
        kept = await self._heeded(account.id)
        deeds = await self._reading.deeds(account.id)
        of = await self._profile([*_topics(kept), *deeds])
        now, looked_for = self._now(), wanted(of)
        found = await self._reading.sharing(looked_for, CANDIDATES) if of.interests else ()
        fitting = fits(found, of, now, OFFERS)
        talked = await self._talked.now()
        ids = dict.fromkeys([*(fit.article_id for fit in fitting), *(one.article_id for one in talked)])
        offers = await self._reading.unseen(account.id, list(ids))
        return page(
            await in_turns(personal(fitting, offers, kept, now)),
            await in_turns(talked_about(talked, offers, kept, of, now)),
            [deed.label for deed in deeds if deed.article_id],
            limit=limit,
            person=account.public_id,
            day=now.date(),
        )

    async def _profile(self, deeds: Sequence[Deed]) -> Profile:
        now = self._now()
        chosen = strongest(deeds, now)
        terms = await self._likeness.telling_words([deed.text for deed in chosen], EACH) if chosen else ()
        return profile(chosen, terms, now)


def _topics(kept: Preferences) -> list[Deed]:
    return [Deed(Kind.TOPIC, topic, topic, None) for topic in kept.topics]
