"""What each failure of redis-py means: for the caller, for the breaker, and for the connections to that server.

An error reply starts with a word in capitals, its code. Codes are those of Redis 7.2's and Valkey 8's sources (`shared.*err` in server.c,
cluster.c and acl.c). redis-py has classes for some of them only, so the code is what is looked at here.
"""

import ssl

from redis.exceptions import AuthenticationError, RedisError, ResponseError

from newsintel.errors import NewsIntelError, RefusedError, UnavailableError

MISPLACED = frozenset({"READONLY", "MASTERDOWN", "LOADING", "CLUSTERDOWN"})
"""It is a replica now, or cannot serve yet: behind the same name there may be a better one, which only a new connection finds."""

REFUSED = frozenset({"NOAUTH", "WRONGPASS", "NOPERM", "DENIED"})
CLUSTER = frozenset({"MOVED", "ASK", "CROSSSLOT", "TRYAGAIN"})
"""The server is part of a cluster, which takes a client that follows redirections."""


def code(error: BaseException) -> str:
    """The code of an error reply; empty for every other failure."""
    if getattr(error, "status_code", None):
        return str(getattr(error, "status_code"))  # noqa: B009 - not every RedisError declares it
    word = str(error).partition(" ")[0]
    return word if isinstance(error, ResponseError) and word.isupper() else ""


def misplaced(error: BaseException) -> bool:
    """True if every connection to that server should be left."""
    return code(error) in MISPLACED


def served(error: BaseException) -> bool:
    """True if the server is well and only refused this command: no reason to leave it alone."""
    return isinstance(error, ResponseError) and code(error) not in MISPLACED | REFUSED


def translate(error: BaseException) -> NewsIntelError:
    """Our exception for one of redis-py's; all that a cache may do wrong is be unavailable.

    The reason may lie several causes deep: what happens while it connects becomes a ConnectionError.
    """
    kind = code(error) or type(error).__name__
    if kind in CLUSTER:
        return RefusedError(f"Redis is a cluster ({kind}): this service needs a server without cluster mode")
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, AuthenticationError | ssl.SSLError) or code(cause) in REFUSED:
            return RefusedError(f"Redis refuses this service ({code(cause) or type(cause).__name__}): check the user, the password and TLS")
        cause = cause.__cause__ or cause.__context__
    return UnavailableError(f"Redis is unavailable ({kind})")


FORESEEN = (RedisError, OSError)
