"""Invented readers, who save, open and dismiss articles of the invented news.

One of them is DEMO_READER, the user name that the simulated Reddit page suggests. A visitor who
signs in with it gets an account with invented activity.
"""

from attrs import frozen

from newsintel.demo.invented_searches import HABITS
from newsintel.demo.reddit_people import describe_person

DEMO_READER = "demo_reader"
PEOPLE = 40
"""Without the demo reader. Four per habit, so that their saves reach the popularity minimum."""


@frozen
class Reader:
    """An invented person, and what they did with the first articles of some queries.

    Attributes:
        provider: of their account. Nobody can sign in with `invented`.
        subject: their identity at the provider.
        saved: queries; they saved the first two articles of each.
        note: their note on the first saved article, or None.
        opened: queries; they opened the first four articles of each.
        disliked: a query; they dismissed its first article ("less like this").
        searched: the queries in their own history.
    """

    provider: str
    subject: str
    username: str
    saved: tuple[str, ...]
    note: str | None
    opened: tuple[str, ...]
    disliked: str
    searched: tuple[str, ...]


def invent_readers() -> list[Reader]:
    """Return all readers, the demo reader first. Every call returns the same readers."""
    visitor = Reader(
        provider="reddit",
        subject=str(describe_person(DEMO_READER)["id"]),
        username=DEMO_READER,
        saved=("malaria vaccine", "wind power"),
        note="for the reading circle on public health",
        opened=("oceans", "space"),
        disliked="football",
        searched=("energy transition", "deep-sea mining"),
    )
    return [visitor, *(_invent_reader(number) for number in range(PEOPLE))]


def _invent_reader(number: int) -> Reader:
    own, other = HABITS[number % len(HABITS)], HABITS[(number + 3) % len(HABITS)]
    name = f"invented reader {number}"
    return Reader("invented", name, name, own[:1], None, own[1:], other[0], ())
