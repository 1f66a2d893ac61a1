"""Names of forums, as people write them."""

import pytest

from newsintel.domain.search.forums import name_forum


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("https://www.reddit.com/r/worldnews/comments/1abc/storm_ahead/", "r/worldnews"),
        ("https://www.reddit.com/r/reddit.com/comments/1abc/", "r/reddit.com"),
        ("https://www.reddit.com/comments/1abc", None),
        ("https://www.reddit.com/user/x/comments/1abc/", None),
        ("https://www.reddit.com.evil.example/r/worldnews/", None),
        ("https://example.org/?https://www.reddit.com/r/worldnews/", None),
    ],
)
def test_a_subreddit_is_named_as_on_reddit(address, name):
    """An address that names no subreddit has no forum that could be shown."""
    assert name_forum(address) == name
