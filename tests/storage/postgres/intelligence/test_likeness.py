"""Similar articles on a real PostgreSQL.

Articles of the same story are left out, and the bounds hold.
"""

from datetime import timedelta
from hashlib import sha256

import pytest

from newsintel.domain.intelligence import term_weights as telling_module
from newsintel.domain.search.article import Pair, Rule
from newsintel.errors import ArchiveTimeoutError
from newsintel.storage.postgres.archive import unit_time
from newsintel.storage.postgres.intelligence import likeness as likeness_module
from newsintel.storage.postgres.intelligence.likeness import PostgresLikeness
from newsintel.storage.postgres.intelligence.terms import PostgresTerms
from tests.storage.support import NOON, article

DAY = timedelta(days=1)
FILLER = [
    article(f"filler {number}", title=f"Parish {number} council meets about road {number + 100}")
    for number in range(40)
]
VACCINE = article("vaccine", title="Pfizer vaccine trial halted", publisher="BBC")
STORY = [
    article("same words", title="Regulators study Pfizer vaccine after trial", publisher="Reuters"),
    article("two words", title="What a vaccine trial costs", publisher="The Times"),
    article("one word", title="Trial of a mayor opens", publisher="The Sun"),
]


@pytest.fixture
def likeness(postgres):
    """Similar articles at noon, in their own database."""
    return PostgresLikeness(postgres, lambda: NOON)


@pytest.fixture
def keep(archive, postgres):
    """Archives articles and pairs, and counts their words."""

    async def run(*articles, pairs=()):
        await archive.save_articles([(one, NOON) for one in articles], list(pairs))
        terms = PostgresTerms(postgres)
        while await terms.apply_changes():
            pass

    return run


async def test_most_similar_articles_come_first_with_shared_words(likeness, keep):
    """The weight of the shared words decides.

    The words are spelled as in the article, with the rarest first.
    """
    await keep(*FILLER, VACCINE, *STORY)
    found = await likeness.find_similar_by_id(VACCINE.id, 10)
    assert [match.article for match in found] == STORY
    assert set(found[0].terms) == {"Pfizer", "vaccine", "trial"}
    assert found[0].terms[0] == "Pfizer", "the rarest"
    assert [match.terms for match in found[2:]] == [("Trial",)]
    assert 1 >= found[0].score > found[1].score > found[2].score > 0
    assert found[0].fetched_at == NOON
    assert await likeness.find_similar_by_id(VACCINE.id, 1) == found[:1]


async def test_article_outside_the_archive_is_matched_by_its_text(likeness, keep):
    """`find_similar_by_id` returns None for it.

    `find_similar_to` finds similar articles by the words of its own fields.
    """
    await keep(*FILLER, *STORY)
    assert await likeness.find_similar_by_id(VACCINE.id, 10) is None
    assert [match.article for match in await likeness.find_similar_to(VACCINE, 10)] == STORY


async def test_own_story_is_left_out_and_other_stories_come_once(likeness, keep):
    """A pair of the archive, direct or through a founder, or the title shows the same story.

    Of duplicates among the results only the best is shown.
    """
    tied = article("tied", title="Drug maker stops: Pfizer vaccine trial")
    founder = article("founder", title="Health roundup with the Pfizer vaccine trial")
    near = article("near", title="Pfizer vaccine trial is halted", publisher="ABC")
    again = article("again", title="Regulators study Pfizer vaccine after a trial", publisher="AP")
    pairs = [
        Pair(tied.id, founder.id, Rule.NEAR_TITLE, 0.9),
        Pair(VACCINE.id, founder.id, Rule.NEAR_TITLE, 0.9),
    ]
    await keep(*FILLER, VACCINE, tied, founder, near, again, *STORY, pairs=pairs)
    found = [match.article.id for match in await likeness.find_similar_by_id(VACCINE.id, 10)]
    assert not {VACCINE.id, tied.id, founder.id, near.id} & set(found)
    assert len({again.id, STORY[0].id} & set(found)) == 1
    await keep(pairs=[Pair(STORY[1].id, STORY[2].id, Rule.NEAR_TITLE, 0.9)])
    assert STORY[2].id not in [
        match.article.id for match in await likeness.find_similar_by_id(VACCINE.id, 10)
    ]


async def test_other_publishers_and_newer_articles_rank_higher(likeness, keep):
    """The articles have equal words and lengths.

    Another publisher ranks before the same one, and a newer article before an older one.
    """
    title = "Vaccine trial: Pfizer {}"
    own = article("own", title=title.format("waits for good news"), publisher=VACCINE.publisher)
    old = article(
        "old",
        title=title.format("defends many choices"),
        publisher="Reuters",
        published_at=NOON - 90 * DAY,
    )
    new = article("new", title=title.format("answers tough questions"), publisher="The Times")
    await keep(*FILLER, VACCINE, own, old, new)
    assert [match.article for match in await likeness.find_similar_by_id(VACCINE.id, 10)] == [
        new,
        old,
        own,
    ]


async def test_rare_words_weigh_most(likeness, keep):
    """Stop words, and words that no article has, are not terms."""
    await keep(*FILLER, VACCINE, *STORY)
    texts = await likeness.find_key_terms(
        ["vaccines by Pfizer", "to be or not to be", "unheardof"], 5
    )
    assert [list(one) for one in texts] == [["en:pfizer", "en:vaccin"], [], []]
    assert [list(one) for one in await likeness.find_key_terms(["vaccines by Pfizer"], 1)] == [
        ["en:pfizer"]
    ]


async def test_word_of_a_title_weighs_more_than_one_of_a_description(likeness, keep):
    """This holds for archived articles and for others, even if both words are equally rare."""
    asked = article("asked", title="Zeppelin", description="Xylophone")
    by_title, by_description = (
        article("t", title="The zeppelin came"),
        article("d", title="The xylophone broke"),
    )
    others = [
        article(name, title=f"Our {word}", published_at=NOON - 9 * DAY)
        for name, word in (("t2", "zeppelin"), ("d2", "xylophone"))
    ]
    await keep(*FILLER, asked, by_description, by_title, *others)
    for found in (
        await likeness.find_similar_by_id(asked.id, 10),
        await likeness.find_similar_to(asked, 10),
    ):
        scores = {match.article.id: match.score for match in found}
        assert scores[by_description.id] == pytest.approx(
            scores[by_title.id] * telling_module.FIELD_WEIGHTS["B"]
        )


async def test_quotes_in_a_word_are_not_operators(likeness, keep):
    """No character of the word acts as an operator of the query."""
    odd = article("odd", title="O'Neil\\ & Pfizer: (a | b) !c <-> d")
    await keep(*FILLER, VACCINE, odd, *STORY)
    assert VACCINE in [match.article for match in await likeness.find_similar_by_id(odd.id, 10)]
    assert VACCINE in [match.article for match in await likeness.find_similar_to(odd, 10)]
    assert await likeness.find_similar_to(article("none", title="to be or not to be"), 10) == ()


async def test_newest_of_many_candidates_are_scored(likeness, keep, monkeypatch):
    """There may be more matches than are scored, or words too common to read completely.

    The newest are still found.
    """
    names = [
        sha256(bytes([number]))
        .hexdigest()[:20]
        .translate(str.maketrans("0123456789", "ghijklmnop"))
        for number in range(60)
    ]
    flood = [
        article(name, title=f"Flood in valley {name}", published_at=NOON - DAY * age)
        for age, name in enumerate(names)
    ]
    await keep(
        *reversed(flood),
        *(article(f"other {number}", title=f"Sports {number}") for number in range(700)),
    )
    asked = article("asked", title="Flood in valley", publisher="Nobody")
    every = await likeness.find_similar_to(asked, 50)
    assert len(every) == 50
    monkeypatch.setattr(likeness_module, "CANDIDATES", 5)
    assert [match.article for match in await likeness.find_similar_to(asked, 5)] == flood[:5]
    monkeypatch.setattr(telling_module, "INDEX_BUDGET", 10)
    assert [match.article for match in await likeness.find_similar_to(asked, 5)] == flood[:5]


async def test_slow_search_is_an_archive_timeout(likeness, keep, monkeypatch):
    """The timeout is the same as for any search of the archive."""
    await keep(VACCINE)
    monkeypatch.setattr(unit_time, "UNIT_S", 0)
    with pytest.raises(ArchiveTimeoutError):
        await likeness.find_similar_by_id(VACCINE.id, 10)
