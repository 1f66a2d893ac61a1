"""Stories as rows of NewsAPI.

A story is the first outlet's page, often with a second outlet's copy, and sometimes with a removed
row.
"""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta

from newsintel.demo.documents import Document, Row
from newsintel.demo.outlets import OUTLETS, Outlet
from newsintel.demo.stories import Story
from newsintel.demo.variations import add_outlet_name, respell_title, rewrite_url

SHARE = 0.85
COPIED = 0.35
REMOVED = 0.01
CONTENT_CHARS = 200
"""Where NewsAPI cuts `content`."""


def make_newsapi_documents(story: Story, now: datetime, dice: random.Random) -> Iterator[Document]:
    """Yield the rows that report a story."""
    if dice.random() < REMOVED:
        yield Document.of(_build_removed_row(), _build_fields(story), story.at)
    if dice.random() >= SHARE:
        return
    yield _build_document(
        story, now, dice, outlet=story.outlet, title=story.title, url=rewrite_url(story.url, dice)
    )
    if dice.random() < COPIED:
        other = dice.choice([outlet for outlet in OUTLETS if outlet is not story.outlet])
        yield _build_document(
            story,
            now,
            dice,
            outlet=other,
            title=respell_title(story.title, dice),
            url=story.url_at(other),
        )


def _build_fields(story: Story) -> dict[str, str]:
    return {
        "title": story.title,
        "description": story.summary,
        "content": f"{story.summary} {story.theme.background}",
    }


def _build_document(
    story: Story, now: datetime, dice: random.Random, *, outlet: Outlet, title: str, url: str
) -> Document:
    at = min(now, story.at + timedelta(minutes=dice.randint(0, 90)))
    row: Row = {
        "source": {"id": outlet.id, "name": outlet.name},
        "author": dice.choice(
            (
                story.author,
                story.author,
                story.author,
                None,
                "",
                f"https://www.{outlet.host}/staff",
                f"{outlet.name} staff",
            )
        ),
        "title": add_outlet_name(title, outlet) if dice.random() < 0.6 else title,
        "description": _vary_description(story, dice),
        "url": url,
        "urlToImage": dice.choice(
            (
                f"https://img.{outlet.host}/{story.name}.jpg",
                f"https://img.{outlet.host}/{story.name}.jpg",
                None,
                "",
            )
        ),
        "publishedAt": f"{at:%Y-%m-%dT%H:%M:%SZ}",
        "content": None
        if dice.random() < 0.1
        else _cut_content(f"{story.summary}\r\n{story.theme.background}"),
    }
    return Document.of(row, _build_fields(story), at, outlet.reach + story.heat, story.name)


def _vary_description(story: Story, dice: random.Random) -> str | None:
    """Return mostly the plain summary; sometimes markup, entities or None, as feeds do."""
    choice = dice.randrange(12)
    if choice == 0:
        return None
    if choice == 1:
        return f"<p>{story.summary}</p>"
    return (
        story.summary.replace("'", "&#8217;").replace("\u2019", "&#8217;")
        if choice == 2
        else story.summary
    )


def _cut_content(text: str) -> str:
    return f"{text[:CONTENT_CHARS]}\u2026 [+{len(text) * 7 - CONTENT_CHARS} chars]"


def _build_removed_row() -> Row:
    """Return the row that NewsAPI sends for a withdrawn article."""
    gone = "[Removed]"
    return {
        "source": {"id": None, "name": gone},
        "author": None,
        "title": gone,
        "description": gone,
        "url": "https://removed.com",
        "urlToImage": None,
        "publishedAt": "1970-01-01T00:00:00Z",
        "content": gone,
    }
