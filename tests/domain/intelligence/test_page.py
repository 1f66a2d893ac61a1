"""A page of recommendations: its order, its explored places, and what it never shows."""

from collections import Counter
from datetime import date, timedelta

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from newsintel.domain.intelligence.interest_model import Basis, Pick
from newsintel.domain.intelligence.page import EVERY, FADING, page
from newsintel.domain.intelligence.ranking import Choice
from newsintel.domain.text.clean import fold
from tests.values import article

DAY = date(2026, 3, 4)
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def choice(number, interest=0, score=0.5, **changes):
    """A choice whose title is like no other's, of an outlet of its own."""
    made = article(str(number), title=LETTERS[number % 26] * (20 + number // 26 * 9), publisher=f"Paper {number}")
    return Choice(Pick(evolve(made, **changes), score, ("why",)), interest)


def talked(number, **changes):
    """What everybody is offered."""
    return choice(number, None, 0.3, **changes)


def shown(personal, everybodys=(), known=(), *, limit=20, person="u_a", day=DAY):
    """External ids on the page."""
    found = page(personal, everybodys, known, limit=limit, person=person, day=day)
    return [pick.article.external_id for pick in found.picks]


def test_every_fifth_place_explores():
    """With its reason; the others are the person's own, best first."""
    personal = [choice(number, number, 0.9 - number / 100) for number in range(15)]
    found = page(personal, [talked(number) for number in range(30, 50)], (), limit=10, person="u_a", day=DAY)
    assert found.basis is Basis.PERSONAL
    explored = [pick.reasons[0].startswith("exploration: ") for pick in found.picks]
    assert explored == [False, False, False, False, True] * 2
    assert [pick.article.external_id for pick in found.picks if pick.reasons == ("why",)] == [str(number) for number in range(8)]


def test_what_is_explored_is_the_same_for_a_person_and_a_day():
    """Another day or person explores otherwise."""
    personal = [choice(number, number) for number in range(15)]
    everybodys = [talked(number) for number in range(30, 70)]
    pages = [shown(personal, everybodys, person=person, day=day) for person in ("u_a", "u_b") for day in (DAY, DAY + timedelta(days=1))]
    assert shown(personal, everybodys) == pages[0]
    assert len({tuple(one) for one in pages}) == 4


def test_an_interest_fades_with_each_pick():
    """So that one does not fill the page; which is best is told by what is left of each score."""
    personal = [choice(1, 0, 0.5), choice(2, 0, 0.5), choice(3, 0, 0.5), choice(4, 1, 0.5 * FADING + 0.01)]
    assert shown(personal) == ["1", "4", "2", "3"]


def test_a_page_is_filled_from_the_other_side_where_one_runs_dry():
    """Few personal picks leave room to explore, and nothing to explore leaves it to the person's own."""
    assert len(shown([choice(1)], [talked(number) for number in range(30, 50)], limit=6)) == 6
    assert shown([choice(number, number) for number in range(8)], limit=6) == [str(number) for number in range(6)]
    assert shown([choice(1)], [talked(30)], limit=6) == ["1", "30"]


def test_a_newcomers_page_is_what_everybody_is_offered_in_its_order():
    """And says so; no reason speaks of exploring."""
    found = page([], [talked(number) for number in range(30, 50)], (), limit=3, person="u_a", day=DAY)
    assert found.basis is Basis.TRENDING
    assert [(pick.article.external_id, pick.reasons) for pick in found.picks] == [(str(number), ("why",)) for number in (30, 31, 32)]


def test_no_story_is_there_twice_nor_one_that_is_known():
    """Near-duplicates by title, the same article on both sides, the same page, and what the person has dealt with."""
    title = "A comet is seen over northern Norway"
    personal = [choice(1, title=title), choice(2, 1, title=title + "!"), choice(3, 2), choice(4, 3, canonical_url="https://example.org/3")]
    assert shown(personal, [talked(3)]) == ["1", "3"]
    assert shown(personal, known=[title]) == ["3"]
    assert shown([], [talked(1, title=title), talked(3)], [title]) == ["3"]


choices = st.lists(
    st.builds(
        choice,
        st.integers(0, 60),
        st.integers(0, 3),
        st.floats(0, 1),
        publisher=st.sampled_from(["The Guardian", "the guardian ", "BBC", "Reuters", "r/news"]),
    ),
    max_size=30,
)


@given(choices, choices, st.integers(1, 50))
def test_whatever_there_is_a_page_keeps_its_promises(personal, everybodys, limit):
    """No longer than asked, two of a publisher at most in any spelling, nothing twice, and explored places where they belong."""
    found = page(personal, everybodys, ("known",), limit=limit, person="u_a", day=DAY)
    assert len(found.picks) <= limit
    assert all(number <= 2 for number in Counter(fold(pick.article.publisher) for pick in found.picks).values())
    assert len({pick.article.id for pick in found.picks}) == len(found.picks)
    assert len({pick.article.title for pick in found.picks}) == len(found.picks)
    own = {one.pick.article.id for one in personal}
    for place, pick in enumerate(found.picks):
        if pick.reasons[0].startswith("exploration") and any(later.reasons == ("why",) for later in found.picks[place + 1 :]):
            assert place % EVERY == EVERY - 1
        assert personal == [] or pick.article.id in own or pick.reasons[0].startswith("exploration")
    assert (found.basis is Basis.TRENDING) == (not personal)
