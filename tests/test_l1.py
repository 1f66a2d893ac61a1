"""The answers kept in memory."""

from newsintel import l1
from newsintel.l1 import AnswerCache
from tests.make import answer, article, at, outcome, query


def named(key: str, *articles: str):
    """An answer under a key, with articles of these names."""
    whole = outcome(articles=tuple(article(name) for name in articles))
    return answer(whole, asked=query(key, sources=("guardian",)))


def test_least_recently_used_goes_first(monkeypatch):
    """Past the bound on answers, the one not asked for the longest goes."""
    monkeypatch.setattr(l1, "MAX_ANSWERS", 2)
    cache = AnswerCache()
    cache.put(named("one", "a"))
    cache.put(named("two", "b"))
    assert cache.get("one")
    cache.put(named("three", "c"))
    assert cache.get("two") is None
    assert cache.get("one")
    assert cache.article("a_b") is None
    assert cache.article("a_a").article.id == "a_a"


def test_bounded_by_articles(monkeypatch):
    """Past the bound on articles, answers go until the rest fits; the newest stays even if it alone is too large."""
    monkeypatch.setattr(l1, "MAX_ARTICLES", 3)
    cache = AnswerCache()
    cache.put(named("one", "a", "b"))
    cache.put(named("two", "c", "d"))
    assert cache.get("one") is None
    cache.put(named("three", "e", "f", "g", "h"))
    assert cache.get("two") is None
    assert cache.get("three")


def test_replacing_gives_back_what_was_held():
    """A newer answer takes the place of the older under its key, with the articles of the newer alone."""
    cache = AnswerCache()
    cache.put(named("one", "a"))
    cache.put(named("one", "b"))
    assert cache.article("a_a") is None
    found = cache.article("a_b")
    assert (found.article.id, found.leader_id, found.fetched_at) == ("a_b", "a_b", at(0))


def test_article_in_two_answers_outlives_one(monkeypatch):
    """An article listed by two answers is found as long as the later one is kept."""
    monkeypatch.setattr(l1, "MAX_ANSWERS", 2)
    cache = AnswerCache()
    cache.put(named("one", "a"))
    cache.put(named("two", "a"))
    cache.put(named("three", "b"))
    assert cache.article("a_a").article.id == "a_a"
