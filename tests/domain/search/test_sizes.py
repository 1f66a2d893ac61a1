"""The estimated sizes of values, compared with the memory that Python allocates for them."""

import gc
import random
import sys
import tracemalloc
from functools import partial
from urllib.parse import urlsplit

import orjson
import pytest
from attrs import evolve

from newsintel.domain.bounds.sized_cache import SizedCache
from newsintel.domain.bounds.slices import run_all
from newsintel.domain.personal.preferences import Preferences
from newsintel.domain.search import matching, sizes
from newsintel.domain.search.article import Engagement
from newsintel.domain.search.freshness import Windows
from newsintel.domain.search.harvest import Answer, Harvest
from newsintel.domain.search.merging import merge_articles
from newsintel.domain.search.outcome import FetchOutcome, Status
from newsintel.domain.search.query import build_query
from newsintel.domain.search.query_model import Dedupe
from newsintel.domain.search.sizes import articles_bytes, outcome_bytes
from newsintel.domain.search.stories.parsed_title import parse_title
from newsintel.domain.text import safe_urls, tokens
from newsintel.http.bodies.search import View
from newsintel.http.response.kept_answer import KEPT_BYTES, KeptAnswer, keep_answer
from newsintel.http.response.page_cache import PageCache
from newsintel.http.response.rendered_search import Privacy, render_search
from newsintel.outbound.sources import native_names, newsapi, outlet_names
from newsintel.outbound.sources.source import Response
from newsintel.runtime.search import answer_cache as l1
from newsintel.runtime.search.answer_cache import AnswerCache
from tests.make import NOON, article
from tests.whole import dump_answer, load_answer

FACTOR = 1.25
"""The largest factor between an estimate and the real size, in either direction."""
MEMOS = (tokens._exact, tokens._plain, matching._join_spellings, matching._join_lexemes)
LETTERS = {"ascii": "abcdefgh ", "emoji": "abcdefg\U0001f600 "}


def answered(key, *, rows, title, description, letters, seed):
    """An answer read from a body, so that it shares no text with another."""
    dice = random.Random(seed)

    def words(size):
        return "".join(dice.choices(letters, k=size))

    body = {
        "status": "ok",
        "articles": [
            {
                "title": words(title),
                "url": f"https://example.org/{key}/{number}",
                "source": {"name": words(15)},
                "author": words(20),
                "description": words(description),
                "content": words(200),
                "urlToImage": f"https://example.org/{key}/{number}.jpg",
                "publishedAt": "2026-03-13T12:00:00Z",
            }
            for number in range(rows)
        ],
    }
    query = build_query(f"climate {key}", sources=("newsapi",))
    found = newsapi.SOURCE.read(Response(200, {}, orjson.dumps(body)), query, NOON)
    outcome = FetchOutcome(
        "newsapi", Status.OK, NOON, found.articles, found.returned, found.dropped
    )
    harvest = Harvest(query, NOON, (outcome,))
    return Answer(harvest, merge_articles(query, harvest.articles, Dedupe.NORMAL, NOON))


def forget():
    """Clear the caches of text functions, because they are not part of the values."""
    for memo in (*MEMOS, safe_urls.sanitize_url):
        memo.clear()
    parse_title.cache_clear()
    outlet_names.describe_outlet.cache_clear()
    native_names.is_native_name.cache_clear()
    urlsplit.cache_clear()
    gc.collect()


def held(make):
    """The result of a call and the bytes that are still allocated for it.

    Other threads' allocations count too, so it is the smaller of two runs.
    """
    least = None
    for _ in range(2):
        made = None
        forget()
        tracemalloc.start()
        try:
            made = make()
            forget()
            size = tracemalloc.get_traced_memory()[0]
        finally:
            tracemalloc.stop()
        least = size if least is None else min(least, size)
    return made, least


def near(said, real):
    """Whether an estimate is within FACTOR."""
    return real / FACTOR < said < real * FACTOR


@pytest.mark.slow
@pytest.mark.parametrize("letters", LETTERS.values(), ids=LETTERS)
@pytest.mark.parametrize(
    ("rows", "title", "description"), [(100, 20, 0), (20, 300, 2000), (5, 60, 200)]
)
def test_the_estimate_for_an_answer_is_near_its_size(letters, rows, title, description):
    """Long and short texts, letters of one and of four bytes, few and many articles.

    Answers read from a source and from Redis.
    """
    make = partial(answered, rows=rows, title=title, description=description, letters=letters)
    make("warm", seed=0)
    answers, real = held(lambda: [make(str(number), seed=number) for number in range(4)])
    assert near(sum(one.size_bytes for one in answers), real)
    written = [dump_answer(answer) for answer in answers]
    loaded, real = held(lambda: [load_answer(data) for data in written])
    assert near(sum(one.size_bytes for one in loaded), real)


def test_the_estimates_for_an_answer_and_its_outcome_agree():
    """An outcome is estimated before its number of groups is known."""
    answer = answered("one", rows=20, title=80, description=300, letters=LETTERS["ascii"], seed=1)
    of_query = sizes.ANSWER_BYTES + sizes.query_bytes(answer.harvest.query)
    assert answer.size_bytes - of_query == outcome_bytes(answer.harvest.outcomes[0])


def test_cached_answers_stay_within_their_bytes(monkeypatch):
    """60 answers of 1 MiB each are put into a cache of 10 MiB.

    The allocated memory stays near the bound.
    """
    monkeypatch.setattr(l1, "MAX_BYTES", 10 * 2**20)
    found = answered("one", rows=20, title=80, description=2000, letters=LETTERS["ascii"], seed=1)

    def fill():
        cache = AnswerCache()
        for number in range(60):
            key = f"{number:032}"
            articles = [
                evolve(each, id=f"{each.id}{number}", content=f"{number:>50000}")
                for each in found.harvest.articles
            ]
            outcome = evolve(found.harvest.outcomes[0], articles=tuple(articles))
            harvest = evolve(
                found.harvest, query=evolve(found.harvest.query, key=key), outcomes=(outcome,)
            )
            cache.put(Answer(harvest, merge_articles(harvest.query, articles, Dedupe.NORMAL, NOON)))
        return cache

    cache, real = held(fill)
    assert 5 * 2**20 < real < 10 * 2**20 * FACTOR
    assert cache.get(f"{59:032}") is not None


LONGEST_QUERIES = {
    "a word": "climate",
    "words of a letter": " ".join(chr(0x4E00 + number) for number in range(126)),
    "words beyond the BMP": " ".join(chr(0x1F300 + number) + "a" for number in range(84)),
    "alternatives": " OR ".join(chr(0x4E00 + number) for number in range(50)),
    "phrases": " ".join(f'"{chr(0x4E00 + number)}"' for number in range(63)),
    "exclusions": "a " + " ".join(f"-{chr(0x4E00 + number)}" for number in range(83)),
}


@pytest.mark.slow
@pytest.mark.parametrize("text", LONGEST_QUERIES.values(), ids=LONGEST_QUERIES)
def test_the_estimate_for_an_answer_without_articles_is_near_its_size(text):
    """Then it is mostly the query, which everybody may choose."""

    def make(number):
        query = build_query(f"{text}{number}", sources=("newsapi",))
        outcome = FetchOutcome("newsapi", Status.OK, NOON, (), 0, {})
        return Answer(Harvest(query, NOON, (outcome,)), merge_articles(query, (), Dedupe.OFF, NOON))

    make(9)
    answers, real = held(lambda: [make(number) for number in range(4)])
    assert real / FACTOR < sum(one.size_bytes for one in answers) < real * 1.5


@pytest.mark.slow
@pytest.mark.parametrize("text", LONGEST_QUERIES.values(), ids=LONGEST_QUERIES)
def test_finished_pages_of_long_queries_take_at_most_their_estimate(text):
    """A query string may spell one search in many ways; each has its own page."""
    answer = answered("one", rows=0, title=0, description=0, letters="a", seed=1)
    windows = Windows(ttl_s=300, revalidate_s=60, stale_s=3600, partial_s=30)

    def fill():
        pages = PageCache()
        for number in range(8):
            query = build_query(f"{text}{number}", sources=("newsapi",))
            finished = render_search(
                query,
                answer,
                {"articles": [], "total": 0},
                View(),
                tag="t" * 32,
                privacy=Privacy.EVERYBODY,
                windows=windows,
                link=None,
            )
            pages.put(str(number).encode(), finished)
        return pages

    pages, real = held(fill)
    assert real < pages._pages.size_bytes * FACTOR


def test_finished_pages_take_at_most_their_estimate():
    """With small and large bodies, short and long keys."""
    answer = answered("one", rows=20, title=80, description=300, letters=LETTERS["ascii"], seed=1)
    windows = Windows(ttl_s=300, revalidate_s=60, stale_s=3600, partial_s=30)

    def fill():
        pages = PageCache()
        for number in range(200):
            made = load_answer(written)
            body = {"articles": dice.randbytes(50 * number).hex(), "total": 20}
            finished = render_search(
                made.harvest.query,
                made,
                body,
                View(),
                tag="t" * 32,
                privacy=Privacy.EVERYBODY,
                windows=windows,
                link=None,
            )
            if number % 2:
                finished = run_all(finished.pack())
            pages.put(b"q" * number + str(number).encode(), finished)
        return pages

    written, dice = dump_answer(answer), random.Random(1)
    pages, real = held(fill)
    assert real < pages._pages.size_bytes * FACTOR


def test_kept_answers_take_at_most_their_estimate():
    """With small and large bodies, short and long query strings."""

    def fill():
        kept = SizedCache(KEPT_BYTES)
        for number in range(200):
            query_string = b"q" * number + b"%d" % number
            body = b"x" * (100 * number)
            answer = KeptAnswer.of_body(body, "/archive", NOON.timestamp(), keep_s=60, age_s=1.5)
            if number % 2:
                answer = answer.add_packed(b"z" * (90 * number))
            keep_answer(kept, "/archive", query_string, answer)
        return kept

    kept, real = held(fill)
    assert real < kept.size_bytes * FACTOR


@pytest.mark.slow
@pytest.mark.parametrize(
    "topics",
    [[], ["climate", "sea level"], ["\U0001f600" * 40 + str(number) for number in range(50)]],
)
def test_the_estimate_for_preferences_is_near_their_size(topics):
    """Without topics, and with as many as are allowed."""
    written = orjson.dumps({"topics": topics, "excluded_topics": topics, "default_limit": 5})
    kept, real = held(lambda: [Preferences.from_values(orjson.loads(written)) for _ in range(200)])
    assert near(sum(each.size_bytes for each in kept), real)


def test_a_url_that_is_one_object_counts_once():
    """Most articles are known by the address that they came with."""
    url = "https://news.example/" + "x" * 100
    same = article(external_id=url, url=url, canonical_url=url)
    for name in ("external_id", "canonical_url"):
        other = evolve(same, **{name: url[:1] + url[1:]})
        assert articles_bytes([other]) == articles_bytes([same]) + sys.getsizeof(url)


def test_the_address_of_a_discussion_counts():
    """It is another page's, except for posts without a link."""
    thread = "https://www.reddit.com/r/news/comments/1abc/"
    plain = article(engagement=Engagement(1, 2))
    linked = article(engagement=Engagement(1, 2, thread))
    assert articles_bytes([linked]) == articles_bytes([plain]) + sys.getsizeof(thread)
    own = evolve(linked, url=thread)
    assert articles_bytes([own]) == articles_bytes([evolve(plain, url=thread)])
