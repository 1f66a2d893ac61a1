"""Stories as rows of GDELT's DOC API: pages of outlets, with titles in separate tokens."""

import random
import re
from collections.abc import Iterator
from datetime import timedelta

from newsintel.demo.documents import Document, Row
from newsintel.demo.outlets import OUTLETS, Outlet
from newsintel.demo.stories import Story
from newsintel.demo.variations import respell_title

SHARE = 0.7
COPIED = 0.5
COUNTRIES = ("United Kingdom", "United States", "Ireland", "Canada", "Australia", "India")
"""The countries of the invented outlets: GDELT knows real ones only."""


def make_gdelt_documents(story: Story, dice: random.Random) -> Iterator[Document]:
    """Yield the pages that report a story."""
    if dice.random() < SHARE:
        yield _make_page(story, story.outlet, story.title)
    if dice.random() < COPIED:
        other = dice.choice([outlet for outlet in OUTLETS if outlet is not story.outlet])
        yield _make_page(story, other, respell_title(story.title, dice))


def _make_page(story: Story, outlet: Outlet, title: str) -> Document:
    seen_at = story.at + timedelta(minutes=-story.at.minute % 15, seconds=-story.at.second)
    seen_at = min(seen_at, story.at)  # the grid of 15 minutes, but never in the future
    row: Row = {
        "url": story.url_at(outlet),
        "url_mobile": "",
        "title": _separate_tokens(title),
        "seendate": f"{seen_at:%Y%m%dT%H%M%SZ}",
        "socialimage": f"https://media.{outlet.host}/{story.name}.jpg",
        "domain": outlet.host,
        "language": "English",
        "sourcecountry": COUNTRIES[len(outlet.host) % len(COUNTRIES)],
    }
    fields = {"title": title, "text": f"{story.summary} {story.theme.background}"}
    return Document.of(row, fields, story.at, story.heat, story.name)


def _separate_tokens(title: str) -> str:
    """Return a title with spaces before its punctuation, as GDELT writes titles."""
    return re.sub(r"\s*([,.:;!?%)])(?=\s|\Z)", r" \1", title).strip()
