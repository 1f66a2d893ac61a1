"""The meaning of each setting in one line, which `newsintel config` shows."""

MEANINGS = {
    "ENV": "development, or production with its stricter rules",
    "BIND": "address:port to listen on; if unset, a platform's PORT is used",
    "PUBLIC_URL": "the service's own base URL, for links, redirects and cookies",
    "ALLOWED_HOSTS": "further host names to answer to; other hosts get 421",
    "TRUSTED_PROXIES": "networks of the proxies whose X-Forwarded-For is trusted",
    "DATA_DIR": "the folder of embedded servers and, in development, of secret keys",
    "DATABASE_URL": "your PostgreSQL; unset = an embedded one",
    "DATABASE_READ_URL": "a replica of it that searches of the archive read from; unset = none",
    "DATABASE_PASSWORD": "replaces the password in DATABASE_URL and DATABASE_READ_URL",
    "DATABASE_POOL": "connections to PostgreSQL at most",
    "MIGRATE_DATABASE_URL": (
        "the role that may change the schema, for `newsintel migrate`; unset = DATABASE_URL"
    ),
    "MIGRATE_DATABASE_PASSWORD": "replaces the password in MIGRATE_DATABASE_URL",
    "REDIS_URL": "your Redis or Valkey; unset = an embedded one",
    "REDIS_PASSWORD": "replaces the password in REDIS_URL",
    "SOURCES": (
        "sources to ask, in the order that breaks ties; unset = each that has its key or needs none"
    ),
    "FEEDS": (
        "the feeds to read: default, off, an OPML file or its address, or a comma list of addresses"
    ),
    "FEEDS_POLL_MIN_S": "the shortest pause between two polls of a feed",
    "FEEDS_POLL_MAX_S": "the longest pause between two polls of a feed",
    "PRIVATE_ADDRESSES": (
        "1 = feeds, alerts and OpenID Connect may use private addresses; refused in production"
    ),
    "SECRET_KEYS": (
        "keys that sign and encrypt (`newsintel new-key` makes one); "
        "the first is used, all are accepted"
    ),
    "SESSION_IDLE_S": "a sign-in ends after this long without a request",
    "SESSION_MAX_S": "a sign-in ends after this long in any case",
    "SIGN_IN": "who may sign in: anyone, off, or a list such as reddit:alice,oidc:a@b.org",
    "OPS_PAGE": "1 = the page /ops for the people of OPERATORS",
    "OPERATORS": "who may see /ops, a list such as reddit:alice,oidc:a@b.org",
    "OIDC_ISSUER": (
        "an OpenID Connect provider to sign in with, exactly as its discovery document writes it"
    ),
    "OIDC_CLIENT_ID": "the client id that the provider gave you",
    "OIDC_CLIENT_SECRET": "the client secret that the provider gave you",
    "OIDC_LABEL": "the provider's name as people see it",
    "DEV_SIGN_IN": "1 = anybody may sign in as anybody; development on a loopback address only",
    "SMTP_URL": (
        "your mail server for alerts: smtps://name:password@host, or smtp:// with STARTTLS"
    ),
    "SMTP_FROM": "the sender of alerts by e-mail",
    "ALERTS_PER_PERSON": "how many saved searches a person may have",
    "CORS_ORIGINS": "origins whose pages may read answers",
    "SEARCH_DEADLINE_S": "how long a search may take, all sources together",
    "CACHE_TTL_S": "how long an answer is fresh",
    "CACHE_REVALIDATE_S": "how long after that it is served at once while it is renewed",
    "CACHE_STALE_S": "how long after that it is served if no source answers",
    "CACHE_PARTIAL_S": "sources that failed in an answer are asked again after this",
    "RATE_LIMIT": "requests per person, as calls/window; off = no limit",
    "MISS_LIMIT": "searches per person that reach a source, as calls/window; off = no limit",
    "SPOOL_MAX_BYTES": (
        "what may wait for PostgreSQL, in Redis and again in DATA_DIR; beyond it articles are lost"
    ),
    "HISTORY_RETENTION_D": "searches are deleted from the history after this",
    "TRENDING_FLOOR": "people who must have searched for something before it is shown as a trend",
    "LOG_LEVEL": "the lowest level that is logged: debug, info, warning, error",
    "LOG_FORMAT": (
        "text, json, or emf (json with CloudWatch metrics); auto = text on a terminal, else json"
    ),
    "METRICS_BIND": "address:port of a separate listener for /metrics",
    "METRICS_TOKEN": "the bearer token that /metrics requires on the public port",
    "MAX_FLIGHTS": "searches in progress at most; more get 503",
    "DRAIN_S": "how long an orderly shutdown may take",
    "MAX_CONNECTIONS": "clients' connections at most",
    "MAX_CONNECTIONS_PER_ADDRESS": (
        "connections of one IPv4 address or IPv6 /64 at most; trusted proxies have no limit"
    ),
    "WORKERS": "processes that serve on one port; auto = one for each core",
    "HEAD_TIMEOUT_S": "how long a request's line and headers may take to arrive",
    "COMMIT": "the commit of the build",
}
"""Meanings by the name after NEWSINTEL_."""

SOURCE_MEANINGS = {
    "KEY": "the API key; without it the source is off",
    "CLIENT_ID": "the application's id; without it the source is off",
    "CLIENT_SECRET": "the application's secret; without it the source is off",
    "USER_AGENT": (
        "how the application names itself, as the provider asks; without it the source is off"
    ),
    "SUBREDDITS": "the subreddits to search; all = everywhere",
    "URL": "the API's base URL",
    "BULK": "1 = the source's files of all news go to the archive, every 15 minutes",
    "BULK_URL": "the base URL of these files",
    "AUTH_URL": "the base URL of the sign-in and token server",
    "DEADLINE_S": "how long the source may take for one search",
    "PACE_S": "the shortest pause between two calls; 0 = none",
    "QUOTA": "calls per window, over all processes; off = no limit",
    "RETENTION_D": "articles are deleted this long after their last fetch, if nobody saved them",
}
"""Meanings by the name after NEWSINTEL_<SOURCE>_."""


def find_meaning(name: str) -> str:
    """Return the meaning of a setting by its full name; "" if it has none."""
    short = name.partition("_")[2]
    return MEANINGS.get(short) or SOURCE_MEANINGS.get(short.partition("_")[2], "")
