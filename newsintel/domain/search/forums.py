"""Names the forum where readers discuss a story, for people: `r/worldnews`, `Hacker News`."""

import re

HACKER_NEWS = "Hacker News"
ITEM_URL = "https://news.ycombinator.com/item?id="
"""The address of an item on Hacker News; its number follows."""

_SUBREDDIT = re.compile(r"https://www\.reddit\.com/(r/[\w.]+)/")


def name_forum(discussion_url: str) -> str | None:
    """Return the name of a discussion's forum; None if its address shows none."""
    if discussion_url.startswith(ITEM_URL):
        return HACKER_NEWS
    match = _SUBREDDIT.match(discussion_url)
    return match[1] if match else None
