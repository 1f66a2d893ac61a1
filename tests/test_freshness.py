"""The contract's windows, at their edges."""

import pytest
from attrs import evolve

from newsintel.freshness import Freshness, Windows
from newsintel.model import Status
from tests.make import NOON, at, harvest, outcome

WINDOWS = Windows(ttl_s=300, revalidate_s=60, stale_s=3600, partial_s=30)


@pytest.mark.parametrize(
    ("age_s", "expected"),
    [
        (0, Freshness.FRESH),
        (299.9, Freshness.FRESH),
        (300, Freshness.REVALIDATE),
        (359.9, Freshness.REVALIDATE),
        (360, Freshness.STALE),
        (3899.9, Freshness.STALE),
        (3900, Freshness.GONE),
    ],
)
def test_complete(age_s, expected):
    """A complete harvest is fresh for the TTL, then revalidated, then stale, then gone."""
    assert WINDOWS.judge(harvest(), at(age_s)) is expected


def test_partial_is_fresh_for_a_shorter_time():
    """A failed source may be asked again after CACHE_PARTIAL_S, so the harvest is fresh until then."""
    partial = harvest(outcome("guardian"), outcome("reddit", Status.TIMEOUT))
    assert WINDOWS.judge(partial, at(29.9)) is Freshness.FRESH
    assert WINDOWS.judge(partial, at(30)) is Freshness.REVALIDATE
    assert WINDOWS.kept(partial, at(29.9)) == partial.outcomes
    assert [kept.source for kept in WINDOWS.kept(partial, at(30))] == ["guardian"]


def test_partial_waits_for_retry_at():
    """A source that named a time is not asked sooner, though never past the TTL of the good outcomes."""
    partial = harvest(outcome("guardian"), outcome("reddit", Status.RATE_LIMITED, retry_at=at(120)))
    assert WINDOWS.fresh_until(partial) == at(120)
    later = harvest(outcome("guardian"), outcome("reddit", Status.RATE_LIMITED, retry_at=at(9000)))
    assert WINDOWS.fresh_until(later) == at(300)
    assert WINDOWS.kept(later, at(300)) == ()


def test_repair_does_not_renew_good_outcomes():
    """After a repair the harvest is as old as its oldest good outcome."""
    repaired = harvest(outcome("guardian", when=NOON), outcome("reddit", when=at(40)), when=at(40))
    assert WINDOWS.fresh_until(repaired) == at(300)


def test_complete_one_keeps_nothing():
    """A complete harvest past its TTL is fetched anew, whole."""
    assert WINDOWS.kept(harvest(), at(301)) == ()


def test_partial_does_not_replace_a_complete_one_still_served():
    """A complete harvest outranks a newer partial one until it is stale; never a newer complete one."""
    complete, partial = harvest(), harvest(outcome(), outcome("reddit", Status.TIMEOUT), when=at(310))
    assert WINDOWS.outranks(complete, partial, at(310))
    assert not WINDOWS.outranks(complete, partial, at(360))
    assert not WINDOWS.outranks(complete, evolve(complete, fetched_at=at(310)), at(310))
    assert not WINDOWS.outranks(partial, partial, at(310))
