"""The invented corpus, on which the benchmark's figures and the tests of query plans depend."""

from collections import Counter
from datetime import timedelta
from itertools import pairwise

from benchmarks.corpus import DAYS, END, Corpus


def test_the_same_seed_makes_the_same_articles():
    """Another seed makes other articles."""
    assert list(Corpus(50).generate_articles()) == list(Corpus(50).generate_articles())
    assert list(Corpus(50, seed=2).generate_articles()) != list(Corpus(50).generate_articles())


def test_articles_come_in_the_order_of_an_archive():
    """Each once, in the order of fetches, at a growing rate.

    Some titles come twice, and words have the intended frequency.
    """
    articles = list(Corpus(5_000).generate_articles())
    assert len({one.id for one, _ in articles}) == 5_000
    assert all(one <= two for (_, one), (_, two) in pairwise(articles))
    assert all(one.published_at <= seen for one, seen in articles)
    late = sum(seen > END - timedelta(days=DAYS / 2) for _, seen in articles)
    assert 0.6 < late / 5_000 < 0.7
    assert 100 < 5_000 - len({one.title for one, _ in articles}) < 200
    words = Counter(
        word
        for one, _ in articles
        for word in set(f"{one.title} {one.description}".casefold().split())
    )
    assert 0.2 < words[Corpus(1).words[0]] / 5_000 < 0.4
