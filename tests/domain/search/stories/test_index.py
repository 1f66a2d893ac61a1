"""The index finds what comparing with every founder finds, in short slices."""

import csv
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from newsintel.domain.bounds.slices import run_all
from newsintel.domain.search.stories import index
from newsintel.domain.search.stories.index import Stories
from newsintel.domain.search.stories.judging import Told, are_one_article, judge_titles
from newsintel.domain.search.stories.parsed_title import parse_title
from newsintel.domain.search.stories.similarity import compare_titles
from newsintel.domain.search.stories.vetoes import Veto, find_veto
from tests.shared import SHARED, needs_shared
from tests.values import unhurried

NOON = datetime(2026, 3, 13, 12, tzinfo=UTC)
_WORDS = [
    *("strong", "quake", "hits", "Italy", "Chile", "Rome", "dies", "killed", "12", "twelve"),
    *("raises", "cuts", "rates", "Fed", "Yellen", "Janet", "opens", "Monday", "Friday", "2024"),
    *("Live:", "court", "jails", "PM", "minister", "Obama", "US", "the", "of"),
    *("東京で地震", "北京暴雨", "Москве", "взрыв"),
]
_titles = st.lists(st.sampled_from(_WORDS), max_size=9).map(" ".join)
_times = st.none() | st.integers(0, 200).map(lambda hours: NOON + timedelta(hours=hours))
_told = st.builds(Told, _titles.map(parse_title), st.sampled_from(["", "a", "b"]), _times)


_YEARS = Told(parse_title("2024 2024 2024 2024 2024"))  # not thin, and of hardly any weight


@unhurried
@given(st.lists(_told, max_size=12), _told)
@example([_YEARS], _YEARS)
@example([Told(parse_title("2024 quake 2024 hits 2024"))], _YEARS)
def test_the_index_finds_the_best_founder(founders, told):
    """The same as comparing with each: an equal title, else the most similar, else none."""
    stories = Stories()
    for founder in founders:
        stories.add(founder)
    equal = [
        number
        for number, founder in enumerate(founders)
        if founder.title.folded == told.title.folded != "" and are_one_article(told, founder)
    ]
    judged = {number: judge_titles(told, founder) for number, founder in enumerate(founders)}
    same = [number for number, judgement in judged.items() if judgement.same]
    best = max(same, key=lambda number: (judged[number].similarity, -number), default=None)
    found = run_all(stories.find(told))
    if equal:
        assert found == (equal[0], 1.0)
    else:
        assert found == (None if best is None else (best, judged[best].similarity))
    apart = {number for number, judgement in judged.items() if judgement.veto}
    assert {miss.number for miss in run_all(stories.find_near_misses(told))} <= apart


@unhurried
@given(st.text(max_size=400) | _titles, st.text(max_size=400) | _titles)
@example("B0DIE", "B0LIVE")  # one class, of two weights
@example("BA0LIVE0AA0DIE0BA", "BA0LIVE0AA0DIE0BA")  # a name that stands on both sides
@example("A0AAAA", "A0AABA0")
def test_any_two_texts_compare_equally_in_both_orders(one, other):
    """Whatever their scripts and signs."""
    one, other = parse_title(one), parse_title(other)
    alike = compare_titles(one, other)
    assert 0.0 <= alike <= 1.0
    assert alike == compare_titles(other, one)
    assert find_veto(one, other) == find_veto(other, one)
    assert compare_titles(one, one) == 1.0
    assert find_veto(one, one) is None


@pytest.mark.parametrize(
    ("one", "other", "veto"),
    [
        (Told(parse_title("x"), "a", NOON), Told(parse_title("x"), "a", NOON), Veto.PUBLISHER),
        (Told(parse_title("x"), "a", NOON), Told(parse_title("x"), "b", NOON), None),
        (Told(parse_title("x"), "", NOON), Told(parse_title("x"), "", NOON), None),
        (Told(parse_title("x"), "a", None), Told(parse_title("x"), "b", NOON), None),
        (
            Told(parse_title("x"), "a", NOON),
            Told(parse_title("x"), "b", NOON + timedelta(hours=72)),
            None,
        ),
        (
            Told(parse_title("x"), "a", NOON),
            Told(parse_title("x"), "b", NOON + timedelta(hours=72, seconds=1)),
            Veto.WINDOW,
        ),
    ],
)
def test_versions_of_one_publisher_and_old_news_are_no_duplicates(one, other, veto):
    """An unknown publisher or time contradicts nothing."""
    titles = "Strong quake hits central Italy", "Central Italy hit by strong quake"
    one, other = (
        Told(parse_title(title), told.publisher, told.at)
        for title, told in zip(titles, (one, other), strict=True)
    )
    assert judge_titles(one, other).similar
    assert judge_titles(one, other).veto is veto
    assert judge_titles(other, one).veto is veto


@pytest.mark.parametrize(
    ("publisher", "hours", "found"), [("a", 11, True), ("a", 13, False), ("b", 1, False)]
)
def test_an_equal_title_that_says_little_is_one_article_of_one_publisher(publisher, hours, found):
    """Within 12 hours."""
    stories = Stories()
    stories.add(Told(parse_title("Morning briefing"), "a", NOON))
    again = Told(parse_title("Morning briefing"), publisher, NOON + timedelta(hours=hours))
    assert (run_all(stories.find(again)) is not None) == found


WRONG_MERGES = [
    ("Magnitude 6.1 earthquake strikes Chile", "Magnitude 5.2 earthquake strikes Chile"),
    ("Leeds beat Derby 2-1 in cup tie", "Leeds beat Derby 1-2 in cup tie"),
    ("EU adopts 12th sanctions package", "EU adopts 13th sanctions package"),
    ("Senate passes border security bill", "Senate blocks border security bill"),
    ("央行宣布加息", "央行宣布降息"),
    ("東京で大雨", "京都で大雨"),
    ("News Today 5/2/24", "News Today 5/1/24"),
    ("3 Must-Buy Solar Stocks", "3 Must-Buy Restaurant Stocks"),
    ("New terminal opens Thursday", "New terminal opens Wednesday"),
    (
        "Ferry to Skye leaves at 7 a.m. after repairs",
        "Ferry to Skye leaves at 9 a.m. after repairs",
    ),
]


@pytest.mark.parametrize(("one", "other"), WRONG_MERGES)
@pytest.mark.parametrize("swapped", [False, True])
def test_titles_that_letters_alone_would_merge_stay_two_stories(one, other, swapped):
    """Numbers, scores, outcomes, cities, dates, kinds, weekdays and times."""
    first, second = (other, one) if swapped else (one, other)
    stories = Stories()
    stories.add(Told(parse_title(first), "a", NOON))
    assert run_all(stories.find(Told(parse_title(second), "b", NOON))) is None
    assert (
        run_all(stories.find(Told(parse_title(first), "b", NOON))) == (0, 1.0)
        or parse_title(first).thin
    )


QUAKE = "Strong quake hits central Italy near Rome"


def tell(title, hours=0, publisher=""):
    """A title at some hours after noon."""
    return Told(parse_title(title), publisher, NOON + timedelta(hours=hours))


def test_founders_far_away_in_time_are_found_if_another_is_near():
    """A block is left out only if all of it is outside the window, and has no unknown time."""
    stories = Stories()
    assert run_all(stories.find(tell(QUAKE))) is None
    stories.add(tell("Morning briefing"))
    assert run_all(stories.find(tell(QUAKE))) is None
    stories.add(tell(QUAKE, hours=-100))
    again = "Central Italy hit by strong quake near Rome"
    assert run_all(stories.find(tell(again))) is None
    assert run_all(stories.find_near_misses(tell(again))) == ()
    stories.add(tell("Court jails mayor of Lyon for fraud", hours=1))
    assert run_all(stories.find(tell(again))) is None
    assert [miss.veto for miss in run_all(stories.find_near_misses(tell(again)))] == [Veto.WINDOW]
    stories.add(Told(parse_title(QUAKE)))
    assert run_all(stories.find(tell(again)))[0] == 3


def test_the_best_of_many_blocks_is_found(monkeypatch):
    """Numbers go on from block to block, and the earliest of equals wins."""
    monkeypatch.setattr(index, "_BLOCK_FOUNDERS", 3)
    monkeypatch.setattr(index, "_SLICE_STEPS", 10)
    stories = Stories()
    for number in range(20):
        stories.add(tell(f"{QUAKE} says {number + 100} people of the town"))
    for number in range(20):
        found = run_all(stories.find(tell(f"{QUAKE} says {number + 100} people in town")))
        assert found is not None
        assert found[0] == number
    apart = run_all(stories.find_near_misses(tell(f"{QUAKE} says 999 people in town"), 1))
    assert len(apart) == 5
    assert list(apart) == sorted(apart, key=lambda miss: (-miss.similarity, miss.number))
    assert 1 not in {miss.number for miss in apart}
    assert {miss.veto for miss in apart} == {Veto.NUMBER}


@pytest.mark.parametrize("swapped", [False, True])
def test_a_title_with_all_words_of_a_short_one_is_found(swapped):
    """The least that two similar titles share: the index must not ask for more."""
    short = "Volcano ash closes harbour"
    long = f"{short} while tourists queue beside ferries carrying melons eastward cheaply"
    one, other = (long, short) if swapped else (short, long)
    stories = Stories()
    stories.add(tell(one))
    judged = judge_titles(tell(one), tell(other))
    assert judged.same
    assert judged.similarity <= 0.7
    assert run_all(stories.find(tell(other))) == (0, judged.similarity)


@needs_shared
def test_the_index_finds_the_best_founder_on_headlines():
    """Real headlines: many of one story, of many publishers, within two hours."""
    with (SHARED / "headlines/uci_news_aggregator_first3000.csv").open(
        encoding="utf-8", newline=""
    ) as rows:
        told = [
            Told(parse_title(row["TITLE"]), row["PUBLISHER"], NOON)
            for row in list(csv.DictReader(rows))[:500]
        ]
    stories, founders = Stories(), list[Told]()
    for one in told:
        judged = [judge_titles(one, founder) for founder in founders]
        equal = [
            (number, 1.0)
            for number, founder in enumerate(founders)
            if founder.title.folded == one.title.folded and are_one_article(one, founder)
        ]
        similar = [(-it.similarity, number) for number, it in enumerate(judged) if it.same]
        best = [(number, -less) for less, number in sorted(similar)[:1]]
        found = run_all(stories.find(one))
        assert found == next(iter(equal + best), None), one.title.folded
        if found is None:
            stories.add(one)
            founders.append(one)
