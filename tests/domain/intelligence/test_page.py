"""A page of recommendations: its order, its exploration places, and what it never shows."""

from collections import Counter
from datetime import date, timedelta

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from newsintel.domain.intelligence.interest_model import Basis, Pick
from newsintel.domain.intelligence.page import EXPLORATION_INTERVAL, REPEAT_FACTOR, build_page
from newsintel.domain.intelligence.ranking import Choice
from newsintel.domain.text.clean import fold
from tests.values import article

DAY = date(2026, 3, 4)
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def choice(number, interest=0, score=0.5, **changes):
    """A choice from its own publisher. Its title differs from all others."""
    made = article(
        str(number),
        title=LETTERS[number % 26] * (20 + number // 26 * 9),
        publisher=f"Paper {number}",
    )
    return Choice(Pick(evolve(made, **changes), score, ("why",)), interest)


def talked(number, **changes):
    """A choice that everybody is offered."""
    return choice(number, None, 0.3, **changes)


def shown(personal, everybodys=(), known=(), *, limit=20, person="u_a", day=DAY):
    """The external ids on the page."""
    found = build_page(personal, everybodys, known, limit=limit, person=person, day=day)
    return [pick.article.external_id for pick in found.picks]


def test_every_fifth_place_is_an_exploration():
    """Its reason says so. The other places are the person's own choices, best first."""
    personal = [choice(number, number, 0.9 - number / 100) for number in range(15)]
    found = build_page(
        personal, [talked(number) for number in range(30, 50)], (), limit=10, person="u_a", day=DAY
    )
    assert found.basis is Basis.PERSONAL
    explored = [pick.reasons[0].startswith("exploration: ") for pick in found.picks]
    assert explored == [False, False, False, False, True] * 2
    assert [pick.article.external_id for pick in found.picks if pick.reasons == ("why",)] == [
        str(number) for number in range(8)
    ]


def test_explorations_are_fixed_for_a_person_and_a_day():
    """Another person or another day has other explorations."""
    personal = [choice(number, number) for number in range(15)]
    everybodys = [talked(number) for number in range(30, 70)]
    pages = [
        shown(personal, everybodys, person=person, day=day)
        for person in ("u_a", "u_b")
        for day in (DAY, DAY + timedelta(days=1))
    ]
    assert shown(personal, everybodys) == pages[0]
    assert len({tuple(one) for one in pages}) == 4


def test_an_interest_fades_with_each_pick():
    """This keeps one interest from filling the page.

    Choices are compared by their reduced scores.
    """
    personal = [
        choice(1, 0, 0.5),
        choice(2, 0, 0.5),
        choice(3, 0, 0.5),
        choice(4, 1, 0.5 * REPEAT_FACTOR + 0.01),
    ]
    assert shown(personal) == ["1", "4", "2", "3"]


def test_a_page_is_filled_from_the_other_list_when_one_is_used_up():
    """With few personal choices, more places explore.

    Without explorations, all places are personal.
    """
    assert len(shown([choice(1)], [talked(number) for number in range(30, 50)], limit=6)) == 6
    assert shown([choice(number, number) for number in range(8)], limit=6) == [
        str(number) for number in range(6)
    ]
    assert shown([choice(1)], [talked(30)], limit=6) == ["1", "30"]


def test_a_newcomers_page_is_the_list_for_everybody_in_its_order():
    """The page says that its basis is trending. No reason mentions exploration."""
    found = build_page(
        [], [talked(number) for number in range(30, 50)], (), limit=3, person="u_a", day=DAY
    )
    assert found.basis is Basis.TRENDING
    assert [(pick.article.external_id, pick.reasons) for pick in found.picks] == [
        (str(number), ("why",)) for number in (30, 31, 32)
    ]


def test_no_story_is_shown_twice_and_known_ones_never():
    """Stories are equal by similar titles, by the article or by the page.

    Known stories are those that the person acted on.
    """
    title = "A comet is seen over northern Norway"
    personal = [
        choice(1, title=title),
        choice(2, 1, title=title + "!"),
        choice(3, 2),
        choice(4, 3, canonical_url="https://example.org/3"),
    ]
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
def test_a_page_keeps_its_limits_for_any_choices(personal, everybodys, limit):
    """At most `limit` picks, at most two of a publisher, and none twice.

    A publisher counts in any spelling. Explorations have only their own places while personal picks
    follow.
    """
    found = build_page(personal, everybodys, ("known",), limit=limit, person="u_a", day=DAY)
    assert len(found.picks) <= limit
    assert all(
        number <= 2
        for number in Counter(fold(pick.article.publisher) for pick in found.picks).values()
    )
    assert len({pick.article.id for pick in found.picks}) == len(found.picks)
    assert len({pick.article.title for pick in found.picks}) == len(found.picks)
    own = {one.pick.article.id for one in personal}
    for place, pick in enumerate(found.picks):
        if pick.reasons[0].startswith("exploration") and any(
            later.reasons == ("why",) for later in found.picks[place + 1 :]
        ):
            assert place % EXPLORATION_INTERVAL == EXPLORATION_INTERVAL - 1
        assert personal == [] or pick.article.id in own or pick.reasons[0].startswith("exploration")
    assert (found.basis is Basis.TRENDING) == (not personal)
