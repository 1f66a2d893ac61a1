"""The paths that several files use: their routes, and the middleware that treats some specially."""

import re
from urllib.parse import unquote

from newsintel.domain.alerts.mail_tokens import MailAction

SEARCH = "/articles"
STREAM = "/articles/stream"

SEARXNG = "/compat/searxng"
SEARXNG_SEARCH = SEARXNG + "/search"
SEARXNG_PATHS = (SEARXNG_SEARCH, SEARXNG + "/", SEARXNG)
"""SearXNG answers at `/search` and at its root, which people write with and without its slash."""

NEWSAPI = "/compat/newsapi/"
NEWSAPI_BASES = (NEWSAPI + "v2", NEWSAPI + "https://newsapi.org/v2")
"""What stands before the paths of NewsAPI. Clients that send their requests through a proxy put its
address before the whole address of NewsAPI."""
EVERYTHING = "/everything"
HEADLINES = "/top-headlines"

SEARCHES = frozenset(
    {SEARCH, STREAM, *SEARXNG_PATHS}
    | {base + path for base in NEWSAPI_BASES for path in (EVERYTHING, HEADLINES)}
)
"""The paths whose requests may call the sources."""

FRONT = "/"
"""The page for people, and with `q` its results."""
ARCHIVE_PAGE = "/search"
OPS = "/ops"
STATIC = "/static/"
"""The prefix of the files that pages load."""

HEALTH = "/health"
READY = "/health/ready"
METRICS = "/metrics"
OPENSEARCH = "/opensearch.xml"
FEED_LIST = "/feeds.opml"
FEEDS = "/feeds/"
"""The prefix of the private feeds; a secret follows it."""
DESCRIPTION = "/openapi.json"
PROBLEM_PAGES = "/problems/"
"""The prefix of the problem pages; a problem's code follows it."""
ALERTS = "/alerts"
"""The page of saved searches."""
MAIL_LINKS = {action: f"/{action}/" for action in MailAction}
"""The prefixes of the links in mails; the number of a channel and a signature follow."""

SECRET_PREFIXES = (FEEDS, *MAIL_LINKS.values())
"""What stands before a secret in a path."""
MOST_ENCODINGS = 3
"""How often a path may be percent-encoded: programs that rewrite links encode them once more."""
_SECRET = re.compile(
    rf"(?i)(?<![/\\])[/\\]++({'|'.join(prefix.strip('/') for prefix in SECRET_PREFIXES)})[/\\]"
)
"""A row of slashes is read once, from its first one. If each could begin a match, a path of 15,000
slashes would block the process for seconds."""

MCP = "/mcp"
RESOURCE_METADATA = "/.well-known/oauth-protected-resource"
"""Where a client that was refused learns how to authenticate (RFC 9728, 3)."""

GREADER = "/compat/greader"
READER_API = GREADER + "/reader/api/0"
READER_ATOM = GREADER + "/reader/atom"


def hide_secret_address(path: str) -> str:
    """Return a path as a log may show it: nothing behind the prefix of an address with a secret.

    These are the addresses of private feeds and the links in mails, in any case and encoding, also
    encoded twice, with further slashes, and within another path. A reader or a mail program with a
    slightly wrong address still shows most of a secret.
    """
    plain = path
    for _ in range(MOST_ENCODINGS):
        plain = unquote(plain)
    found = _SECRET.search(plain)
    if found is None:
        return path
    before = plain[: found.start()] if plain == path else ""
    return f"{before}/{found[1].lower()}/***"
