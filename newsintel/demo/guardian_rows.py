"""Stories as rows of the Guardian: its own report of the event, at its own address."""

import html
import random
from collections.abc import Iterator
from datetime import datetime, timedelta

from newsintel.demo.documents import Document, Row
from newsintel.demo.outlets import GUARDIAN
from newsintel.demo.stories import Story, make_slug
from newsintel.demo.variations import respell_title

SHARE = 0.8
"""Share of the stories that another outlet had first."""


def make_guardian_documents(story: Story, now: datetime, dice: random.Random) -> Iterator[Document]:
    """Yield the row that reports a story, if the Guardian reports it."""
    own = story.outlet is GUARDIAN
    if own or dice.random() < SHARE:
        at = story.at if own else min(now, story.at + timedelta(minutes=dice.randint(0, 120)))
        title = story.title if own else respell_title(story.title, dice)
        row = _build_row(story, title, at, dice)
        text = {
            "webTitle": title,
            "trailText": story.summary,
            "body": row["fields"]["body"],
            "byline": story.author,
        }
        yield Document.of(row, text, at, story.heat, story.name)


def _build_row(story: Story, title: str, at: datetime, dice: random.Random) -> Row:
    section = make_slug(story.theme.section)
    path = story.url_at(GUARDIAN).split("/", 3)[3]
    row: Row = {
        "id": path,
        "type": dice.choice(("article", "article", "article", "article", "liveblog")),
        "sectionId": section,
        "sectionName": story.theme.section,
        "webPublicationDate": f"{at:%Y-%m-%dT%H:%M:%SZ}",
        "webTitle": f"{title} | {story.author}" if dice.random() < 0.1 else title,
        "webUrl": f"https://www.{GUARDIAN.host}/{path}",
        "apiUrl": f"https://content.{GUARDIAN.host}/{path}",
        "isHosted": dice.random() < 0.01,
    }
    if dice.random() < 0.85:
        row |= {"pillarId": "pillar/news", "pillarName": "News"}
    return row | {"fields": _build_fields(story, title, at, dice)}


def _build_fields(story: Story, title: str, at: datetime, dice: random.Random) -> dict[str, str]:
    """Return all fields that show-fields can request. All are text; empty ones are left out."""
    summary = html.escape(story.summary, quote=False)
    body = f"<p>{summary}</p> <p>{html.escape(story.theme.background, quote=False)}</p>"
    image = f"https://media.{GUARDIAN.host}/{story.name}/500.jpg"
    published = f"{at:%Y-%m-%dT%H:%M:%SZ}"
    fields = {
        "headline": title.strip(),
        "trailText": f"<strong>{story.theme.section}:</strong> {summary}"
        if dice.random() < 0.15
        else summary,
        "standfirst": f"<p>{summary}</p>",
        "body": body,
        "bodyText": f"{story.summary} {story.theme.background}",
        "byline": story.author if dice.random() < 0.95 else "",
        "thumbnail": image if dice.random() < 0.9 else "",
        "shortUrl": f"https://www.{GUARDIAN.host}/p/{story.name[:5]}",
        "firstPublicationDate": published,
        "lastModified": published,
        "wordcount": str(len(body.split()) * 9),
        "lang": "en",
    }
    return {name: value for name, value in fields.items() if value}
