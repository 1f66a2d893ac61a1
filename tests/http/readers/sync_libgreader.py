"""Syncs with libgreader (PyPI), whose hosts are constants: arguments are base address and key.

It prints what it saw: titles of the subscription, unread before and after, starred titles.
"""

import json
import sys

from libgreader import ClientAuthMethod, GoogleReader
from libgreader.url import ReaderUrl

base, key = sys.argv[1:]
for name, value in vars(ReaderUrl).items():
    if isinstance(value, str) and value.startswith(ReaderUrl.READER_BASE_URL + "/"):
        path = value.removeprefix(ReaderUrl.READER_BASE_URL)
        setattr(ReaderUrl, name, f"{base}/reader/api{path}")
ClientAuthMethod.CLIENT_URL = f"{base}/accounts/ClientLogin"

reader = GoogleReader(ClientAuthMethod("anybody", key))
reader.makeSpecialFeeds()


def sync():
    """Return the only subscription, after a sync."""
    reader.buildSubscriptionList()
    (feed,) = reader.getSubscriptionList()
    return feed


feed = sync()
before = feed.unread
feed.loadItems()
first, second = feed.items[:2]
answers = [first.markRead(), second.star()]
unread = sync().unread
starred = reader.getSpecialFeed(ReaderUrl.STARRED_LIST)
starred.loadItems()
answers.append(reader.markFeedAsRead(feed))
seen = {
    "title": feed.title,
    "items": [item.title for item in feed.items],
    "second": second.title,
    "answers": [str(one) for one in answers],
    "unread": [before, unread, sync().unread],
    "starred": [item.title for item in starred.items],
}
json.dump(seen, sys.stdout)
