"""The ports of intelligence in memory. They behave like the real ones without a server."""

from collections import Counter
from math import log

import trio

from newsintel.domain.intelligence.likeness_model import SimilarArticle
from newsintel.domain.text.tokens import split_words
from newsintel.errors import UnavailableError
from tests.make import NOON


class MemoryLikeness:
    """A `ports.Likeness` over the given articles.

    Its terms are folded words of four letters or more.
    """

    def __init__(self, *articles) -> None:
        self.kept = {article.id: article for article in articles}
        self.raises: Exception | None = None

    async def find_similar_by_id(self, article_id, limit):
        await self._answer()
        if article_id not in self.kept:
            return None
        return self._matching(self._telling(_text(self.kept[article_id]), 12), limit, article_id)

    async def find_similar_to(self, article, limit):
        await self._answer()
        return self._matching(self._telling(_text(article), 12), limit, article.id)

    async def find_key_terms(self, texts, each):
        await self._answer()
        return [self._telling(text, each) for text in texts]

    def _telling(self, text, each):
        """The weights of the text's terms, greatest first. Terms of few articles weigh more."""
        having = Counter(term for article in self.kept.values() for term in _terms(_text(article)))
        weights = {term: log(2 + len(self.kept) / (1 + having[term])) for term in _terms(text)}
        return dict(sorted(weights.items(), key=lambda one: (-one[1], one[0]))[:each])

    def _matching(self, weights, limit, own_id):
        whole = sum(weights.values()) or 1
        found = []
        for article in self.kept.values():
            shared = sorted(
                _terms(_text(article)) & weights.keys(), key=lambda term: (-weights[term], term)
            )
            if shared and article.id != own_id:
                found.append(
                    SimilarArticle(
                        article, NOON, sum(weights[term] for term in shared) / whole, tuple(shared)
                    )
                )
        return tuple(sorted(found, key=lambda match: (-match.score, match.article.id))[:limit])

    async def _answer(self) -> None:
        await trio.lowlevel.checkpoint()
        if self.raises:
            raise self.raises


def _text(article):
    return " ".join(filter(None, (article.title, article.description, article.content)))


def _terms(text):
    return {token.word for token in split_words(text) if len(token.word) >= 4}


class MemorySaveCounts:
    """A `ports.SaveCounts` over the given numbers."""

    def __init__(self, **people) -> None:
        self.people = people
        self.away = False

    async def count_saves(self, floor, limit):
        await trio.lowlevel.checkpoint()
        if self.away:
            raise UnavailableError("postgresql is away")
        return dict([one for one in self.people.items() if one[1] >= floor][:limit])
