"""The invented news: what happened, when, and who reported it first.

The material is written by hand (`material/*.toml`): themes, each with several lines of news. A line
is two stories: an event and its follow-up. The two can look similar, as real follow-ups do. They
are different news, so deduplication must not join them.
"""

import random
import re
import tomllib
import unicodedata
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files

from attrs import frozen

from newsintel.demo.outlets import AUTHORS, GUARDIAN, OUTLETS, Outlet

SPAN = timedelta(days=6)
"""How far back the news goes: within every API's history, and enough days for a timeline."""
AGE_MINUTES = 4
"""Minimum age of a story, so that no copy of it has a date in the future."""


@frozen
class Theme:
    """A subject with several lines of news.

    Attributes:
        background: a paragraph at the end of every report, with the words that people search for.
        flair: Reddit's label for it.
        lines: four texts for each line of news: title, summary, later title, later summary.
    """

    name: str
    section: str
    flair: str
    subreddits: tuple[str, ...]
    background: str
    lines: tuple[tuple[str, str, str, str], ...]


@frozen
class Story:
    """One piece of news.

    Attributes:
        name: unique and valid in a URL.
        outlet: the outlet that reported it first.
        heat: how much people care, 0..1.
    """

    name: str
    theme: Theme
    title: str
    summary: str
    outlet: Outlet
    author: str
    at: datetime
    heat: float

    @property
    def url(self) -> str:
        """Its address at the outlet that reported it first."""
        return self.url_at(self.outlet)

    def url_at(self, outlet: Outlet) -> str:
        """Return its address at an outlet."""
        section = make_slug(self.theme.section)
        return f"https://www.{outlet.host}/{section}/{self.at:%Y/%m/%d}/{self.name}"


def make_slug(text: str) -> str:
    """Return text as part of a URL."""
    plain = (
        unicodedata.normalize("NFKD", text)
        .encode("ascii", "ignore")
        .decode()
        .lower()
        .replace("'", "")
    )
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")


@cache
def load_themes() -> tuple[Theme, ...]:
    """Load every theme of the material, in the order of their names."""
    found = []
    for file in files("newsintel.demo").joinpath("material").iterdir():
        if file.name.endswith(".toml"):
            found += [
                _build_theme(name, table)
                for name, table in tomllib.loads(file.read_text(encoding="utf-8")).items()
            ]
    return tuple(sorted(found, key=lambda theme: theme.name))


def _build_theme(name: str, table: dict[str, object]) -> Theme:
    values = {
        key: tuple(value) if isinstance(value, list) else value for key, value in table.items()
    }
    return Theme(name=name, **values)  # type: ignore[arg-type]


def generate_stories(now: datetime, dice: random.Random) -> Iterator[Story]:
    """Yield every story; the follow-up comes directly after the first story of its line."""
    for theme in load_themes():
        for title, summary, later_title, later_summary in theme.lines:
            age = AGE_MINUTES + (SPAN / timedelta(minutes=1)) * dice.random() ** 1.5
            later_age = AGE_MINUTES + (age - AGE_MINUTES) * dice.uniform(0.05, 0.75)
            heat = dice.random() ** 2
            for told, report, minutes in (
                (title, summary, age),
                (later_title, later_summary, later_age),
            ):
                at = (now - timedelta(minutes=minutes)).replace(microsecond=0)
                outlet = GUARDIAN if dice.random() < 0.25 else dice.choice(OUTLETS)
                yield Story(
                    make_slug(told)[:80],
                    theme,
                    told,
                    report,
                    outlet,
                    dice.choice(AUTHORS),
                    at,
                    heat,
                )
