"""Search marks: one person's equal searches on one day have one mark.

Any other search has another mark.
"""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from newsintel.config.values import Secret
from newsintel.domain.intelligence import marks as module
from newsintel.domain.intelligence.marks import DailySearches, SearchMarker, order_pair
from tests.make import NOON, search_record

DAY = timedelta(days=1)
TODAY: date = NOON.date()
KEYS = [Secret("A" * 43), Secret("B" * 42 + "A")]


def marked(*searches, keys=KEYS):
    """The marks that one process makes of some searches, each as (query, person, days later)."""
    marking = SearchMarker(keys)
    return [
        marking.mark(search_record(query=query, person=person, searched_at=NOON + days * DAY))
        for query, person, days in searches
    ]


def test_the_same_person_query_and_day_make_the_same_mark():
    """In every process with the same key, at any time of the day."""
    (one,), (other,) = marked(("flood", "alice", 0)), marked(("flood", "alice", 0.4))
    assert one.mark == other.mark
    assert (len(one.mark), one.query, one.day, one.beside) == (16, "flood", TODAY, ())


def test_another_person_query_day_or_key_makes_another_mark():
    """All five marks differ."""
    different = [
        *marked(
            ("flood", "alice", 0), ("tide", "alice", 0), ("flood", "bob", 0), ("flood", "alice", 1)
        )
    ]
    different += marked(("flood", "alice", 0), keys=KEYS[1:])
    assert len({one.mark for one in different}) == 5


letters = st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=3)


@given(st.lists(letters, min_size=2, max_size=3), st.lists(letters, min_size=2, max_size=3))
def test_the_parts_of_a_mark_are_kept_apart(some, others):
    """Other queries or another person never give the same mark, however their texts join."""
    marks_of = SearchMarker(KEYS[:1]).make_marks_finder
    alike = marks_of(some[-1])(TODAY, *some[:-1]) == marks_of(others[-1])(TODAY, *others[:-1])
    assert alike == (some == others)


def test_a_pair_has_one_mark_in_either_order():
    """It differs from the marks of both queries.

    Beside it stands the other query's own mark, unchanged.
    """
    _, second = marked(("flood", "alice", 0), ("tide", "alice", 0))
    _, turned = marked(("tide", "alice", 0), ("flood", "alice", 0))
    (beside,), (also,) = second.beside, turned.beside
    assert (beside.query, beside.mark, beside.pair_mark) == ("flood", turned.mark, also.pair_mark)
    assert len({beside.pair_mark, second.mark, turned.mark}) == 3
    assert order_pair("tide", "flood") == order_pair("flood", "tide") == ("flood", "tide")


def test_marks_can_be_computed_again_for_a_person():
    """Only for that person, and also under a key that has been replaced."""
    first, second = marked(("flood", "alice", 0), ("tide", "alice", 0), keys=KEYS[1:])
    marks_of = SearchMarker(KEYS).make_marks_finder("alice")
    assert first.mark in marks_of(TODAY, "flood")
    assert second.beside[0].pair_mark in marks_of(TODAY, "flood", "tide")
    assert first.mark not in SearchMarker(KEYS).make_marks_finder("bob")(TODAY, "flood")


def test_a_query_too_long_to_be_counted_has_no_mark():
    """It forms a pair with no other query."""
    marking = SearchMarker(KEYS)
    assert marking.mark(search_record(form=None)) is None
    assert marking.mark(search_record()).beside == ()


def test_a_forgotten_person_has_no_earlier_queries():
    """After that, the person's next search forms no pair with an earlier one."""
    marking = SearchMarker(KEYS)
    for person in ("alice", "bob"):
        marking.mark(search_record(query="flood", person=person))
    marking.forget("alice")
    marking.forget("nobody")
    beside = {
        person: marking.mark(search_record(query="tide", person=person)).beside
        for person in ("alice", "bob")
    }
    assert {person: len(found) for person, found in beside.items()} == {"alice": 0, "bob": 1}


def test_pairs_do_not_cross_days():
    """A search of yesterday forms no pair with one of today.

    A search that arrives late forms no pair.
    """
    together = DailySearches()
    assert together.add(TODAY, "alice", "flood") == ()
    assert together.add(TODAY + DAY, "alice", "tide") == ()
    assert together.add(TODAY, "alice", "quake") == ()
    assert together.add(TODAY + DAY, "alice", "dyke") == ("tide",)


def test_remembered_queries_are_bounded(monkeypatch):
    """Each person keeps the latest queries, and the people who searched last are kept.

    A repeated query forms no new pair.
    """
    # Room for alice with eight queries and another person with a short one.
    monkeypatch.setattr(module, "MAX_BYTES", 1_500)
    together = DailySearches()
    found = [
        together.add(TODAY, "alice", f"q{number}") for number in range(module.MOST_QUERIES + 2)
    ]
    assert [len(others) for others in found] == [
        *range(module.MOST_QUERIES + 1),
        module.MOST_QUERIES,
    ]
    assert found[-1][0] == "q1"
    assert together.add(TODAY, "alice", "q9") == ()
    together.add(TODAY, "bob", "q")
    together.add(TODAY, "carol", "q" * 256)
    assert together.add(TODAY, "alice", "new") == ()
    assert together.add(TODAY, "carol", "new") == ("q" * 256,)
