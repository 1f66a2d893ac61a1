"""The freshness windows of the contract, at their edges."""

import pytest
from attrs import evolve

from newsintel.domain.search.freshness import Freshness, Windows
from newsintel.domain.search.harvest import Origin
from newsintel.domain.search.outcome import FetchCaller, HeldFrom, Status
from tests.make import NOON, article, at, harvest, outcome

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
def test_a_complete_harvest_passes_through_all_windows(age_s, expected):
    """It is fresh for the TTL, then in the revalidate window, then stale, then gone."""
    assert WINDOWS.get_freshness(harvest(), at(age_s)) is expected


def test_a_harvest_from_the_future_is_stale():
    """After the clock was set back, it is fetched again, and it only stands in for failures.

    Another machine's clock may be a minute ahead.
    """
    answered = harvest(
        outcome("guardian"), outcome("reddit", Status.RATE_LIMITED, retry_at=at(120))
    )
    assert WINDOWS.get_freshness(answered, at(-60)) is Freshness.FRESH
    assert WINDOWS.get_freshness(answered, at(-60.1)) is Freshness.STALE
    assert WINDOWS.outcomes_to_keep(answered, at(-60)) == answered.outcomes
    assert WINDOWS.outcomes_to_keep(answered, at(-60.1)) == ()


def test_a_partial_harvest_is_fresh_for_a_shorter_time():
    """It is fresh until a failed source may be asked again, which is after CACHE_PARTIAL_S."""
    partial = harvest(outcome("guardian"), outcome("reddit", Status.TIMEOUT))
    assert WINDOWS.get_freshness(partial, at(29.9)) is Freshness.FRESH
    assert WINDOWS.get_freshness(partial, at(30)) is Freshness.REVALIDATE
    assert WINDOWS.outcomes_to_keep(partial, at(29.9)) == partial.outcomes
    assert [kept.source for kept in WINDOWS.outcomes_to_keep(partial, at(30))] == ["guardian"]


def test_an_unsupported_query_is_not_repeated_within_the_ttl():
    """The source's plan does not cover it.

    Asking again would only cost another call of the quota.
    """
    partly = harvest(outcome("guardian"), outcome("newsapi", Status.UNSUPPORTED))
    assert WINDOWS.fresh_until(partly) == at(300)
    assert not partly.complete


def test_a_partial_harvest_waits_for_retry_at():
    """A source is not asked before its retry_at, even when the other sources are asked again."""
    partial = harvest(outcome("guardian"), outcome("reddit", Status.RATE_LIMITED, retry_at=at(120)))
    assert WINDOWS.fresh_until(partial) == at(120)
    later = harvest(outcome("guardian"), outcome("reddit", Status.RATE_LIMITED, retry_at=at(9000)))
    assert WINDOWS.fresh_until(later) == at(300)
    assert [kept.source for kept in WINDOWS.outcomes_to_keep(later, at(300))] == ["reddit"]


def test_a_repair_does_not_make_good_outcomes_newer():
    """After a repair, the age of the harvest is that of its oldest good outcome."""
    repaired = harvest(outcome("guardian", when=NOON), outcome("reddit", when=at(40)), when=at(40))
    assert WINDOWS.fresh_until(repaired) == at(300)


def test_an_expired_complete_harvest_keeps_no_outcome():
    """After its TTL all sources are asked again."""
    assert WINDOWS.outcomes_to_keep(harvest(), at(301)) == ()


def test_a_partial_harvest_does_not_replace_a_complete_one_still_served():
    """A complete harvest outranks a newer partial one until it is stale.

    It never outranks a newer complete one.
    """
    complete, partial = (
        harvest(),
        harvest(outcome(), outcome("reddit", Status.TIMEOUT), when=at(310)),
    )
    assert WINDOWS.must_keep_old(complete, partial, at(310))
    assert not WINDOWS.must_keep_old(complete, partial, at(360))
    assert not WINDOWS.must_keep_old(complete, evolve(complete, fetched_at=at(310)), at(310))
    assert not WINDOWS.must_keep_old(partial, partial, at(310))


def test_an_outcome_with_a_keep_time_outlasts_the_others():
    """The harvest is due with its first outcome, and only the outcomes that are due are fetched."""
    scarce = harvest(outcome("newsapi", keep_s=2000), outcome("guardian"))
    assert WINDOWS.fresh_until(scarce) == at(300)
    assert [kept.source for kept in WINDOWS.outcomes_to_keep(scarce, at(300))] == ["newsapi"]
    renewed = harvest(
        outcome("newsapi", keep_s=2000), outcome("guardian", when=at(1900)), when=at(1900)
    )
    assert WINDOWS.fresh_until(renewed) == at(2000)
    assert [kept.source for kept in WINDOWS.outcomes_to_keep(renewed, at(2000))] == ["guardian"]
    assert WINDOWS.due_at(outcome(keep_s=20)) == at(300)


def test_a_harvest_with_a_keep_time_is_served_until_redis_drops_it():
    """It is fresh, then served once more while it is renewed, then gone."""
    scarce = harvest(outcome("newsapi", keep_s=3900))
    assert WINDOWS.get_freshness(scarce, at(3899)) is Freshness.FRESH
    assert WINDOWS.get_freshness(scarce, at(3959)) is Freshness.REVALIDATE
    assert WINDOWS.get_freshness(scarce, at(3960)) is Freshness.GONE


def test_an_outcome_held_back_from_strangers_does_not_bind_signed_in_callers():
    """For strangers the harvest is fresh until retry_at.

    For a signed-in caller, only the source that was held back is asked.
    """
    kept = harvest(
        outcome("guardian"),
        outcome("newsapi", Status.QUOTA_EXHAUSTED, retry_at=at(250), held_back=HeldFrom.ANONYMOUS),
    )
    assert WINDOWS.get_freshness(kept, at(10)) is Freshness.FRESH
    assert WINDOWS.get_freshness(kept, at(10), FetchCaller(signed_in=True)) is Freshness.STALE
    assert WINDOWS.get_freshness(kept, at(260), FetchCaller(signed_in=True)) is Freshness.STALE
    assert WINDOWS.get_freshness(kept, at(260)) is Freshness.REVALIDATE
    assert WINDOWS.outcomes_to_keep(kept, at(10)) == kept.outcomes
    assert [
        one.source for one in WINDOWS.outcomes_to_keep(kept, at(10), FetchCaller(signed_in=True))
    ] == ["guardian"]
    assert WINDOWS.get_freshness(harvest(), at(10), FetchCaller(signed_in=True)) is Freshness.FRESH


def test_an_outcome_held_back_from_one_person_binds_only_that_person():
    """For all other callers the harvest is stale, signed in or not.

    For them, only the source that was held back is asked.
    """
    kept = harvest(
        outcome("guardian"),
        outcome("newsapi", Status.QUOTA_EXHAUSTED, retry_at=at(250), held_back=HeldFrom.PERSON),
    )
    same, another = (
        FetchCaller("p", held=frozenset({"newsapi"})),
        FetchCaller("q", held=frozenset({"guardian"})),
    )
    assert (
        WINDOWS.get_freshness(kept, at(10), same),
        WINDOWS.get_freshness(kept, at(260), same),
    ) == (
        Freshness.FRESH,
        Freshness.REVALIDATE,
    )
    assert WINDOWS.outcomes_to_keep(kept, at(10), same) == kept.outcomes
    for asker in (another, FetchCaller("r", signed_in=True), FetchCaller()):
        assert WINDOWS.get_freshness(kept, at(10), asker) is Freshness.STALE
        assert [one.source for one in WINDOWS.outcomes_to_keep(kept, at(10), asker)] == ["guardian"]
    assert WINDOWS.get_freshness(harvest(), at(10), same) is Freshness.FRESH


def test_a_disabled_source_does_not_count_and_is_not_kept():
    """It may be enabled in another process since then."""
    partly = harvest(outcome("guardian"), outcome("reddit", Status.DISABLED))
    assert WINDOWS.fresh_until(partly) == at(300)
    assert [kept.source for kept in WINDOWS.outcomes_to_keep(partly, at(10))] == ["guardian"]
    assert WINDOWS.fresh_until(harvest(outcome("reddit", Status.DISABLED))) == at(300)


def test_failures_alone_are_fresh_for_at_most_the_ttl():
    """The archive may stand in for them.

    A source's later retry_at does not extend the freshness.
    """
    assert WINDOWS.fresh_until(
        harvest(outcome("newsapi", Status.QUOTA_EXHAUSTED, retry_at=at(9000)))
    ) == at(300)


def test_an_empty_answer_is_fresh_for_a_shorter_time():
    """It is fetched again as soon as a failure would be.

    A source with a keep time is kept. Articles from the archive count as found.
    """
    nothing = harvest(
        outcome("guardian", Status.EMPTY), outcome("newsapi", Status.EMPTY, keep_s=200)
    )
    assert WINDOWS.fresh_until(nothing) == at(30)
    assert WINDOWS.get_freshness(nothing, at(30)) is Freshness.REVALIDATE
    assert [one.source for one in WINDOWS.outcomes_to_keep(nothing, at(30))] == ["newsapi"]
    assert WINDOWS.outcomes_to_keep(nothing, at(29)) == nothing.outcomes
    something = harvest(outcome("guardian", Status.EMPTY), outcome("newsapi"))
    assert WINDOWS.fresh_until(something) == at(300)
    assert WINDOWS.outcomes_to_keep(something, at(299)) == something.outcomes
    disabled = harvest(outcome("guardian", Status.DISABLED), origin=Origin.ARCHIVE)
    assert WINDOWS.fresh_until(disabled) == at(30)
    assert WINDOWS.fresh_until(evolve(disabled, archived=(article(),))) == at(300)
    assert evolve(WINDOWS, partial_s=900).fresh_until(nothing) == at(300)
