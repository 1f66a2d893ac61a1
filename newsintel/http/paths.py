"""The paths that several files use: their routes, and the middleware that treats some specially."""

from urllib.parse import unquote

from newsintel.domain.alerts.mail_tokens import MailAction

SEARCH = "/articles"
STREAM = "/articles/stream"

SEARXNG = "/compat/searxng/"
SEARXNG_SEARCH = SEARXNG + "search"
"""SearXNG answers at both."""

NEWSAPI = "/compat/newsapi/"
NEWSAPI_BASES = (NEWSAPI + "v2", NEWSAPI + "https://newsapi.org/v2")
"""What stands before the paths of NewsAPI. Clients that send their requests through a proxy put its
address before the whole address of NewsAPI."""
EVERYTHING = "/everything"
HEADLINES = "/top-headlines"

SEARCHES = frozenset(
    {SEARCH, STREAM, SEARXNG, SEARXNG_SEARCH}
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

MCP = "/mcp"
RESOURCE_METADATA = "/.well-known/oauth-protected-resource"
"""Where a client that was refused learns how to authenticate (RFC 9728, 3)."""

GREADER = "/compat/greader"
READER_API = GREADER + "/reader/api/0"


def hide_feed_token(path: str) -> str:
    """Return a path as a log may show it: nothing behind FEEDS, in any case or encoding.

    A reader with a slightly wrong address still shows most of a secret.
    """
    before, found, _ = unquote(path).lower().partition(FEEDS)
    if not found:
        return path
    return f"{path[: len(before)]}{FEEDS}***" if "%" not in path else f"{FEEDS}***"
