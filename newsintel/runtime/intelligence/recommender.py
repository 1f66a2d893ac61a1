"""Recommendations for one person: actions give a profile, and the profile finds articles.

All reads are bounded. Nothing about the person is cached, so every action counts on the next page.
"""

from collections.abc import Awaitable, Callable, Sequence

from attrs import frozen

from newsintel.domain.accounts.model import Account
from newsintel.domain.intelligence.interest_model import Deed, DeedKind, Profile, Recommendations
from newsintel.domain.intelligence.interests import (
    TERMS_PER_DEED,
    build_candidate_query,
    build_profile,
    select_strongest,
)
from newsintel.domain.intelligence.page import build_page
from newsintel.domain.intelligence.ports import Likeness, Reading
from newsintel.domain.intelligence.ranking import rank_fits, score_personal, score_popular
from newsintel.domain.personal.preferences import Preferences
from newsintel.domain.ports import WallClock
from newsintel.runtime.intelligence.talked_about import TalkedAbout
from newsintel.runtime.turns import run_in_turns

CANDIDATES = 150
"""Articles that are scored: the newest ones that match the profile."""
OFFERS = 60
"""Of these, the best ones that are read completely.

A page has at most 50 articles, and at most two of one publisher.
"""


@frozen(eq=False)
class Recommender:
    """Builds pages of recommendations.

    Attributes:
        reading: reads people's actions, and articles.
        likeness: finds the significant words of texts.
        talked: the articles that many people discuss.
        read_preferences: reads a person's preferences.
        now: the time of day.
    """

    _reading: Reading
    _likeness: Likeness
    _talked: TalkedAbout
    _read_preferences: Callable[[int], Awaitable[Preferences]]
    _now: WallClock

    async def build_page(self, account: Account, limit: int) -> Recommendations:
        """Return at most `limit` articles for an account.

        Raises:
            UnavailableError: PostgreSQL failed.
        """
        kept = await self._read_preferences(account.id)
        deeds = await self._reading.list_deeds(account.id)
        of = await self._profile([*_make_topic_deeds(kept), *deeds])
        now, looked_for = self._now(), build_candidate_query(of)
        found = await self._reading.find_by_terms(looked_for, CANDIDATES) if of.interests else ()
        fitting = rank_fits(found, of, now, OFFERS)
        talked = await self._talked.get_list()
        ids = dict.fromkeys(
            [*(fit.article_id for fit in fitting), *(one.article_id for one in talked)]
        )
        offers = await self._reading.load_unseen(account.id, list(ids))
        return build_page(
            await run_in_turns(score_personal(fitting, offers, kept, now)),
            await run_in_turns(score_popular(talked, offers, kept, of, now)),
            [deed.label for deed in deeds if deed.article_id],
            limit=limit,
            person=account.public_id,
            day=now.date(),
        )

    async def _profile(self, deeds: Sequence[Deed]) -> Profile:
        now = self._now()
        chosen = select_strongest(deeds, now)
        terms = (
            await self._likeness.find_key_terms([deed.text for deed in chosen], TERMS_PER_DEED)
            if chosen
            else ()
        )
        return build_profile(chosen, terms, now)


def _make_topic_deeds(kept: Preferences) -> list[Deed]:
    return [Deed(DeedKind.TOPIC, topic, topic, None) for topic in kept.topics]
