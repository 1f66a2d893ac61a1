"""News that keeps arriving: invented stories, one after the other, for as long as the demo runs.

They are composed from a few sentences, so they are plainer than the written material. Each has a
number of its own, since two reports with different numbers are two stories.
"""

import random
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

from attrs import define, field

from newsintel.demo.api import Clocks
from newsintel.demo.documents import Document
from newsintel.demo.outlets import AUTHORS, OUTLETS
from newsintel.demo.stories import Story, load_themes, make_slug

EVERY_S = 60.0
"""A new story arrives once a minute: a visitor of some minutes sees a few."""
MOST_KEPT = 1_500
"""Documents of an API that are kept, about a day of news; the oldest are forgotten."""

_PLACES = (
    "Marrowick", "Castrene", "Ildris", "Upper Fenn", "Stenmoor", "Valmora", "Kestrin", "Northway",
    "Oakhaven", "Calder Valley", "Vantry", "Harbour Point",
)  # fmt: skip
_HEADLINES = (
    ("{place} votes on {subject}: {number} ballots counted", "The count goes on until midnight."),
    ("{number} people in {place} sign a petition on {subject}", "The council will answer in May."),
    ("{place} spends {number} marks on {subject}", "The money comes from a lottery."),
    ("Fair for {subject} in {place} draws {number} visitors", "It closes with a lantern walk."),
    ("{subject}: {place} publishes {number} pages of minutes", "Nobody has read them all yet."),
    ("School in {place} asks {number} questions about {subject}", "Half of them got an answer."),
)


@define
class Arrivals:
    """The documents of an API that have arrived since the start.

    Attributes:
        clocks: the time of the start, and the seconds since.
        seed: decides what happens. The APIs of one demo report the same stories.
        make_documents: returns a story's rows at this API.
    """

    clocks: Clocks
    seed: int
    make_documents: Callable[[Story], Iterable[Document]]
    _dice: random.Random = field(init=False)
    _began_s: float = field(init=False)
    _told: int = field(init=False, default=0)
    _kept: deque[Document] = field(init=False, factory=lambda: deque(maxlen=MOST_KEPT))

    def __attrs_post_init__(self) -> None:
        self._dice = random.Random(f"{self.seed} arrivals")  # noqa: S311 - nothing here is a secret
        self._began_s = self.clocks.monotonic()

    @property
    def now(self) -> datetime:
        """The current time of the simulated news."""
        return self.clocks.now + timedelta(seconds=self.clocks.monotonic() - self._began_s)

    def list_documents(self) -> Sequence[Document]:
        """Return what has arrived by now, the earliest first."""
        passed_s = self.clocks.monotonic() - self._began_s
        while (self._told + 1) * EVERY_S <= passed_s:
            self._told += 1
            at = self.clocks.now + timedelta(seconds=self._told * EVERY_S)
            story = _invent_story(at.replace(microsecond=0), self._dice)
            self._kept.extend(self.make_documents(story))
        return tuple(self._kept)


def _invent_story(at: datetime, dice: random.Random) -> Story:
    theme = dice.choice(load_themes())
    headline, summary = dice.choice(_HEADLINES)
    facts = {"place": dice.choice(_PLACES), "subject": theme.flair.lower()}
    title = headline.format(number=f"{dice.randint(100, 99_999):,}", **facts)
    return Story(
        name=make_slug(f"{title} {at:%H%M%S}")[:80],
        theme=theme,
        title=title[:1].upper() + title[1:],
        summary=summary,
        outlet=dice.choice(OUTLETS),
        author=dice.choice(AUTHORS),
        at=at,
        heat=dice.random() ** 2,
    )
