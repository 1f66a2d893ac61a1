"""What follows from a poll: when the feed and its host are asked next, and what is remembered."""

from datetime import datetime, timedelta

from attrs import frozen

from newsintel.domain.feeds.model import LeasedFeed, PollResult, PollStatus
from newsintel.domain.feeds.ports import FeedRefusal, FeedReply
from newsintel.domain.feeds.schedule import (
    JITTER,
    PollBounds,
    find_rhythm_s,
    plan_failure_pause_s,
    plan_pause_s,
    read_retry_after_s,
)
from newsintel.domain.limits.pauses import clamp_pause

PACE_S = 1.0
"""Pause between two polls of one host, over all processes."""

POSTPONED_S = 60.0
"""A feed whose articles the archive had no room for is read again after this."""

LIMITED_S = 60.0
"""The shortest pause of a host that answered 429 or 503."""


@frozen
class Moment:
    """The end of a poll.

    Attributes:
        jitter: a random number, 0..1.
    """

    bounds: PollBounds
    now: datetime
    jitter: float

    def after(self, pause_s: float) -> datetime:
        """Return the end of a pause, up to a tenth longer but within the longest one."""
        longer_s = min(pause_s * (1 + JITTER * self.jitter), self.bounds.max_s)
        return self.now + timedelta(seconds=longer_s)


def judge_reply(feed: LeasedFeed, reply: FeedReply, moment: Moment) -> PollResult:
    """Return what follows from a feed that answered."""
    content = reply.content
    rhythm_s, newest_at = feed.rhythm_s, feed.newest_at
    if content is not None:
        dates = [
            one.published_at for one in content.page.articles if not one.published_at_estimated
        ]
        rhythm_s = find_rhythm_s(dates, content.ttl_s)
        newest_at = max([*dates, *([newest_at] if newest_at else [])], default=None)
    pause_s = plan_pause_s(rhythm_s, newest_at, reply.headers, moment.bounds, moment.now)
    return PollResult(
        status=PollStatus.UNCHANGED if content is None else PollStatus.OK,
        reason=None if content is None else content.fault,
        next_at=moment.after(pause_s),
        host_free_at=moment.now + timedelta(seconds=PACE_S),
        # A move counts only with a good feed at its end.
        url=reply.moved_to,
        validators=reply.validators,
        title=content.title if content else None,
        items=content.page.returned if content else None,
        rhythm_s=rhythm_s,
        newest_at=newest_at,
    )


def judge_full_archive(moment: Moment) -> PollResult:
    """Return what follows if the articles of a feed were not accepted: it is read again, whole."""
    return PollResult(
        PollStatus.POSTPONED,
        "the archive had no room for its articles",
        moment.now + timedelta(seconds=POSTPONED_S),
        moment.now + timedelta(seconds=PACE_S),
    )


def judge_refusal(feed: LeasedFeed, refusal: FeedRefusal, moment: Moment) -> PollResult:
    """Return what follows from a failed poll. A feed that is gone is never asked again."""
    failures = feed.failures + 1
    asked_s = read_retry_after_s(refusal.retry_after, moment.now)
    limited = refusal.status is PollStatus.RATE_LIMITED
    host_pause_s = clamp_pause(max(asked_s, LIMITED_S)) if limited else PACE_S
    pause_s = plan_failure_pause_s(failures, asked_s, moment.bounds)
    return PollResult(
        refusal.status,
        refusal.reason,
        None if refusal.status is PollStatus.GONE else moment.after(pause_s),
        moment.now + timedelta(seconds=host_pause_s),
        failures,
    )
