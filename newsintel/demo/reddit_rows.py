"""Stories as rows of Reddit: links to the outlets' reports, discussions, and rows to be dropped."""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from newsintel.demo.documents import Document, Row
from newsintel.demo.stories import Story, Theme, make_slug
from newsintel.demo.variations import respell_title, rewrite_url

SHARE = 0.8
SHARED_AGAIN = 0.3
TALKED_ABOUT = 0.07
REMOVED = 0.02
ADULT = 0.015
FRONT = ("news", "worldnews", "technology")
"""The subreddits that newsintel searches by default. Every posted story is in one of them first."""


def make_reddit_documents(story: Story, now: datetime, dice: random.Random) -> Iterator[Document]:
    """Yield the posts about a story."""
    if dice.random() < SHARE:
        front = "technology" if "technology" in story.theme.subreddits else dice.choice(FRONT[:2])
        yield _make_link(story, front, now, dice)
        if dice.random() < SHARED_AGAIN:
            yield _make_link(story, dice.choice(story.theme.subreddits), now, dice)
    if dice.random() < TALKED_ABOUT:
        yield _make_talk(story, now, dice)


def make_subreddit_document(theme: Theme, now: datetime) -> Document:
    """Return the theme's own subreddit, which a search with `type=sr` finds."""
    name = theme.subreddits[-1]
    data = {
        "name": f"t5_{name}",
        "display_name": name,
        "title": theme.flair,
        "public_description": theme.background,
        "subscribers": 12_345,
    }
    return Document.of(
        {"kind": "t5", "data": data}, {"title": theme.flair, "description": theme.background}, now
    )


def _make_link(story: Story, subreddit: str, now: datetime, dice: random.Random) -> Document:
    title = respell_title(story.title, dice) if dice.random() < 0.6 else story.title
    url = rewrite_url(story.url, dice)
    data = _build_post(story, title, subreddit, now, dice) | {
        "url": url,
        "url_overridden_by_dest": url,
        "domain": urlsplit(url).netloc.removeprefix("www."),
        "thumbnail": dice.choice(
            (f"https://thumbs.reddit.example/{story.name}.jpg", "default", "")
        ),
    }
    name = story.name
    if dice.random() < REMOVED:
        data |= {"removed_by_category": "moderator", "selftext": "[removed]", "author": "[deleted]"}
        name = ""
    return _build_document(story, data, name)


def _make_talk(story: Story, now: datetime, dice: random.Random) -> Document:
    """Return a post without a link, which is not news."""
    subreddit = dice.choice(story.theme.subreddits)
    data = _build_post(story, f"How do you read this: {story.title}?", subreddit, now, dice)
    text = f"I keep thinking about it. {story.summary}\n\nWhat do you make of it?"
    url = f"https://www.reddit.com{data['permalink']}"
    return _build_document(
        story,
        data
        | {
            "is_self": True,
            "selftext": text,
            "url": url,
            "domain": f"self.{subreddit}",
            "thumbnail": "self",
        },
        "",
    )


def _build_document(story: Story, data: dict[str, Any], name: str) -> Document:
    """Create a document. Reddit also matches by meaning; the theme's background simulates that."""
    text = {
        "title": data["title"],
        "selftext": data["selftext"],
        "flair": data["link_flair_text"],
        "link": story.theme.background,
    }
    row: Row = {"kind": "t3", "data": data}
    at = datetime.fromtimestamp(data["created_utc"], tz=story.at.tzinfo)
    return Document.of(row, text, at, data["score"], name)


def _build_post(
    story: Story, title: str, subreddit: str, now: datetime, dice: random.Random
) -> dict[str, Any]:
    """Return the fields that every post has."""
    code = f"{dice.randrange(36**5, 36**6):x}"
    at = min(now, story.at + timedelta(minutes=dice.randint(1, 240)))
    score = 1 + int(story.heat * dice.uniform(200, 40_000))
    return {
        "id": code,
        "name": f"t3_{code}",
        "title": title,
        "subreddit": subreddit,
        "subreddit_name_prefixed": f"r/{subreddit}",
        "author": f"{story.author.split()[0].lower()}_{dice.randrange(100)}",
        "permalink": f"/r/{subreddit}/comments/{code}/{make_slug(title).replace('-', '_')[:50]}/",
        "created_utc": float(int(at.timestamp())),
        "edited": False,
        "is_self": False,
        "selftext": "",
        "selftext_html": None,
        "score": score,
        "ups": score,
        "upvote_ratio": round(dice.uniform(0.6, 0.99), 2),
        "num_comments": int(score * dice.uniform(0.02, 0.2)),
        "link_flair_text": story.theme.flair,
        "over_18": dice.random() < ADULT,
        "spoiler": False,
        "stickied": False,
        "quarantine": False,
        "is_video": False,
        "removed_by_category": None,
    }
