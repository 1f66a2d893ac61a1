"""The table of printed_words holds for every search of words.

These are the archive on two servers, the live score, topics, and the search of saved articles.
"""

import asyncio
from datetime import timedelta

import asyncpg
import pytest
import trio
from attrs import frozen

from newsintel.config.values import Secret
from newsintel.domain.archive import query as archive_query
from newsintel.domain.archive.model import Hit
from newsintel.domain.bounds.slices import run_all
from newsintel.domain.personal import saved_query
from newsintel.domain.search import query
from newsintel.domain.search.article import Article, Group, Member
from newsintel.domain.search.matching import (
    PreparedQuery,
    PreparedTopics,
    choose_article_language,
    prepare_text,
    select_essential,
)
from newsintel.domain.search.scoring import score_group
from newsintel.errors import InvalidParameterError
from newsintel.storage.bridge import open_bridge
from newsintel.storage.embedded import daemon
from newsintel.storage.embedded import servers as embedded
from newsintel.storage.postgres.accounts.accounts import PostgresAccounts
from newsintel.storage.postgres.archive import conditions
from newsintel.storage.postgres.archive.articles import PostgresArchive
from newsintel.storage.postgres.archive.search import PostgresSearch
from newsintel.storage.postgres.migrate import migrate
from newsintel.storage.postgres.personal.saved import PostgresSaved
from newsintel.storage.postgres.pool import SERVER_SETTINGS, open_postgres
from tests.make import NOON, article
from tests.printed_words import AUTHORS, EXACT_FIRST, PROMISES, PUBLISHERS, REFUSED, ROWS, Row
from tests.storage.postgres_servers import installed, make_cluster, postgres_server
from tests.waiting import PATIENCE_S

SOURCES = ("newsapi", "guardian", "reddit")
ALL_ROWS = (*ROWS, *AUTHORS, *PUBLISHERS)
NONE_INSTALLED = "no PostgreSQL in /usr/lib/postgresql"


def printed() -> dict[Row | str, Article]:
    """An article for each different title, author or publisher of the table, by its rows.

    Those of EXACT_FIRST are by their titles.

    A title spelled with marks is an hour older than the one without, so that only its spelling can
    put it first.
    """
    articles: dict[tuple, Article] = {}
    found: dict[Row | str, Article] = {}
    for rows, field in ((ROWS, "title"), (AUTHORS, "author"), (PUBLISHERS, "publisher")):
        for row in rows:
            name = (field, row.title, row.language)
            if name not in articles:
                texts = {"title": f"Story {len(articles)}"} | {field: row.title}
                moment = NOON - timedelta(seconds=len(articles))
                articles[name] = article(
                    str(len(articles)), language=row.language, published_at=moment, **texts
                )
            found[row] = articles[name]
    for number, (marked, plain, *_) in enumerate(EXACT_FIRST):
        for hours, title in ((1, marked), (0, plain)):
            found[title] = article(
                f"exact{number}{hours}", title=title, published_at=NOON - timedelta(hours=hours)
            )
    return found


PRINTED = printed()


@frozen
class Told:
    """What a server's archive found.

    Attributes:
        archive: for each q of the table, the hits, best first.
        saved: the rows whose query finds the article when a person saved only that article.
    """

    archive: dict[str, tuple[Hit, ...]]
    saved: set[Row]

    def ids(self, q: str) -> list[str]:
        """The ids that the archive found, best first."""
        return [hit.article.id for hit in self.archive[q]]


@frozen
class OneConnection:
    """A Postgres with a single connection on a plain asyncio loop.

    How units cross the bridge is not tested here.
    """

    connection: asyncpg.Connection

    async def run(self, unit, *args, **kwargs):
        """Run a unit."""
        return await unit(self.connection, *args, **kwargs)


@pytest.fixture(scope="module")
def every_answer(tmp_path_factory):
    """What the archive on each available server finds for every query of the table."""
    # The machine may be busy, and this does not test speed
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("newsintel.storage.postgres.connecting.CONNECT_S", PATIENCE_S)
        patch.setattr("newsintel.storage.postgres.pool.COMMAND_S", PATIENCE_S)
        patch.setattr("newsintel.storage.postgres.archive.unit_time.UNIT_S", PATIENCE_S)
        for module, name in (
            (daemon, "START_S"),
            (daemon, "STOP_S"),
            (embedded, "START_S"),
            (embedded, "LEAVE_S"),
        ):
            patch.setattr(module, name, PATIENCE_S)
        for name in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"):
            patch.setitem(SERVER_SETTINGS, name, "0")
        for name in ("CANDIDATES", "READ_CANDIDATES"):  # one page holds all matches
            patch.setattr(conditions, name, 2000)
        found = {"embedded": trio.run(_on_embedded, tmp_path_factory.mktemp("embedded"))}
        if installed() is not None:
            found["installed"] = trio.run(_on_installed, tmp_path_factory.mktemp("installed"))
        return found


@pytest.fixture(params=["embedded", "installed"])
def told(request, every_answer):
    """What the archive finds on one kind of server: the embedded one, or Debian's."""
    if request.param not in every_answer:
        pytest.skip(NONE_INSTALLED)
    return every_answer[request.param]


async def _on_embedded(folder):
    async with embedded.run_embedded_servers(folder, redis=False) as own:
        return await _ask_all(own.postgres_url)


async def _on_installed(folder):
    folder.chmod(0o777)
    tool = installed()
    async with postgres_server(await make_cluster(folder, tool), tool=tool) as server:
        return await _ask_all(server.url)


async def _ask_all(url):
    articles = list({one.id: one for one in PRINTED.values()}.values())
    async with open_bridge() as bridge, open_postgres(bridge, Secret(url), None, 2) as postgres:
        await migrate(bridge.add_lane("test", 1), Secret(url), None, postgres)
        await PostgresArchive(postgres).save_articles([(one, NOON) for one in articles], [])
    return await trio.to_thread.run_sync(_ask_at_once, url, articles)


def _ask_at_once(url, articles):
    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        return runner.run(_ask(url, articles))


async def _ask(url, articles):
    connection = await asyncpg.connect(url, timeout=PATIENCE_S, server_settings=SERVER_SETTINGS)
    postgres = OneConnection(connection)
    search, kept, accounts = (
        PostgresSearch(postgres),
        PostgresSaved(postgres),
        PostgresAccounts(postgres),
    )
    people = {}
    for one in articles:
        people[one.id] = (await accounts.sign_in("reddit", one.id, "somebody", NOON)).id
        await kept.put(people[one.id], one, NOON, notes=None, keep_notes=True, at=NOON)
    archive = {
        q: (await search.search(archive_query.build_archive_query(q), 1000, None)).hits
        for q in dict.fromkeys(_queries())
    }
    pages = {
        row: await kept.list_page(
            people[PRINTED[row].id], saved_query.parse_saved_query(row.q), 10, None
        )
        for row in ROWS
    }
    await connection.close()
    return Told(archive, {row for row, page in pages.items() if page.saves})


def _queries():
    yield from (row.q for row in ALL_ROWS)
    for _, _, *typed in EXACT_FIRST:
        yield from typed


def wrong(rows, judged):
    """The rows that do not behave as promised."""
    return [row for row in rows if bool(judged(row)) is not row.found]


@pytest.mark.parametrize("promise", PROMISES)
def test_the_archive_finds_what_is_printed(promise, told):
    """It finds every promised row and nothing else."""
    assert wrong(PROMISES[promise], lambda row: PRINTED[row].id in told.ids(row.q)) == []


@pytest.mark.parametrize("promise", PROMISES)
def test_a_search_of_saved_articles_finds_the_same(promise, told):
    """The words are in title, publisher and notes."""
    assert wrong(PROMISES[promise], lambda row: row in told.saved) == []


@pytest.mark.parametrize("promise", PROMISES)
def test_the_live_score_finds_the_same(promise):
    """A title with all of the words matches, and has a part of the score for it.

    A title without any of the words gets 0.
    """
    rows = PROMISES[promise]
    assert wrong(rows, lambda row: has_all_words(row) and live(row) > 0) == []
    assert [row for row in rows if not row.found and " " not in row.q and live(row) > 0] == []


@pytest.mark.parametrize("promise", PROMISES)
def test_topics_find_the_same(promise):
    """A topic matches what a search for it finds; each term of a query counts as one topic."""
    assert wrong(PROMISES[promise], on_topic) == []


def has_all_words(row):
    """True if a title has all that an alternative wants, and nothing unwanted."""
    one = PRINTED[row]
    language = choose_article_language(one)
    asked = PreparedQuery(query.build_query(row.q, sources=SOURCES).clauses)
    return asked.matches([prepare_text(one.title, language)], language)


def live(row):
    """The title's part of a story's score."""
    one = PRINTED[row]
    return score_group(
        Group((Member(one),), one), query.build_query(row.q, sources=SOURCES), NOON
    ).title


def on_topic(row):
    """True if an article matches a query's wanted terms as topics, and no unwanted one."""
    one = PRINTED[row]
    language = choose_article_language(one)
    return any(
        all(
            PreparedTopics((term.text,)).matches(one)
            for term in select_essential(clause.wanted, language)
        )
        and not any(PreparedTopics((term.text,)).matches(one) for term in clause.unwanted)
        and select_essential(clause.wanted, language)
        for clause in saved_query.parse_saved_query(row.q)
    )


def test_authors_are_found_by_any_word_of_their_names_and_publishers_by_their_whole_name(told):
    """In any spelling; an author's words are not stemmed."""
    assert wrong((*AUTHORS, *PUBLISHERS), lambda row: PRINTED[row].id in told.ids(row.q)) == []


@pytest.mark.parametrize(("marked", "plain", "typed_marked", "typed_plain"), EXACT_FIRST)
def test_an_exact_spelling_comes_first(told, marked, plain, typed_marked, typed_plain):
    """In the archive's order of relevance and in the live score, whichever article is newer."""
    asked = {typed_marked: (marked, plain), typed_plain: (plain, marked)}
    for q, titles in asked.items():
        ids = [PRINTED[title].id for title in titles]
        assert [one for one in told.ids(q) if one in ids] == ids
        groups = [Group((Member(PRINTED[title]),), PRINTED[title]) for title in titles]
        better, worse = (
            score_group(group, query.build_query(q, sources=SOURCES), NOON).title
            for group in groups
        )
        assert better > worse > 0


def test_a_hit_by_its_title_has_a_highlighted_passage(told):
    """A hit has a passage with a highlight in it."""
    hits = [
        (row, hit)
        for row in ROWS
        for hit in told.archive[row.q]
        if row.found and hit.article.id == PRINTED[row].id
    ]
    assert [row for row, hit in hits if hit.snippet is None or not hit.snippet.highlights] == []
    for _, hit in hits:
        assert hit.snippet.text in hit.article.title
        assert all(0 <= low < high <= len(hit.snippet.text) for low, high in hit.snippet.highlights)


@pytest.mark.parametrize("q", REFUSED)
def test_function_words_in_lower_case_are_refused(q):
    """By the search of saved articles and of the archive; an empty result would not say why."""
    with pytest.raises(InvalidParameterError) as refusal:
        saved_query.parse_saved_query(q)
    assert refusal.value.code == "only_stop_words"
    with pytest.raises(InvalidParameterError) as refusal:
        run_all(conditions.build_condition(archive_query.build_archive_query(q), ["en", "de"]))
    assert refusal.value.code == "only_stop_words"


def test_the_servers_agree(every_answer):
    """Every query has the same matches in the same order."""
    if len(every_answer) < 2:
        pytest.skip(NONE_INSTALLED)
    ours, theirs = every_answer.values()
    assert [q for q in ours.archive if ours.ids(q) != theirs.ids(q)] == []
    assert ours.saved == theirs.saved
