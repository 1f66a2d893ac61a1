"""Invented readers: people who do not exist and save, open and dismiss what the invented news has, and one whom a visitor may be.

The visitor is DEMO_READER, the name that the page which stands in for Reddit's suggests: whoever signs in there finds an account that has
been used, openly by invention.
"""

from attrs import frozen

from newsintel.demo.invented_searches import HABITS
from newsintel.demo.reddit_people import me

DEMO_READER = "demo_reader"
PEOPLE = 40
"""Beside the demo reader: four for each habit, so that what they save reaches the floor of popularity."""


@frozen
class Reader:
    """Somebody who does not exist, and what they did with the first articles of some queries' answers.

    Attributes:
        provider: of their account. Nobody can sign in with `invented`.
        subject: their identity there.
        saved: queries, of each of which they saved the first two articles.
        note: what they wrote to the first of these, if anything.
        opened: queries, of each of which they opened the first four.
        disliked: a query of whose first article they want to see no more.
        searched: what is in their own history.
    """

    provider: str
    subject: str
    username: str
    saved: tuple[str, ...]
    note: str | None
    opened: tuple[str, ...]
    disliked: str
    searched: tuple[str, ...]


def invented_readers() -> list[Reader]:
    """All of them, the demo reader first; the same whenever they are asked for."""
    visitor = Reader(
        provider="reddit",
        subject=str(me(DEMO_READER)["id"]),
        username=DEMO_READER,
        saved=("malaria vaccine", "wind power"),
        note="for the reading circle on public health",
        opened=("oceans", "space"),
        disliked="football",
        searched=("energy transition", "deep-sea mining"),
    )
    return [visitor, *(_reader(number) for number in range(PEOPLE))]


def _reader(number: int) -> Reader:
    own, other = HABITS[number % len(HABITS)], HABITS[(number + 3) % len(HABITS)]
    name = f"invented reader {number}"
    return Reader("invented", name, name, own[:1], None, own[1:], other[0], ())
