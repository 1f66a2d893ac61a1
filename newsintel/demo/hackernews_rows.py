"""Stories as rows of Hacker News: links to the outlets' reports, and questions without a link."""

import random
from collections.abc import Iterator

from newsintel.demo.documents import Document, Row
from newsintel.demo.stories import Story
from newsintel.demo.variations import rewrite_url

SHARES = {"Technology": 0.8, "Science": 0.5}
"""Shares of the stories that are posted, by section."""
OTHER_SHARE = 0.15
ASKED = 0.04


def make_hackernews_documents(story: Story, dice: random.Random) -> Iterator[Document]:
    """Yield the posts about a story."""
    if dice.random() < SHARES.get(story.theme.section, OTHER_SHARE):
        yield _make_post(story, dice, story.title, rewrite_url(story.url, dice), None)
    if dice.random() < ASKED:
        text = f"<p>{story.summary}</p><p>What should one read about {story.theme.flair}?"
        yield _make_post(story, dice, f"Ask HN: {story.theme.flair} for beginners?", None, text)


def _make_post(
    story: Story, dice: random.Random, title: str, url: str | None, text: str | None
) -> Document:
    number = dice.randrange(40_000_000, 49_000_000)
    kind = "ask_hn" if url is None else "story"
    author = f"{story.author.split()[0].lower()}{dice.randrange(100)}"
    points = 1 + int(story.heat * dice.uniform(5, 900))
    row: Row = {
        "objectID": str(number),
        "title": title,
        "author": author,
        "points": points,
        "num_comments": int(points * dice.uniform(0.1, 1.2)),
        "created_at": f"{story.at:%Y-%m-%dT%H:%M:%SZ}",
        "created_at_i": int(story.at.timestamp()),
        "_tags": ["story", f"author_{author}", f"story_{number}", kind],
    }
    row |= {"url": url} if url else {"story_text": text}
    fields = {
        "title": title,
        "story_text": text,
        # The API's index has the words of the address; the background simulates them.
        "url": story.theme.background,
    }
    return Document.of(row, fields, story.at, points, story.name if url else "")
