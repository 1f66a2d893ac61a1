"""What follows from a poll."""

import pytest
from attrs import evolve

from newsintel.domain.bounds.slices import run_all
from newsintel.domain.feeds.harvests import build_answer
from newsintel.domain.feeds.judging import (
    Moment,
    judge_full_archive,
    judge_refusal,
    judge_reply,
)
from newsintel.domain.feeds.model import (
    LeasedFeed,
    PollStatus,
    Subscription,
    Validators,
    find_host,
)
from newsintel.domain.feeds.ports import FeedContent, FeedRefusal, FeedReply
from newsintel.domain.feeds.schedule import PollBounds
from newsintel.domain.search.outcome import SourcePage
from tests.make import NOON, article, at

FEED = LeasedFeed(1, Subscription("https://n.example/f"), "https://n.example/f", "lease")
MOMENT = Moment(PollBounds(900, 86400), NOON, 0)
TAGS = Validators('"a"', "Sat, 14 Mar 2026 11:00:00 GMT", "d")


def content(*articles, **changes):
    """A feed with these articles."""
    return FeedContent(SourcePage(articles, len(articles)), **changes)


def test_a_feed_with_news():
    """Its rhythm and its newest item are remembered; estimated dates do not count."""
    one = article("1", published_at=at(-3 * 3600))
    other = article("2", published_at=at(-3600))
    estimated = article("3", published_at=NOON, published_at_estimated=True)
    reply = FeedReply(content(one, other, estimated, title="News"), {}, TAGS)
    result = judge_reply(FEED, reply, MOMENT)
    assert result.status is PollStatus.OK
    assert (result.rhythm_s, result.next_at) == (3600, at(3600))
    assert result.newest_at == at(-3600)
    assert (result.title, result.items, result.validators) == ("News", 3, TAGS)
    assert result.host_free_at == at(1)
    assert (result.failures, result.url, result.reason) == (0, None, None)


def test_an_unchanged_feed_keeps_its_rhythm():
    """What it held before still counts."""
    known = evolve(FEED, rhythm_s=7200.0, newest_at=at(-60), failures=3)
    result = judge_reply(known, FeedReply(None, {}, TAGS), MOMENT)
    assert (result.status, result.next_at) == (PollStatus.UNCHANGED, at(7200))
    assert (result.title, result.items) == (None, None)
    assert result.failures == 0
    older = judge_reply(known, FeedReply(content(article(published_at=at(-90))), {}, TAGS), MOMENT)
    assert older.newest_at == at(-60)


def test_a_feed_without_dates():
    """It is polled at the shortest pause."""
    result = judge_reply(FEED, FeedReply(content(fault="cut"), {}, TAGS), MOMENT)
    assert (result.next_at, result.newest_at, result.reason) == (at(900), None, "cut")


def test_a_move_counts_with_a_good_feed_at_its_end():
    """A failed poll never moves a feed."""
    moved = "https://new.example/f"
    assert judge_reply(FEED, FeedReply(None, {}, TAGS, moved), MOMENT).url == moved
    assert judge_refusal(FEED, FeedRefusal(PollStatus.NOT_A_FEED, "HTML"), MOMENT).url is None


@pytest.mark.parametrize(
    ("status", "retry_after", "next_s", "host_s"),
    [
        (PollStatus.HTTP_ERROR, "", 3 * 3600, 1),
        (PollStatus.RATE_LIMITED, "", 3 * 3600, 60),
        (PollStatus.RATE_LIMITED, "20000", 20000, 3600),
        (PollStatus.RATE_LIMITED, "120", 3 * 3600, 120),
        (PollStatus.TIMEOUT, "", 3 * 3600, 1),
    ],
)
def test_failures(status, retry_after, next_s, host_s):
    """The third failure in a row waits three hours; a limited host has its pause as a whole."""
    known = evolve(FEED, failures=2, validators=TAGS)
    result = judge_refusal(known, FeedRefusal(status, "why", retry_after), MOMENT)
    assert (result.next_at, result.host_free_at) == (at(next_s), at(host_s))
    assert (result.failures, result.reason, result.validators) == (3, "why", None)
    assert result.status.failed


def test_a_feed_that_is_gone_is_never_asked_again():
    """410 means for good (RFC 9110, 15.5.11)."""
    result = judge_refusal(FEED, FeedRefusal(PollStatus.GONE, "HTTP 410"), MOMENT)
    assert result.next_at is None


def test_without_room_in_the_archive_nothing_is_remembered():
    """The feed is read again, whole."""
    result = judge_full_archive(MOMENT)
    assert (result.status, result.next_at, result.validators) == (
        PollStatus.POSTPONED,
        at(60),
        None,
    )
    assert not result.status.failed


def test_jitter_only_lengthens_pauses():
    """By a tenth at most, and never beyond the longest pause."""
    reply = FeedReply(None, {}, TAGS)
    late = judge_reply(FEED, reply, evolve(MOMENT, jitter=1.0))
    assert late.next_at == at(990)
    longest = judge_reply(evolve(FEED, rhythm_s=1e9), reply, evolve(MOMENT, jitter=1.0))
    assert longest.next_at == at(86400)


def test_the_items_of_a_feed_are_an_answer():
    """With the duplicates among them, as in every answer."""
    same = article("2", title="Title of one", canonical_url="https://news.example/1")
    answer = run_all(build_answer([article("1", title="Title of one"), same], NOON))
    assert [len(one.group.members) for one in answer.merge.ranked] == [2]
    assert answer.harvest.outcomes[0].source == "feeds"


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://N.example/f", "n.example"),
        ("https://n.example:443/f", "n.example"),
        ("http://n.example:80", "n.example"),
        ("http://n.example:443/", "n.example:443"),
        ("http://[::1]:8000/f", "::1:8000"),
    ],
)
def test_hosts(url, host):
    """Feeds of one host wait for each other."""
    assert find_host(url) == host
