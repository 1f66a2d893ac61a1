"""The values of recommendations: what a person did, their interests, what may be recommended.

All are frozen; times are aware UTC.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from attrs import frozen

from newsintel.domain.search.article import Article


class DeedKind(StrEnum):
    """The kind of a deed."""

    TOPIC = "topic"
    SAVED = "saved"
    NOTED = "noted"
    SEARCHED = "searched"
    OPENED = "opened"
    DISLIKED = "disliked"
    """Dismissed together with similar articles."""
    HIDDEN = "hidden"
    """Dismissed alone: it says nothing about other articles."""


@frozen
class Deed:
    """An action of a person that shows interests.

    Attributes:
        text: the source of its words: the query, the topic, the article's title, the note.
        label: the text that a reason quotes: the same, but for a note its article's title.
        at: the time; None = it holds until it is withdrawn, as a topic does.
        article_id: public id of the article, if the action was on an article.
    """

    kind: DeedKind
    text: str
    label: str
    at: datetime | None
    article_id: str | None = None


@frozen
class Evidence:
    """A deed with its weighted terms. The squared weights add up to the squared strength."""

    deed: Deed
    terms: Mapping[str, float]


@frozen
class Interest:
    """Deeds that are about one subject.

    Attributes:
        importance: 0..1, where 1 is the person's most important interest.
        terms: the heaviest first; the weights add up to 1.
        evidence: the strongest first.
    """

    importance: float
    terms: Mapping[str, float]
    evidence: tuple[Evidence, ...]


@frozen
class Profile:
    """What a person wants to read, the most important first, and what not.

    Attributes:
        averse: terms of unwanted articles; the weights add up to 1. May be empty.
    """

    interests: tuple[Interest, ...]
    averse: Mapping[str, float]


@frozen
class CandidateQuery:
    """How to search for candidates: articles that have one of `alone`, or two terms of one group.

    Attributes:
        terms: all terms that are checked in a candidate.
    """

    alone: tuple[str, ...]
    groups: tuple[tuple[str, ...], ...]
    terms: tuple[str, ...]


@frozen
class ProfileMatch:
    """An article that shares terms with a profile."""

    article_id: str
    published_at: datetime
    shared: frozenset[str]


@frozen
class UnseenArticle:
    """An article that a person has not saved, opened or dismissed, nor any duplicate of it.

    Attributes:
        publishers: how many publishers have its story, its own included.
        saves: how many people saved it.
    """

    article: Article
    publishers: int
    saves: int


@frozen
class PopularArticle:
    """An article that many people care about, independent of the caller.

    Attributes:
        why: the reason in words.
        terms: the terms of its title.
    """

    article_id: str
    why: str
    terms: frozenset[str]


class Basis(StrEnum):
    """What a page of recommendations is based on."""

    PERSONAL = "personal"
    TRENDING = "trending"
    """The person's own deeds show no interest yet."""


@frozen
class Pick:
    """A recommended article, its score, 0..1, and the reasons in words, the main one first."""

    article: Article
    score: float
    reasons: tuple[str, ...]


@frozen
class Recommendations:
    """A page of picks, in display order."""

    basis: Basis
    picks: tuple[Pick, ...]
