"""The reads of recommendations on a real PostgreSQL.

They are deeds, candidates, unseen articles and wide coverage.
"""

from datetime import timedelta

import pytest

from newsintel.domain.intelligence.interest_model import CandidateQuery, Deed, DeedKind
from newsintel.domain.personal.model import Dismissal
from newsintel.domain.search.article import Pair, Rule
from newsintel.storage.postgres.intelligence.reading import (
    NOTE_CHARS,
    OPENED,
    SAVES,
    PostgresReading,
)
from newsintel.storage.postgres.personal.history import PostgresHistory
from tests.make import search_record
from tests.storage.support import NOON, article

MINUTE = timedelta(minutes=1)


@pytest.fixture
def reading(postgres):
    """The reads of recommendations."""
    return PostgresReading(postgres)


async def save(saved, user_id, name, notes=None, at=NOON):
    """Save the article with this name."""
    await saved.put(user_id, article(name), NOON, notes=notes, keep_notes=False, at=at)


async def test_every_kind_of_own_deed_is_read(reading, feedback, saved, postgres, people):
    """The beginning of a note is a separate deed, labeled with its article's title.

    Another person's deeds are not read.
    """
    alice, bob = people
    await save(saved, alice, "one", "x" * (NOTE_CHARS + 1))
    await feedback.record_opened(alice, article("two"), NOON, NOON + MINUTE)
    await feedback.record_dismissed(alice, article("three"), NOON, NOON, Dismissal.HIDE)
    await feedback.record_dismissed(alice, article("four"), NOON, NOON, Dismissal.LESS_LIKE_THIS)
    await PostgresHistory(postgres).record_searches(
        [search_record(query="storms", searched_at=NOON, user_id=alice)]
    )
    for name in ("five", "six"):
        await save(saved, bob, name, "bob's")
        await feedback.record_opened(bob, article(name), NOON, NOON)
    assert set(await reading.list_deeds(alice)) == {
        Deed(DeedKind.SAVED, "Title one", "Title one", NOON, article("one").id),
        Deed(DeedKind.NOTED, "x" * NOTE_CHARS, "Title one", NOON, article("one").id),
        Deed(DeedKind.OPENED, "Title two", "Title two", NOON + MINUTE, article("two").id),
        Deed(DeedKind.HIDDEN, "Title three", "Title three", NOON, article("three").id),
        Deed(DeedKind.DISLIKED, "Title four", "Title four", NOON, article("four").id),
        Deed(DeedKind.SEARCHED, "storms", "storms", NOON),
    }


async def test_only_the_latest_deeds_are_read(reading, feedback, saved, people):
    """Older deeds do not matter, however many there are."""
    for number in range(OPENED + 1):
        await feedback.record_opened(people[0], article(f"o{number}"), NOON, NOON + MINUTE * number)
        if number <= SAVES:
            await save(saved, people[0], f"s{number}", at=NOON + MINUTE * number)
    labels = {deed.label for deed in await reading.list_deeds(people[0])}
    assert len(labels) == OPENED + SAVES
    assert not labels & {"Title o0", "Title s0"}


@pytest.fixture
async def stories(archive):
    """Six articles, a minute apart; the last one is the newest."""
    titles = [
        "comet norway",
        "comet bakery",
        "comet norway sky",
        "bakery strike",
        "it's a o'brien storm",
        "quiet",
    ]
    articles = [
        (article(str(place), title=title, published_at=NOON + MINUTE * place), NOON)
        for place, title in enumerate(titles)
    ]
    await archive.save_articles(articles, [])


async def found(reading, wanted, limit=10):
    """The articles that share enough, by number, with the terms that each shares."""
    ids = {article(str(number)).id: number for number in range(6)}
    rows = await reading.find_by_terms(wanted, limit)
    return {ids[row.article_id]: row.shared for row in rows}


async def test_two_terms_of_one_interest_make_a_candidate(reading, stories):
    """So does a single term that is enough alone.

    The result has all shared terms, also those of other interests.
    """
    pairs = CandidateQuery(
        (),
        (("en:comet", "en:norway"), ("en:sky", "en:bakeri")),
        ("en:comet", "en:norway", "en:sky", "en:bakeri"),
    )
    assert await found(reading, pairs) == {
        0: {"en:comet", "en:norway"},
        2: {"en:comet", "en:norway", "en:sky"},
    }
    lone = CandidateQuery(
        ("en:storm",),
        (("en:comet", "en:bakeri", "en:strike"),),
        ("en:storm", "en:comet", "en:bakeri", "en:strike"),
    )
    assert await found(reading, lone) == {
        1: {"en:comet", "en:bakeri"},
        3: {"en:bakeri", "en:strike"},
        4: {"en:storm"},
    }
    assert await found(reading, CandidateQuery((), (), ())) == {}


async def test_the_newest_candidates_come_first(reading, stories):
    """This matters if there are more candidates than wanted."""
    wanted = CandidateQuery(("en:comet",), (), ("en:comet",))
    assert list(await found(reading, wanted, 2)) == [2, 1]


async def test_operators_in_a_term_are_text(reading, stories):
    """The terms contain quotes, backslashes and operators."""
    for term in ("o'brien", "back\\slash'", "a | b", "!", "x:*"):
        assert (
            await reading.find_by_terms(
                CandidateQuery((term,), ((term, "en:comet"),), (term, "en:comet")), 5
            )
            == []
        )


async def test_known_story_is_not_offered_again(reading, feedback, saved, archive, people):
    """A story is known if the person saved, opened or dismissed one of its articles.

    Others still get it, with its number of saves.
    """
    alice, bob = people
    names = ["saved", "opened", "hidden", "twin of saved", "twin of opened", "new", "lone"]
    pairs = [
        Pair(article("twin of saved").id, article("saved").id, Rule.NEAR_TITLE, 0.9),
        Pair(article("twin of opened").id, article("opened").id, Rule.NEAR_TITLE, 0.9),
        Pair(article("new").id, article("lone").id, Rule.NEAR_TITLE, 0.9),
    ]
    await archive.save_articles(
        [(article(name, publisher=f"The {name}"), NOON) for name in names], pairs
    )
    await save(saved, alice, "saved")
    await feedback.record_opened(alice, article("opened"), NOON, NOON)
    await feedback.record_dismissed(alice, article("hidden"), NOON, NOON, Dismissal.HIDE)
    await save(saved, bob, "new")
    ids = [article(name).id for name in names]
    offers = await reading.load_unseen(alice, [*ids, "a_gone"])
    assert {
        one: (offer.article.external_id, offer.publishers, offer.saves)
        for one, offer in offers.items()
    } == {
        article("new").id: ("new", 2, 1),
        article("lone").id: ("lone", 2, 0),
    }
    assert set(await reading.load_unseen(bob, ids)) == {article(name).id for name in names} - {
        article("new").id,
        article("lone").id,
    }


async def test_widest_coverage_comes_first(reading, archive):
    """Newer articles come first among equals."""
    names = ["a", "b", "c", "d"]
    pairs = [Pair(article(name).id, article("a").id, Rule.NEAR_TITLE, 0.9) for name in ("b", "c")]
    await archive.save_articles(
        [
            (article(name, published_at=NOON + MINUTE * place), NOON)
            for place, name in enumerate(names)
        ],
        pairs,
    )
    rows = await reading.list_most_covered(10)
    assert [(title, number) for _, title, number in rows] == [
        ("Title a", 2),
        ("Title c", 1),
        ("Title b", 1),
        ("Title d", 0),
    ]
    assert len(await reading.list_most_covered(1)) == 1
