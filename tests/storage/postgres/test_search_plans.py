"""The shapes of PostgreSQL's plans for frequent queries over 50,000 articles.

They use indexes and never read all matches.
"""

import json
from itertools import chain

import asyncpg
import pytest
import trio

from benchmarks import queries
from benchmarks.corpus import Corpus
from benchmarks.load import fill_archive
from newsintel.config.values import Secret
from newsintel.domain.archive.model import ArchiveQuery, Bucket
from newsintel.domain.text.lexemes import make_lexeme
from newsintel.storage.bridge import open_bridge
from newsintel.storage.postgres.archive import search
from newsintel.storage.postgres.archive.facet_counts import FACET_ROWS, count_facets
from newsintel.storage.postgres.archive.indexing import UNREAD
from newsintel.storage.postgres.archive.lexemes import quote_lexeme
from newsintel.storage.postgres.archive.orders import CANDIDATES
from newsintel.storage.postgres.archive.prepared_condition import LANGUAGES
from newsintel.storage.postgres.archive.reader_articles import FOUND
from newsintel.storage.postgres.archive.timeline_counts import count_timeline
from newsintel.storage.postgres.pool import open_postgres
from tests.storage.conftest import database, rows, sql

CORPUS = Corpus(50_000)
PAGE = 20


@pytest.fixture(scope="module")
def corpus_url(servers):
    """A database with the corpus, loaded once."""
    url = database(servers.postgres_url, "corpus")

    async def fill():
        connection = await asyncpg.connect(url)
        try:
            await fill_archive(connection, CORPUS)
        finally:
            await connection.close()  # noqa: ASYNC102 - asyncio's side of the bridge

    async def make():
        async with open_bridge() as bridge:
            await bridge.add_lane("test", 1).run(
                sql, servers.postgres_url, "CREATE DATABASE corpus TEMPLATE migrated"
            )
            await bridge.add_lane("test", 1).run(fill)

    trio.run(make)
    return url


class Explaining:
    """A connection that stores the plan of each query on articles that it runs."""

    def __init__(self, connection):
        self._connection = connection
        self.plans = []

    def __getattr__(self, name):
        async def ask(statement, *values):
            if "FROM articles" in statement:
                plan = await self._connection.fetchval(
                    f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", *values
                )
                self.plans.append(json.loads(plan)[0]["Plan"])
            return await getattr(self._connection, name)(statement, *values)

        return ask


@pytest.fixture
async def plans(bridge, corpus_url):
    """Returns the nodes of every plan that a unit of search needs."""
    async with open_postgres(bridge, Secret(corpus_url), None, 1) as postgres:

        async def run(unit, *args):
            async def explained(connection):
                explaining = Explaining(connection)
                await unit(explaining, *args)
                return list(chain.from_iterable(map(nodes, explaining.plans)))

            return await postgres.run(explained)

        yield run


def nodes(plan):
    """The nodes of a plan, from the top."""
    yield plan
    for part in plan.get("Plans", ()):
        yield from nodes(part)


def scans(found):
    """The kinds of nodes that read the table in a plan."""
    return {node["Node Type"] for node in found if node.get("Relation Name") == "articles"}


def read(found, kind):
    """The number of rows that scans of a kind read from the table."""
    return sum(
        node["Actual Rows"] * node["Actual Loops"] for node in found if node["Node Type"] == kind
    )


def two_of_each(*kinds):
    """Two queries of each kind, with the names of their kinds."""
    return [
        (name, query) for kind in kinds for name, some in kind(CORPUS).items() for query in some[:2]
    ]


@pytest.mark.slow
async def test_newest_first_reads_one_page_in_index_order(plans):
    """The plan does not sort, and reads little more than it shows."""
    for name, query in two_of_each(queries.build_newest):
        found = await plans(search._search, query, PAGE, None)
        assert "Seq Scan" not in scans(found), name
        assert "Sort" not in {node["Node Type"] for node in found}, name
        assert read(found, "Index Scan") <= 3 * PAGE, name


@pytest.mark.slow
async def test_word_search_reads_little_more_than_it_ranks(plans):
    """It uses the GIN index and windows.

    A word in a third of all articles costs no more than a rare one, in any order.
    """
    for name, query in two_of_each(queries.build_relevance, queries.build_newest_words):
        found = await plans(search._search, query, PAGE, None)
        assert "Seq Scan" not in scans(found), name
        assert not [
            node
            for node in found
            if node["Node Type"] == "Sort" and node["Actual Rows"] > 2 * CANDIDATES
        ], name
        assert 0 < read(found, "Bitmap Heap Scan") <= 5 * CANDIDATES or "misses" in name, name


async def test_timeline_of_a_month_and_facets_of_a_word_use_the_index(plans):
    """They read only the month or the matches from the table."""
    for name, some in queries.build_timelines(CORPUS).items():
        for query in some[:2]:
            assert "Seq Scan" not in scans(await plans(count_timeline, query, Bucket.DAY)), name
    for query in queries.build_facets(CORPUS)["facets, other word"]:
        assert "Seq Scan" not in scans(await plans(count_facets, query))


async def test_each_window_uses_one_index(plans):
    """The index has words, publisher and time together.

    So a rare combination of common values is as fast as a rare value.
    """
    (query, *_) = queries.build_relevance(CORPUS)["word and publisher:"]
    found = await plans(search._search, query, PAGE, None)
    assert {node["Index Name"] for node in found if node["Node Type"] == "Bitmap Index Scan"} == {
        "articles_found"
    }
    assert read(found, "Bitmap Heap Scan") <= 5 * CANDIDATES


async def test_facets_report_when_older_matches_are_not_counted(bridge, corpus_url):
    """Facets of everything, or of a common word, count about the newest 10,000.

    Facets of fewer matches count all and report nothing.
    """
    async with open_postgres(bridge, Secret(corpus_url), None, 1) as postgres:
        finder = search.PostgresSearch(postgres)
        everything = await finder.count_facets(ArchiveQuery())
        assert (
            everything.counted_newest == sum(count for _, count in everything.source) == FACET_ROWS
        )
        (common, *_) = queries.build_newest_words(CORPUS)["newest, common word"]
        counted = (await finder.count_facets(common)).counted_newest
        lexeme = quote_lexeme(make_lexeme(CORPUS.words[0], "en"))
        counting = f"SELECT count(*) FROM articles WHERE search @@ $${lexeme}$$"  # noqa: S608
        ((matches,),) = await bridge.add_lane("test", 1).run(rows, corpus_url, counting)
        assert FACET_ROWS <= counted < matches
        for query in (
            queries.build_facets(CORPUS)["facets, other word"][0],
            ArchiveQuery(sources=("nobody",)),
        ):
            assert (await finder.count_facets(query)).counted_newest is None


async def test_each_source_is_one_lookup_in_an_index(plans):
    """The number of articles does not matter."""
    found = await plans(search._find_archived_sources, ["guardian", "imported"])
    assert scans(found) == {"Index Only Scan"}
    assert read(found, "Index Only Scan") == 1


async def test_finding_unread_articles_reads_only_those(bridge, corpus_url):
    """This holds if all articles are read, and if one is not."""
    lane, asked = (
        bridge.add_lane("test", 1),
        f"EXPLAIN (ANALYZE, FORMAT JSON) {UNREAD.replace('$1', '200')}",
    )
    for unread in (0, 1):
        await lane.run(
            sql,
            corpus_url,
            "UPDATE articles SET text_language = NULL"  # noqa: S608
            f" WHERE id IN (SELECT id FROM articles LIMIT {unread})",
        )
        ((plan,),) = await lane.run(rows, corpus_url, asked)
        found = list(nodes(json.loads(plan)[0]["Plan"]))
        assert {node["Index Name"] for node in found if "Index Name" in node} == {"articles_unread"}
        assert read(found, "Index Scan") == unread
    await lane.run(
        sql, corpus_url, "UPDATE articles SET text_language = 'en' WHERE text_language IS NULL"
    )


async def test_languages_are_read_from_an_index(plans, bridge, corpus_url):
    """The number of articles does not matter."""
    plan = await bridge.add_lane("test", 1).run(
        rows, corpus_url, f"EXPLAIN (FORMAT JSON) {LANGUAGES}"
    )
    found = list(nodes(json.loads(plan[0][0])[0]["Plan"]))
    assert {node["Index Name"] for node in found if "Index Name" in node} == {
        "articles_text_language"
    }
    assert "Seq Scan" not in scans(found)


async def test_items_of_feed_readers_are_found_by_their_ids(bridge, corpus_url):
    """A range of the index for each item, whatever the collation is; never all articles."""
    statement = FOUND.replace("$1::text[]", "ARRAY['a_aaaaaaaaaaaa', 'a_z2z2z2z2z2z2']")
    statement = statement.replace("$2", "2000")
    plan = await bridge.add_lane("test", 1).run(
        rows, corpus_url, f"EXPLAIN (FORMAT JSON) {statement}"
    )
    found = list(nodes(json.loads(plan[0][0])[0]["Plan"]))
    assert {node["Index Name"] for node in found if "Index Name" in node} == {
        "articles_public_id_key"
    }
    assert "Seq Scan" not in scans(found)
