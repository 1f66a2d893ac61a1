"""Alerts judged by the archive: each saved search has exactly the stories that it finds there.

Queries and articles are made up from the words of many languages, and with every operator and
filter. The judge is the archive's own search, which knows nothing of anchors.
"""

from random import Random

import pytest

from newsintel.domain.alerts.model import WatchedQuery
from newsintel.domain.alerts.watched import build_watched
from newsintel.errors import InvalidParameterError
from newsintel.storage.postgres.archive.search import PostgresSearch
from tests.storage.postgres.alerts.watching import told

WORDS = """
storm storms election elections the universities L’Ukraine café cafe naïve Straße strasse
Wahlen wahl élections élection gobierno gobiernos президент президента выборы Україна
λαός λαού انتخابات الانتخابات צה״ל ירושלים चुनाव चुनावों தேர்தல் 東京 地震 東京で地震 選挙
서울 선거 กรุงเทพ เลือกตั้ง U.S. COVID-19 5G 1,000 C++ IT it who “WHO” 🌋 e\u0301tat état
ﬁnance finance İstanbul istanbul bầu cử O’Brien don’t 水 火 地
""".split()  # noqa: SIM905 - a word a line would be long

OUTLETS = ("The Guardian", "Le Monde", "朝日新聞", "r/news", "L’Équipe")
SOURCES = ("guardian", "reddit", "newsapi")
LANGUAGES = (None, "en", "de", "fr", "es", "ru", "ja", "ar", "uk", "tr")
AUTHORS = (None, "Jo Tan", "Zoë Müller", "山田太郎")

QUERIES, ARTICLES = 150, 60


def make_text(random, most):
    """Some words, with the punctuation of print between them."""
    words = random.choices(WORDS, k=random.randint(1, most))
    return "".join(word + random.choice((" ", " ", ", ", " – ", "/")) for word in words).strip()


def make_articles(random):
    """Articles of several outlets, sources and languages; some tell the same story."""
    titles = [make_text(random, 6) for _ in range(ARTICLES // 2)]
    return [
        told(
            f"{number}",
            random.choice(titles),
            publisher=random.choice(OUTLETS),
            source=random.choice(SOURCES),
            language=random.choice(LANGUAGES),
            description=random.choice((None, make_text(random, 12))),
            content=random.choice((None, make_text(random, 30))),
            author=random.choice(AUTHORS),
        )
        for number in range(ARTICLES)
    ]


def make_term(random):
    """A word, phrase or field, possibly excluded."""
    word = random.choice(WORDS)
    term = random.choice(
        (
            *(word, word, word),
            *(f'"{word} {random.choice(WORDS)}"', f"title:{word}"),
            *(f"source:{random.choice(SOURCES)}", f'publisher:"{random.choice(OUTLETS)}"'),
            f"author:{random.choice(('tan', 'zoe', '山田太郎', 'müller'))}",
        )
    )
    return random.choice(("", "", "", "-")) + term


def make_query(random):
    """A query with some filters."""
    terms = [make_term(random) for _ in range(random.randint(1, 4))]
    joined = "".join(f"{random.choice(('', '', 'OR '))}{term} " for term in terms)
    return WatchedQuery(
        random.choice((joined.removeprefix("OR ").strip(), joined.strip(), None)),
        random.choice(((), (), (), random.sample(SOURCES, 2))),
        random.choice((None, None, None, random.choice(OUTLETS))),
        random.choice((None, None, "en", "de")),
    )


async def find_in_archive(search, query):
    """The groups of all articles that the archive finds."""
    found, after = set(), None
    while True:
        page = await search.search(build_watched(query), 100, after)
        found |= {hit.group_id for hit in page.hits}
        if (after := page.next) is None:
            return found


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
async def test_each_search_matches_what_the_archive_finds(newsroom, postgres, seed):
    """The archive holds articles in all languages before; more come after the searches."""
    random = Random(seed)
    articles = make_articles(random)
    await newsroom.arrive(*articles[: ARTICLES // 4])
    saved = {}
    for _ in range(QUERIES):
        query = make_query(random)
        try:
            public_id = await newsroom.save(
                query.q,
                sources=tuple(query.sources),
                publisher=query.publisher,
                language=query.language,
            )
        except InvalidParameterError:
            continue
        saved[public_id] = query
    assert len(saved) > QUERIES / 2
    archive = PostgresSearch(postgres)
    before = {one: await find_in_archive(archive, query) for one, query in saved.items()}
    for start in range(ARTICLES // 4, ARTICLES, 7):
        await newsroom.arrive(*articles[start : start + 7])
    alerts = 0
    for one, query in saved.items():
        page = await newsroom.searches.list_matches(newsroom.user_id, one, 1_000, None)
        told_of = {match.group_id for match in page.matches}
        alerts += len(told_of)
        found = await find_in_archive(archive, query)
        # A story that was known before may alert: its new member is news to the search.
        assert found - before[one] <= told_of <= found, query
    assert alerts > QUERIES / 2
