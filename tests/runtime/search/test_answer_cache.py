"""The cache of answers in memory."""

from newsintel.domain.bounds.sized_cache import ENTRY_BYTES
from newsintel.domain.search.article import Engagement
from newsintel.runtime.search import answer_cache as l1
from newsintel.runtime.search.answer_cache import AnswerCache
from tests.make import answer, article, at, outcome, query


def named(key: str, *articles: str):
    """Return an answer under this key, with articles of these names."""
    whole = outcome(articles=tuple(article(name) for name in articles))
    return answer(whole, asked=query(key, sources=("guardian",)))


def size(one):
    """Return the size of an answer in the cache."""
    return one.size_bytes + l1.INDEX_BYTES * len(one.harvest.articles) + ENTRY_BYTES


def test_least_recently_used_goes_first(monkeypatch):
    """Over the limit, the answer that was not used for longest is removed."""
    monkeypatch.setattr(l1, "MAX_BYTES", 2.5 * size(named("one", "a")))
    cache = AnswerCache()
    cache.put(named("one", "a"))
    cache.put(named("two", "b"))
    assert cache.get("one")
    cache.put(named("three", "c"))
    assert cache.get("two") is None
    assert cache.get("one")
    assert cache.find_article("a_b") is None
    assert cache.find_article("a_a").article.id == "a_a"


def test_cache_is_bounded_by_bytes(monkeypatch):
    """Answers are removed until the rest fits.

    An answer over the whole limit is not kept, and its articles are not found.
    """
    monkeypatch.setattr(l1, "MAX_BYTES", 2.5 * size(named("one", "a", "b")))
    cache = AnswerCache()
    for key in ("one", "two", "three"):
        cache.put(named(key, f"{key}1", f"{key}2"))
    assert [cache.get(key) is not None for key in ("one", "two", "three")] == [False, True, True]
    cache.put(
        answer(
            outcome(articles=(article("giant", content="x" * 50_000),)),
            asked=query("four", sources=("guardian",)),
        )
    )
    assert [cache.get(key) is not None for key in ("two", "three", "four")] == [True, True, False]
    assert cache.find_article("a_giant") is None


def test_the_answer_of_a_refresh_counts_too(monkeypatch):
    """It is a second answer under the same key."""
    monkeypatch.setattr(l1, "MAX_BYTES", 2.5 * size(named("one", "a")))
    cache = AnswerCache()
    cache.put(named("one", "a"))
    cache.put(named("two", "b"))
    cache.put_with_renewal(cache.get("two"), named("two", "c"), at(5))
    assert cache.get("one") is None
    kept = cache.get("two")
    assert (kept.answer, kept.renewal, kept.quiet_until) == (
        named("two", "b"),
        named("two", "c"),
        at(5),
    )
    assert cache.find_article("a_b") is not None
    assert cache.find_article("a_c") is None


def test_a_newer_answer_replaces_the_older():
    """Only the articles of the newer answer are found."""
    cache = AnswerCache()
    cache.put(named("one", "a"))
    cache.put(named("one", "b"))
    assert cache.find_article("a_a") is None
    found = cache.find_article("a_b")
    assert (found.article.id, found.leader_id, found.fetched_at) == ("a_b", "a_b", at(0))


def test_an_article_has_the_discussion_of_its_page():
    """A post of the same page has it, and the page's first article has not."""
    found = Engagement(7, 3, "https://www.reddit.com/r/news/comments/1abc/")
    articles = (article("a"), article("a", source="reddit", engagement=found), article("b"))
    cache = AnswerCache()
    cache.put(answer(outcome(articles=articles), asked=query("one", sources=("guardian",))))
    assert cache.find_article("a_a").article == article("a", engagement=found)
    assert cache.find_article("a_b").article == article("b")


def test_an_article_in_two_answers_is_found_until_both_are_removed(monkeypatch):
    """It stays as long as the later answer is kept."""
    monkeypatch.setattr(l1, "MAX_BYTES", 2.5 * size(named("one", "a")))
    cache = AnswerCache()
    cache.put(named("one", "a"))
    cache.put(named("two", "a"))
    cache.put(named("three", "b"))
    assert cache.find_article("a_a").article.id == "a_a"
