"""The values of recommendations: what a person did, what follows from it, what may be recommended. All are frozen, times aware UTC."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from attrs import frozen

from newsintel.domain.search.article import Article


class Kind(StrEnum):
    """What a deed was."""

    TOPIC = "topic"
    SAVED = "saved"
    NOTED = "noted"
    SEARCHED = "searched"
    OPENED = "opened"
    DISLIKED = "disliked"
    """Dismissed with all that is like it."""
    HIDDEN = "hidden"
    """Dismissed by itself: it says nothing of others."""


@frozen
class Deed:
    """Something that a person did, and that tells of interests.

    Attributes:
        text: where its words are: the query, the topic, the article's title, the note.
        label: what a reason quotes: the same, but for a note its article's title.
        at: when; None = it holds until it is withdrawn, as a topic does.
        article_id: public id of the article that it was done to, if it was to one.
    """

    kind: Kind
    text: str
    label: str
    at: datetime | None
    article_id: str | None = None


@frozen
class Evidence:
    """A deed with its terms, whose squares add up to the square of its strength."""

    deed: Deed
    terms: Mapping[str, float]


@frozen
class Interest:
    """Deeds that are about one thing.

    Attributes:
        importance: 0..1, where 1 is the person's most important one.
        terms: the weightiest first; they add up to 1.
        evidence: the strongest first.
    """

    importance: float
    terms: Mapping[str, float]
    evidence: tuple[Evidence, ...]


@frozen
class Profile:
    """What somebody wants to read, the most important first, and what not.

    Attributes:
        averse: terms of what the person wants less of, which add up to 1, or none.
    """

    interests: tuple[Interest, ...]
    averse: Mapping[str, float]


@frozen
class Wanted:
    """How candidates are looked for: articles that have one of `alone`, or two terms of one group.

    Attributes:
        terms: all that a candidate is to be asked for.
    """

    alone: tuple[str, ...]
    groups: tuple[tuple[str, ...], ...]
    terms: tuple[str, ...]


@frozen
class Sharing:
    """An article that shares terms with a profile."""

    article_id: str
    published_at: datetime
    shared: frozenset[str]


@frozen
class Offer:
    """An article that somebody has neither saved, opened nor dismissed, nor any duplicate of it.

    Attributes:
        publishers: how many tell its story, itself included.
        saves: how many people saved it.
    """

    article: Article
    publishers: int
    saves: int


@frozen
class Talked:
    """An article that is on many people's minds, whoever asks.

    Attributes:
        why: in words.
        terms: of its title.
    """

    article_id: str
    why: str
    terms: frozenset[str]


class Basis(StrEnum):
    """What a page of recommendations rests on."""

    PERSONAL = "personal"
    TRENDING = "trending"
    """The person's own deeds say nothing yet."""


@frozen
class Pick:
    """An article that is recommended, with its score from 0 to 1 and the reasons in words, the main one first."""

    article: Article
    score: float
    reasons: tuple[str, ...]


@frozen
class Recommendations:
    """A page of picks, in its order."""

    basis: Basis
    picks: tuple[Pick, ...]
