"""Checks archived articles at their source, where its terms require it.

What the source has deleted or withdrawn leaves the archive, and so does the name of an author who
deleted the account. The rest is refreshed. Checks use the same pace and quota as searches and, like
an anonymous caller, never the part of a quota that is held back for people.
"""

import random
import re
from collections.abc import Sequence
from functools import partial

import trio
from attrs import define, field

from newsintel.domain.archive.ports import Archive, ArticleChecks, DueCheck
from newsintel.domain.limits.admission import Admission, Refused, Start
from newsintel.domain.limits.quotas import Spent
from newsintel.domain.ports import Count, WallClock
from newsintel.domain.search.outcome import Refusal, SourcePage, Status
from newsintel.domain.search.ports import RecheckUpstream
from newsintel.errors import PoisonedBatchError, UnavailableError
from newsintel.runtime.heartbeats import at_work
from newsintel.runtime.limits.allowance import Allowance
from newsintel.runtime.periodic import sleep_with_jitter
from newsintel.runtime.telemetry.logs import get_logger

log = get_logger(__name__)

ASK_S = 20.0
"""Time limit of a check, with the wait for pace and quota. Nobody waits for it."""
WITHDRAWN = frozenset({"removed", "nsfw", "promoted"})
"""Reasons for which a row of a reply counts as gone. For any other reason, nothing is deleted."""
LARGEST_LOSS = 10
"""An empty reply about more articles than this is an error of the source, not a mass deletion."""


@define(eq=False)
class Rechecker:
    """Checks the articles of one source.

    Attributes:
        source: its name.
        id_pattern: of the ids that it knows; articles with other ids are left as they are.
        most_ids: in one call.
        every_s: pause between calls, shortened by up to half at random.
        upstream: the source itself.
        admission: decides when it may be asked.
        allowance: counts the starts of its calls.
        checks: which articles are due.
        archive: gets refreshed articles.
        count: counts `rechecked_articles`, `withdrawn_articles` and `recheck_failures`.
        now: the time of day.
    """

    _source: str = field(kw_only=True)
    _id_pattern: str = field(kw_only=True)
    _most_ids: int = field(kw_only=True)
    _every_s: float = field(kw_only=True)
    _upstream: RecheckUpstream = field(kw_only=True)
    _admission: Admission = field(kw_only=True)
    _allowance: Allowance = field(kw_only=True)
    _checks: ArticleChecks = field(kw_only=True)
    _archive: Archive = field(kw_only=True)
    _count: Count = field(kw_only=True)
    _now: WallClock = field(kw_only=True)

    async def run(self) -> None:
        """Check one batch after the other until cancelled. A cut check is repeated later."""
        while True:
            await sleep_with_jitter(self._every_s)
            with at_work():
                try:
                    await self._check_batch()
                except (UnavailableError, PoisonedBatchError) as error:
                    log.debug("recheck_failed", source=self._source, reason=str(error))
                    self._count("recheck_failures", source=self._source)

    async def _check_batch(self) -> None:
        due = await self._checks.take_due(self._source, self._most_ids)
        known = [one for one in due if re.fullmatch(self._id_pattern, one.external_id)]
        foreign = [one.article_id for one in due if one not in known]
        if foreign:
            await self._checks.finish(kept=foreign, anonymous=(), gone=())
        if not known:
            return
        reply = await self._ask([one.external_id for one in known])
        if isinstance(reply, SourcePage):
            await self._apply(known, reply)
        else:
            self._count("recheck_failures", source=self._source)

    async def _apply(self, due: Sequence[DueCheck], page: SourcePage) -> None:
        """Refresh what the source still has, and delete what it no longer has."""
        ids = {one.external_id: one.article_id for one in due}
        now = self._now()
        found = [article for article in page.articles if article.external_id in ids]
        await self._archive.save_articles([(article, now) for article in found], [])
        kept = {ids[article.external_id] for article in found}
        gone = set(ids.values()) - kept if _is_conclusive(page, len(due)) else set()
        await self._checks.finish(
            kept=sorted(kept),
            anonymous=sorted(ids[one.external_id] for one in found if one.author is None),
            gone=sorted(gone),
        )
        self._count("rechecked_articles", len(kept), source=self._source)
        if gone:
            self._count("withdrawn_articles", len(gone), source=self._source)
            log.info("articles_withdrawn", source=self._source, articles=len(gone))

    async def _ask(self, ids: Sequence[str]) -> SourcePage | Refusal | Refused:
        """Make one call if the source's terms let it start in time."""
        deadline = trio.current_time() + ASK_S
        reply: SourcePage | Refusal = Refusal(Status.TIMEOUT, "no answer before the deadline")
        with trio.move_on_at(deadline):
            place = await self._allowance.reserve(partial(self._decide, deadline))
            if isinstance(place, Refused):
                return place
            await trio.sleep_until(place.at_s)
            if turned := self._admission.recheck(place, trio.current_time(), self._now()):
                return turned
            reply = await self._upstream.recheck(ids)
            jitter = random.random()  # noqa: S311 - spreads load
            self._admission.record_reply(place, reply, trio.current_time(), jitter)
        return reply

    def _decide(self, deadline: float, spent: Spent, now_s: float) -> Start | Refused:
        return self._admission.reserve(spent, now_s, self._now(), deadline, signed_in=False)


def _is_conclusive(page: SourcePage, asked: int) -> bool:
    """Return whether what is missing in a reply is gone."""
    suspicious = page.returned == 0 and asked > LARGEST_LOSS
    return not suspicious and page.dropped.keys() <= WITHDRAWN
