"""The contract's windows, at their edges."""

import pytest
from attrs import evolve

from newsintel.domain.search.freshness import Freshness, Windows
from newsintel.domain.search.harvest import Origin
from newsintel.domain.search.outcome import Asker, HeldFrom, Status
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
def test_complete(age_s, expected):
    """A complete harvest is fresh for the TTL, then revalidated, then stale, then gone."""
    assert WINDOWS.judge(harvest(), at(age_s)) is expected


def test_a_clock_that_was_set_back_makes_nothing_fresh():
    """What is dated in the future is renewed, whole, and stands in only for what fails; another machine may be a minute ahead."""
    answered = harvest(outcome("guardian"), outcome("reddit", Status.RATE_LIMITED, retry_at=at(120)))
    assert WINDOWS.judge(answered, at(-60)) is Freshness.FRESH
    assert WINDOWS.judge(answered, at(-60.1)) is Freshness.STALE
    assert WINDOWS.kept(answered, at(-60)) == answered.outcomes
    assert WINDOWS.kept(answered, at(-60.1)) == ()


def test_partial_is_fresh_for_a_shorter_time():
    """A failed source may be asked again after CACHE_PARTIAL_S, so the harvest is fresh until then."""
    partial = harvest(outcome("guardian"), outcome("reddit", Status.TIMEOUT))
    assert WINDOWS.judge(partial, at(29.9)) is Freshness.FRESH
    assert WINDOWS.judge(partial, at(30)) is Freshness.REVALIDATE
    assert WINDOWS.kept(partial, at(29.9)) == partial.outcomes
    assert [kept.source for kept in WINDOWS.kept(partial, at(30))] == ["guardian"]


def test_a_query_that_a_plan_does_not_cover_is_not_asked_again_for_the_ttl():
    """It would only cost another call of the quota."""
    partly = harvest(outcome("guardian"), outcome("newsapi", Status.UNSUPPORTED))
    assert WINDOWS.fresh_until(partly) == at(300)
    assert not partly.complete


def test_partial_waits_for_retry_at():
    """A source that named a time is not asked sooner, also when the others are renewed."""
    partial = harvest(outcome("guardian"), outcome("reddit", Status.RATE_LIMITED, retry_at=at(120)))
    assert WINDOWS.fresh_until(partial) == at(120)
    later = harvest(outcome("guardian"), outcome("reddit", Status.RATE_LIMITED, retry_at=at(9000)))
    assert WINDOWS.fresh_until(later) == at(300)
    assert [kept.source for kept in WINDOWS.kept(later, at(300))] == ["reddit"]


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


def test_a_scarce_source_is_kept_while_the_others_are_renewed():
    """The harvest is due with its first outcome, and only what is due is asked for."""
    scarce = harvest(outcome("newsapi", keep_s=2000), outcome("guardian"))
    assert WINDOWS.fresh_until(scarce) == at(300)
    assert [kept.source for kept in WINDOWS.kept(scarce, at(300))] == ["newsapi"]
    renewed = harvest(outcome("newsapi", keep_s=2000), outcome("guardian", when=at(1900)), when=at(1900))
    assert WINDOWS.fresh_until(renewed) == at(2000)
    assert [kept.source for kept in WINDOWS.kept(renewed, at(2000))] == ["guardian"]
    assert WINDOWS.due_at(outcome(keep_s=20)) == at(300)


def test_a_scarce_harvest_is_served_for_as_long_as_redis_keeps_it():
    """Fresh to the end, then renewed behind its back for a last time, then gone."""
    scarce = harvest(outcome("newsapi", keep_s=3900))
    assert WINDOWS.judge(scarce, at(3899)) is Freshness.FRESH
    assert WINDOWS.judge(scarce, at(3959)) is Freshness.REVALIDATE
    assert WINDOWS.judge(scarce, at(3960)) is Freshness.GONE


def test_what_was_held_back_binds_nobody_who_is_signed_in():
    """For others it is fresh until its retry_at; a caller who is signed in has that source asked, and it alone."""
    kept = harvest(outcome("guardian"), outcome("newsapi", Status.QUOTA_EXHAUSTED, retry_at=at(250), held_back=HeldFrom.STRANGERS))
    assert WINDOWS.judge(kept, at(10)) is Freshness.FRESH
    assert WINDOWS.judge(kept, at(10), Asker(signed_in=True)) is Freshness.STALE
    assert WINDOWS.judge(kept, at(260), Asker(signed_in=True)) is Freshness.STALE
    assert WINDOWS.judge(kept, at(260)) is Freshness.REVALIDATE
    assert WINDOWS.kept(kept, at(10)) == kept.outcomes
    assert [one.source for one in WINDOWS.kept(kept, at(10), Asker(signed_in=True))] == ["guardian"]
    assert WINDOWS.judge(harvest(), at(10), Asker(signed_in=True)) is Freshness.FRESH


def test_what_was_held_back_from_one_person_binds_that_person_alone():
    """To all others it is stale at once, signed in or not, and the source that held back is asked for them, and it alone."""
    kept = harvest(outcome("guardian"), outcome("newsapi", Status.QUOTA_EXHAUSTED, retry_at=at(250), held_back=HeldFrom.PERSON))
    same, another = Asker("p", held=frozenset({"newsapi"})), Asker("q", held=frozenset({"guardian"}))
    assert (WINDOWS.judge(kept, at(10), same), WINDOWS.judge(kept, at(260), same)) == (Freshness.FRESH, Freshness.REVALIDATE)
    assert WINDOWS.kept(kept, at(10), same) == kept.outcomes
    for asker in (another, Asker("r", signed_in=True), Asker()):
        assert WINDOWS.judge(kept, at(10), asker) is Freshness.STALE
        assert [one.source for one in WINDOWS.kept(kept, at(10), asker)] == ["guardian"]
    assert WINDOWS.judge(harvest(), at(10), same) is Freshness.FRESH


def test_a_disabled_source_has_no_say_and_is_not_kept():
    """It may have been enabled since, elsewhere."""
    partly = harvest(outcome("guardian"), outcome("reddit", Status.DISABLED))
    assert WINDOWS.fresh_until(partly) == at(300)
    assert [kept.source for kept in WINDOWS.kept(partly, at(10))] == ["guardian"]
    assert WINDOWS.fresh_until(harvest(outcome("reddit", Status.DISABLED))) == at(300)


def test_an_answer_of_failures_alone_is_worth_the_ttl_at_most():
    """As where the archive stands in: a source that names a far time does not make that fresh until then."""
    assert WINDOWS.fresh_until(harvest(outcome("newsapi", Status.QUOTA_EXHAUSTED, retry_at=at(9000)))) == at(300)


def test_an_answer_that_found_nothing_is_not_kept_as_long_as_one_that_did():
    """It is asked for again as soon as a failure would be, unless a quota is to last; what the archive lends counts as found."""
    nothing = harvest(outcome("guardian", Status.EMPTY), outcome("newsapi", Status.EMPTY, keep_s=200))
    assert WINDOWS.fresh_until(nothing) == at(30)
    assert WINDOWS.judge(nothing, at(30)) is Freshness.REVALIDATE
    assert [one.source for one in WINDOWS.kept(nothing, at(30))] == ["newsapi"]
    assert WINDOWS.kept(nothing, at(29)) == nothing.outcomes
    something = harvest(outcome("guardian", Status.EMPTY), outcome("newsapi"))
    assert WINDOWS.fresh_until(something) == at(300)
    assert WINDOWS.kept(something, at(299)) == something.outcomes
    disabled = harvest(outcome("guardian", Status.DISABLED), origin=Origin.ARCHIVE)
    assert WINDOWS.fresh_until(disabled) == at(30)
    assert WINDOWS.fresh_until(evolve(disabled, archived=(article(),))) == at(300)
    assert evolve(WINDOWS, partial_s=900).fresh_until(nothing) == at(300)
