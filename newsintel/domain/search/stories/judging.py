"""Judges whether two articles tell the same story."""

from datetime import datetime, timedelta

from attrs import frozen

from newsintel.domain.search.stories.parsed_title import ParsedTitle
from newsintel.domain.search.stories.similarity import MIN_SIMILARITY, compare_titles
from newsintel.domain.search.stories.vetoes import Veto, find_veto

WINDOW = timedelta(hours=72)
"""Articles of one story appear within this time. A judgement: agencies and those who take their
texts publish within three days, weekends included."""

THIN_WINDOW = timedelta(hours=12)
"""An equal title that says little is the same article of one publisher only within this time: a
daily rubric comes again after a day."""


@frozen
class Told:
    """A title with what else decides on its story.

    Attributes:
        publisher: in a form in which publishers are compared; "" if unknown, then of any.
        at: its time; None if unknown, then at any time.
    """

    title: ParsedTitle
    publisher: str = ""
    at: datetime | None = None


@frozen
class Judgement:
    """How two titles compare.

    Attributes:
        similarity: of the titles, 0..1.
        veto: why two similar titles are two stories; None if they are one, or not similar.
    """

    similarity: float
    veto: Veto | None = None

    @property
    def similar(self) -> bool:
        """Whether the titles are similar enough to be one story."""
        return self.similarity >= MIN_SIMILARITY

    @property
    def same(self) -> bool:
        """Whether they are one story."""
        return self.similar and self.veto is None


def judge_titles(told: Told, founder: Told) -> Judgement:
    """Compare two titles that are not equal; one that says little is never similar to another."""
    if told.title.thin or founder.title.thin:
        return Judgement(0.0)
    similarity = compare_titles(told.title, founder.title)
    if similarity < MIN_SIMILARITY:
        return Judgement(similarity)
    return Judgement(similarity, find_contradiction(told, founder))


def are_one_article(told: Told, founder: Told) -> bool:
    """Whether two articles with equal titles are one story.

    Those whose title says little are, if they are of one publisher and close in time.
    """
    if not told.title.thin:
        return True
    known = told.publisher and founder.publisher
    same_publisher = not known or told.publisher == founder.publisher
    return same_publisher and _are_within(told.at, founder.at, THIN_WINDOW)


def find_contradiction(told: Told, founder: Told) -> Veto | None:
    """Return why two articles with similar titles are two stories, None if they are one."""
    if told.publisher and told.publisher == founder.publisher:
        return Veto.PUBLISHER
    if not _are_within(told.at, founder.at, WINDOW):
        return Veto.WINDOW
    return find_veto(told.title, founder.title)


def _are_within(one: datetime | None, other: datetime | None, window: timedelta) -> bool:
    return one is None or other is None or abs(one - other) <= window
