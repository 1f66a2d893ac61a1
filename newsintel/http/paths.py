"""The paths that several files use: their routes, and the middleware that treats some specially."""

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
