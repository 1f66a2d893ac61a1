"""News that arrives while the demo runs: a new event each minute, told by one to three outlets."""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta

from attrs import frozen

from newsintel.demo.outlets import AUTHORS, OUTLETS, Outlet
from newsintel.demo.stories import Story, make_slug

EVERY = timedelta(minutes=1)

PLACES = ("Marrowick", "Castrene", "Valmora", "Kestrin", "Ildris", "Upper Fenn", "Oakhaven")
EVENTS = (
    ("{place} council approves {number} new homes", "Building starts in spring."),
    ("Storm leaves {number} homes in {place} without power", "Crews work through the night."),
    ("{place} opens {number} kilometres of cycle paths", "A third of them cross the old port."),
    ("Ferry strike strands {number} travellers in {place}", "Talks go on tomorrow."),
    ("Hospital in {place} hires {number} nurses", "Waiting lists had doubled in a year."),
    ("Farmers near {place} bring in {number} tonnes of plums", "The summer was dry and warm."),
    ("{number} runners finish the {place} marathon", "The record stands."),
    ("Library of {place} lends {number} books in a day", "Most of them were cookbooks."),
)


@frozen
class Report:
    """What one outlet tells of one event.

    Attributes:
        at: when it is published.
    """

    outlet: Outlet
    title: str
    summary: str
    author: str
    url: str
    at: datetime


def report_story(story: Story) -> Report:
    """Return the report of a story by the outlet that had it first."""
    return Report(story.outlet, story.title, story.summary, story.author, story.url, story.at)


def generate_bulletins(start: datetime, until: datetime, seed: int) -> Iterator[Report]:
    """Yield the reports published after `start` and until `until`, the earliest first.

    Equal arguments give equal reports.
    """
    for number in range(1, int((until - start) / EVERY) + 1):
        dice = random.Random(seed * 1_000_003 + number)  # noqa: S311 - decides only what is invented
        title, summary = dice.choice(EVENTS)
        told = title.format(place=dice.choice(PLACES), number=dice.randrange(20, 9_000))
        at = start + number * EVERY
        for outlet in dice.sample(OUTLETS, dice.randint(1, 3)):
            url = f"https://www.{outlet.host}/news/{at:%Y/%m/%d}/{make_slug(told)}-{number}"
            yield Report(outlet, told, summary, dice.choice(AUTHORS), url, at)
