"""Names the forum where readers discuss a story, for people: `r/worldnews`."""

import re

_SUBREDDIT = re.compile(r"https://www\.reddit\.com/(r/[\w.]+)/")


def name_forum(discussion_url: str) -> str | None:
    """Return the name of a discussion's forum; None if its address shows none."""
    match = _SUBREDDIT.match(discussion_url)
    return match[1] if match else None
