"""The archive on a real PostgreSQL: what a save keeps, what it refuses, and concurrent saves."""

import random
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import asyncpg
import pytest
import trio
from attrs import evolve

from newsintel.domain.archive.query import build_archive_query
from newsintel.domain.search.article import Engagement, Group, Member, Pair, Rule
from newsintel.errors import PoisonedBatchError
from newsintel.storage.postgres.archive.search import PostgresSearch
from tests.storage.support import NOON, article

LATER = NOON + timedelta(hours=1)


async def test_saving_again_adds_nothing_and_keeps_the_latest_fetch(archive):
    """The second save counts no new row. fetched_at only moves forward; first_seen_at stays."""
    assert await archive.save_articles([(article(), NOON)], []) == 1
    assert await archive.save_articles([(article(), LATER)], []) == 0
    assert await archive.save_articles([(article(), NOON)], []) == 0
    found = await archive.get_article(article().id)
    assert (found.first_seen_at, found.fetched_at) == (NOON, LATER)


async def test_every_field_is_read_back_unchanged(archive):
    """Article and row have the same values in any script; times come back in UTC."""
    full = article(
        title="زلزال — 地震 👩‍👩‍👧 \u202e",
        description="d",
        content="c" * 1_000_000,
        author="a",
        section="s",
        image_url="https://i",
        language="ar",
        published_at_estimated=True,
        engagement=Engagement(0, 7, "https://www.reddit.com/r/news/comments/1/"),
    )
    await archive.save_articles([(full, NOON)], [])
    found = (await archive.get_article(full.id)).article
    assert found == full
    assert found.published_at.tzinfo is UTC


async def test_later_save_fills_missing_fields_and_loses_nothing(archive):
    """Empty fields are filled, and longer texts replace shorter ones.

    A known date replaces an estimated one. The engagement is that of the newest fetch.
    """
    await archive.save_articles(
        [
            (
                article(
                    description="long text",
                    published_at_estimated=True,
                    engagement=Engagement(5, 5),
                ),
                NOON,
            )
        ],
        [],
    )
    fuller = article(
        description="short",
        content="body",
        author="A",
        published_at=NOON - timedelta(days=1),
        engagement=Engagement(9, 9),
    )
    await archive.save_articles([(fuller, LATER)], [])
    await archive.save_articles([(article(engagement=Engagement(1, 1)), NOON)], [])
    kept = (await archive.get_article(article().id)).article
    assert kept == evolve(fuller, description="long text")


POST = article(
    source="reddit",
    external_id="t3_1",
    author="poster",
    description="I saw this",
    engagement=Engagement(7, 3, "https://www.reddit.com/r/news/comments/1/"),
)
BARE = article()
SIGNED = article(author="Jane Doe", description="By her")
OTHERS = article(
    source="newsapi",
    publisher="The Example",
    author="Desk",
    description="A longer description",
    image_url="https://i",
    language="en",
)


@pytest.mark.parametrize(
    ("saved", "expected"),
    [
        ((BARE, POST), evolve(BARE, engagement=POST.engagement)),
        ((POST, BARE), POST),
        ((SIGNED, POST), evolve(SIGNED, engagement=POST.engagement)),
        ((POST, SIGNED), POST),
        ((BARE, POST, SIGNED), evolve(SIGNED, engagement=POST.engagement)),
        (
            (POST, evolve(POST, author="other", description="I saw this, too")),
            evolve(POST, description="I saw this, too"),
        ),
        (
            (BARE, OTHERS),
            evolve(BARE, description="A longer description", image_url="https://i", language="en"),
        ),
        (
            (POST, OTHERS),
            evolve(POST, description="A longer description", image_url="https://i", language="en"),
        ),
        (
            (evolve(POST, author=None), OTHERS, POST),
            evolve(POST, description="A longer description", image_url="https://i", language="en"),
        ),
    ],
)
async def test_an_article_keeps_its_own_sources_author(archive, saved, expected):
    """A Reddit poster is never the author of an outlet's article, in any order of saves."""
    for one in saved:
        await archive.save_articles([(one, NOON)], [])
    assert (await archive.get_article(BARE.id)).article == expected
    await archive.save_articles([(one, NOON) for one in saved], [])
    assert (await archive.get_article(BARE.id)).article.author == expected.author


THREADS = [None, *(f"https://www.reddit.com/r/{name}/comments/1/" for name in ("a", "b"))]


def choose_discussion(saves):
    """The rule for the discussion of an article, on its saves in their order."""
    kept, latest = None, NOON
    for found, at in saves:
        if kept is None or found is None:
            kept = kept or found
        elif kept.url and found.url and kept.url != found.url:
            kept = max(kept, found, key=lambda it: it.points)
        else:
            new, old = (found, kept) if at >= latest else (kept, found)
            kept = evolve(new, url=new.url or old.url)
        latest = max(latest, at)
    return kept


async def test_the_archive_keeps_one_whole_discussion(archive):
    """Of several, the one with the most points; of each, the counts of the newest fetch.

    200 articles have up to six saves with any discussion, at any time, alone or in one batch.
    """
    dice = random.Random(11)

    def make_save():
        counts = dice.randrange(4), dice.randrange(4), dice.choice(THREADS)
        found = Engagement(*counts) if dice.random() < 0.8 else None
        return found, NOON + timedelta(hours=dice.randrange(3))

    saves = {
        str(number): [make_save() for _ in range(dice.randrange(1, 7))] for number in range(200)
    }
    together = {name: some for name, some in saves.items() if int(name) % 2}
    await archive.save_articles(
        [(article(name, engagement=it), at) for name, some in together.items() for it, at in some],
        [],
    )
    for turn in range(6):
        batch = [(name, some[turn]) for name, some in saves.items() if turn < len(some)]
        await archive.save_articles(
            [
                (article(name, engagement=it), at)
                for name, (it, at) in batch
                if name not in together
            ],
            [],
        )
    for name, some in saves.items():
        found = (await archive.get_article(article(name).id)).article
        assert found.engagement == choose_discussion(some), some


async def test_the_archive_and_a_search_choose_the_same_discussion(archive):
    """A harvest's members of one page become one row; on a tie the first wins in both."""
    dice = random.Random(12)
    for number in range(40):
        posts = [
            article(
                f"page{number}",
                source="reddit",
                engagement=Engagement(
                    dice.randrange(3),
                    dice.randrange(9),
                    f"https://www.reddit.com/r/x/comments/{n}/",
                ),
            )
            for n in range(dice.randrange(1, 4))
        ]
        members = [article(f"page{number}", source="newsapi"), *posts]
        dice.shuffle(members)
        group = Group(tuple(map(Member, members)), members[0])
        await archive.save_articles([(one, NOON) for one in members], [])
        kept = (await archive.get_article(members[0].id)).article
        assert kept.engagement == group.discussion


OLD = """INSERT INTO articles (public_id, canonical_url, url, source, external_id,
             publisher, title, published_at, published_at_estimated, points, comments,
             first_seen_at, fetched_at)
         VALUES ('{one.id}', '{one.url}', '{one.url}', 'reddit', 't3_1',
             'r/news', 'T', '2026-11-23+00', false, 5, 2, '2026-11-23+00', '2026-11-23+00')"""


async def test_a_post_of_an_older_process_gets_its_discussion_and_its_outlet(archive, execute):
    """Before and during a roll-out, older processes write link posts under their subreddit.

    They know no address. Posts without a link stay with their subreddit.
    """
    link, talk = article("link", source="reddit"), article("talk", source="reddit")
    for one in (link, talk):
        await execute(OLD.format(one=one))
    old = (await archive.get_article(link.id)).article
    assert (old.publisher, old.engagement) == ("r/news", Engagement(5, 2))
    found = Engagement(4, 3, "https://www.reddit.com/r/news/comments/1/")
    await archive.save_articles(
        [
            (evolve(link, publisher="bbc.com", engagement=found), LATER),
            (evolve(talk, publisher="r/news", engagement=found), LATER),
        ],
        [],
    )
    await archive.save_articles([(evolve(link, publisher="r/world"), LATER)], [])
    new = [(await archive.get_article(one.id)).article for one in (link, talk)]
    assert [one.publisher for one in new] == ["bbc.com", "r/news"]
    assert [one.engagement for one in new] == [found, found]


async def test_an_outlet_is_found_by_its_name_after_its_link_post(archive, postgres):
    """Not by the subreddit any more."""
    await archive.save_articles([(evolve(POST, publisher="r/news"), NOON), (BARE, NOON)], [])
    search = PostgresSearch(postgres)
    for q, hits in (('publisher:"the guardian"', 1), ("publisher:r/news", 0)):
        assert len((await search.search(build_archive_query(q), 10, None)).hits) == hits


async def test_author_condition_matches_only_the_author_of_the_source(archive, postgres):
    """A person who posted a link to the article does not match."""
    await archive.save_articles([(BARE, NOON), (POST, NOON)], [])
    await archive.save_articles([(SIGNED, NOON)], [])
    search = PostgresSearch(postgres)
    assert not (await search.search(build_archive_query("author:poster"), 10, None)).hits
    assert [
        hit.article.author
        for hit in (await search.search(build_archive_query("author:jane"), 10, None)).hits
    ] == ["Jane Doe"]


async def test_the_same_article_twice_in_a_batch_is_one_row(archive):
    """A batch may repeat a URL, even from two sources.

    The repeats act like one save after the other.
    """
    again = article(source="newsapi", external_id="other", author="A")
    assert (
        await archive.save_articles(
            [(article(), NOON), (again, LATER), (article("two"), NOON), (article(), NOON)], []
        )
        == 2
    )
    found = await archive.get_article(article().id)
    assert (found.article.source, found.article.author, found.fetched_at) == (
        "guardian",
        None,
        LATER,
    )


async def test_external_id_may_move_to_another_url(archive):
    """The canonical URL is the identity.

    The same external id at another URL is another article, and no save fails.
    """
    first, second = article("one", external_id="x"), article("two", external_id="y")
    swapped = [evolve(first, external_id="y"), evolve(second, external_id="x")]
    assert await archive.save_articles([(first, NOON), (second, NOON)], []) == 2
    assert await archive.save_articles([(one, NOON) for one in swapped], []) == 0


@pytest.mark.parametrize(
    "bad",
    [
        article("bad", title="NUL \x00 inside"),
        article("bad", title="lone \ud800 surrogate"),
        article("bad\udcff"),
        article("bad", published_at=datetime(9999, 12, 31, tzinfo=UTC)),
        article("bad", published_at=datetime(1, 1, 1, tzinfo=UTC)),
        article("bad", published_at=datetime(2026, 1, 1)),  # noqa: DTZ001 - this is tested
        article("bad", engagement=Engagement(2**31, 0)),
        article("bad", engagement=Engagement(2**70, 0)),
        article("bad", title=None),
        article("bad", title=7),
    ],
    ids=[
        "nul",
        "surrogate",
        "surrogate-url",
        "year-9999",
        "year-1",
        "naive",
        "int4",
        "huge",
        "missing",
        "wrong-type",
    ],
)
async def test_poisoned_row_is_reported_and_its_batch_is_not_saved(archive, bad):
    """The caller can bisect: the good row of the batch is not saved, and can be saved alone."""
    with pytest.raises(PoisonedBatchError):
        await archive.save_articles([(article("good"), NOON), (bad, NOON)], [])
    assert await archive.get_article(article("good").id) is None
    assert await archive.save_articles([(article("good"), NOON)], []) == 1
    await archive.store_dead_letter(bad, "reason \x00\ud800")
    await archive.store_dead_letter(bad, "again")


async def test_year_beyond_pythons_range_cannot_be_stored(execute, archive):
    """Not even foreign SQL can store it: one such row would break every list that contains it."""
    await archive.save_articles([(article(), NOON)], [])
    with pytest.raises(asyncpg.CheckViolationError):
        await execute("UPDATE articles SET published_at = '20000-01-01'")
    with pytest.raises(asyncpg.CheckViolationError):
        await execute("UPDATE articles SET published_at = 'infinity'")


@pytest.mark.slow
async def test_texts_too_large_for_the_index_are_saved(archive):
    """A tsvector holds 1 MiB. Texts of only different words, in the worst shapes, still fit."""
    dice = random.Random(7)
    words = ["".join(dice.choices("abcdefghijklmnopqrstuvwxyz", k=4)) for _ in range(60_000)]
    hosts = [f"{one}.{two}/{one}" for one, two in zip(words, reversed(words), strict=True)]
    wide = [
        chr(0x20000 + number % 40_000) + chr(0x20000 + number // 40_000) for number in range(80_000)
    ]
    for number, text in enumerate(
        (" ".join(words), "-".join(words), " ".join(hosts), " ".join(wide), "x" * 3_000_000)
    ):
        nasty = article(f"nasty{number}", title=text, description=text, content=text)
        assert await archive.save_articles([(nasty, NOON)], []) == 1


async def test_pairs_set_the_leader_and_skip_unknown_articles(archive):
    """The leader is the most complete article of a group, then the one seen first.

    A pair with an unknown article is skipped.
    """
    plain, full, alone = (
        article("plain"),
        article("full", description="d", author="a"),
        article("alone"),
    )
    tie = Pair(plain.id, full.id, Rule.NEAR_TITLE, 0.9)
    stranger = Pair(alone.id, "a_stranger", Rule.URL, 1.0)
    with_itself = Pair(alone.id, alone.id, Rule.URL, 1.0)
    for _ in range(2):
        await archive.save_articles(
            [(one, NOON) for one in (plain, full, alone)], [tie, tie, stranger, with_itself]
        )
    leaders = [(await archive.get_article(one.id)).leader_id for one in (plain, full, alone)]
    assert leaders == [full.id, full.id, alone.id]


async def test_pair_keeps_its_strongest_reason_in_any_order(archive, postgres):
    """The pairs (A, B) and (B, A) are one pair.

    A weaker reason found later does not replace a stronger one.
    """
    one, two = article("one"), article("two")
    await archive.save_articles(
        [(one, NOON), (two, NOON)], [Pair(one.id, two.id, Rule.NEAR_TITLE, 0.8)]
    )
    await archive.save_articles([], [Pair(two.id, one.id, Rule.URL, 1.0)])
    await archive.save_articles([], [Pair(one.id, two.id, Rule.TITLE, 0.9)])

    async def pairs(connection):
        return [
            tuple(row)
            for row in await connection.fetch("SELECT rule, similarity FROM article_duplicates")
        ]

    assert await postgres.run(pairs) == [("url", 1.0)]


async def test_concurrent_saves_of_the_same_rows_succeed(archive):
    """Four tasks save overlapping rows in different orders.

    None fails, and every row counts as new once.
    """
    everything = [article(str(number)) for number in range(60)]
    new = []

    async def save(seed):
        for step in range(5):
            some = random.Random(seed * 100 + step).sample(everything, 40)
            ties = [Pair(a.id, b.id, Rule.TITLE, 1.0) for a, b in pairwise(some)]
            new.append(await archive.save_articles([(one, NOON) for one in some], ties))

    async with trio.open_nursery() as nursery:
        for seed in range(4):
            nursery.start_soon(save, seed)
    found = [await archive.get_article(one.id) for one in everything]
    assert sum(new) == sum(one is not None for one in found) >= 40


async def test_unknown_article_is_none_and_empty_batch_saves_nothing(archive):
    """Neither is an error."""
    assert await archive.get_article("a_nothing") is None
    assert await archive.save_articles([], []) == 0
