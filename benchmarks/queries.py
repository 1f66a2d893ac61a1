"""The queries of the archive benchmark, by class, for a corpus. Each query is sent many times."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Any

from attrs import evolve

from benchmarks.corpus import END, Corpus
from newsintel.domain.archive.model import ArchiveQuery, ArchiveSort, Condition, Field

Queries = Sequence[ArchiveQuery]

MONTH = timedelta(days=30)


def build_newest(corpus: Corpus) -> Mapping[str, Queries]:
    """Return queries for the newest articles."""
    publishers = (
        "The Guardian",
        *corpus.publishers[:3],
        *corpus.publishers[50:53],
        *corpus.publishers[-3:],
    )
    return {
        "newest, all": [ArchiveQuery()],
        "newest, source": [
            ArchiveQuery(sources=(name,)) for name in ("newsapi", "guardian", "reddit")
        ],
        "newest, two sources": [ArchiveQuery(sources=("guardian", "reddit"))],
        "newest, publisher": [ArchiveQuery(publisher=name) for name in publishers],
        "newest, dates": [
            ArchiveQuery(start=END - MONTH * back, end=END - MONTH * (back - 1))
            for back in (2, 9, 20)
        ],
    }


def build_newest_words(corpus: Corpus) -> Mapping[str, Queries]:
    """Return queries for the newest articles with certain words."""
    return {
        "newest, common word": [
            _query_words(word, sort=ArchiveSort.NEWEST) for word in corpus.words[:10]
        ],
        "newest, other word": [
            _query_words(word, sort=ArchiveSort.NEWEST) for word in corpus.words[100:50_000:5_000]
        ],
    }


def build_stand_ins(corpus: Corpus) -> Mapping[str, Queries]:
    """Return the newest-first queries that replace a live search whose sources all failed."""
    words = corpus.words
    pairs = [
        evolve(_query_phrase(one, two), sort=ArchiveSort.NEWEST)
        for one, two in zip(words[:10], words[200:3_000:280], strict=True)
    ]
    return {
        f"stand-in, {name.removeprefix('newest, ')}": some
        for name, some in build_newest_words(corpus).items()
    } | {"stand-in, phrase": pairs}


def build_relevance(corpus: Corpus) -> Mapping[str, Queries]:
    """Return the mix of queries for the goal of relevance."""
    words = corpus.words
    common, middling, rare = words[:10], words[200:3_000:280], words[20_000:50_000:3_000]
    return {
        "ten commonest words": [_query_words(word) for word in common],
        "middling words": [_query_words(word) for word in middling],
        "rare words": [_query_words(word) for word in rare],
        "words of one week": [
            _query_words(corpus.make_event_word(week)) for week in range(4, 104, 10)
        ],
        "two words": [_query_words(one, two) for one, two in zip(common, middling, strict=True)],
        "phrases, common": [_query_phrase(one, two) for one, two in pairwise(common)],
        "phrases, middling": [
            _query_phrase(one, two) for one, two in zip(common, middling, strict=True)
        ],
        "OR": [
            _query_either(one, two)
            for one, two in (*zip(common, middling, strict=True), *zip(middling, rare, strict=True))
        ],
        "-word": [
            _query_without(one, two)
            for one, two in (*pairwise(common), *zip(middling, common, strict=True))
        ],
        "title:": [_query_field(Field.TITLE, word) for word in (*common, *middling)],
        "author:": [_query_field(Field.AUTHOR, word) for word in words[1_000:1_010]],
        "word and publisher:": [
            _query_words(word, publisher=name)
            for word, name in zip(common, corpus.publishers[::200], strict=True)
        ],
        "misses": [_query_words(f"{word}nothing") for word in common]
        + [_query_words(one, two) for one, two in pairwise(rare)],
    }


def build_facets(corpus: Corpus) -> Mapping[str, Queries]:
    """Return facet queries: over all articles, a month, and matches of common and other words."""
    return {
        "facets, all": [ArchiveQuery()],
        "facets, month": [ArchiveQuery(start=END - MONTH, end=END)],
        "facets, common word": [_query_words(word) for word in corpus.words[:10]],
        "facets, other word": [_query_words(word) for word in corpus.words[100:50_000:5_000]],
    }


def build_timelines(corpus: Corpus) -> Mapping[str, Queries]:
    """Return timeline queries over thirty days, per day."""
    dates: dict[str, Any] = {"start": END - MONTH, "end": END}
    return {
        "timeline, all": [ArchiveQuery(**dates)],
        "timeline, source": [ArchiveQuery(sources=("newsapi",), **dates)],
        "timeline, common word": [_query_words(word, **dates) for word in corpus.words[:10]],
        "timeline, other word": [
            _query_words(word, **dates) for word in corpus.words[100:50_000:5_000]
        ],
    }


def _query_words(
    *words: str, sort: ArchiveSort = ArchiveSort.RELEVANCE, **changes: Any
) -> ArchiveQuery:
    return ArchiveQuery(
        (tuple(Condition(Field.ANY, word) for word in words),), sort=sort, **changes
    )


def _query_phrase(*words: str) -> ArchiveQuery:
    return ArchiveQuery(
        ((Condition(Field.ANY, " ".join(words), phrase=True),),), sort=ArchiveSort.RELEVANCE
    )


def _query_either(*words: str) -> ArchiveQuery:
    return ArchiveQuery(
        tuple((Condition(Field.ANY, word),) for word in words), sort=ArchiveSort.RELEVANCE
    )


def _query_without(wanted: str, unwanted: str) -> ArchiveQuery:
    return ArchiveQuery(
        ((Condition(Field.ANY, wanted), Condition(Field.ANY, unwanted, negated=True)),),
        sort=ArchiveSort.RELEVANCE,
    )


def _query_field(field: Field, word: str) -> ArchiveQuery:
    return ArchiveQuery(((Condition(field, word),),), sort=ArchiveSort.RELEVANCE)
