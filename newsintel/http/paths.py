"""The paths that several files use: their routes, and the middleware that treats some specially."""

SEARCH = "/articles"
STREAM = "/articles/stream"
SEARCHES = frozenset({SEARCH, STREAM})
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

MCP = "/mcp"
RESOURCE_METADATA = "/.well-known/oauth-protected-resource"
"""Where a client that was refused learns how to authenticate (RFC 9728, 3)."""

GREADER = "/compat/greader"
READER_API = GREADER + "/reader/api/0"
