"""What each failure of redis-py means: for the caller, for the breaker, and for the connections to that server.

An error reply starts with a word in capitals, its code. redis-py has classes for some of them only, so the code is what is looked at here.
"""

import re
import ssl

from redis.exceptions import AuthenticationError, RedisError, ResponseError

from newsintel.errors import NewsIntelError, RefusedError, UnavailableError

MISPLACED = frozenset({"READONLY", "MASTERDOWN", "LOADING", "CLUSTERDOWN"})
"""It is a replica now, or cannot serve yet: behind the same name there may be a better one, which only a new connection finds.

OOM, MISCONF and NOREPLICAS are not here: a server that says that is still the primary, and goes on answering reads.
"""

REFUSED = frozenset({"NOAUTH", "WRONGPASS", "NOPERM", "DENIED"})
CLUSTER = frozenset({"MOVED", "ASK", "CROSSSLOT", "TRYAGAIN"})
"""The server is part of a cluster, which takes a client that follows redirections."""

ABORTED = "Transaction discarded because of: "
"""How an EXECABORT begins that quotes the error behind it (Redis 6.2)."""

FORESEEN = (RedisError, OSError)


def code(error: BaseException) -> str:
    """The code of an error reply, if it says more than ERR; for a transaction that was given up, the code of what made it so."""
    text = str(error)
    word = getattr(error, "status_code", None)  # redis-py takes the codes that it knows off the text
    if text.startswith(ABORTED) or (word is None and isinstance(error, ResponseError)):
        word = text.removeprefix(ABORTED).partition(" ")[0]
    return word if word and word != "ERR" and re.fullmatch("[A-Z]+", word) else ""


def misplaced(error: BaseException) -> bool:
    """True if every connection to that server should be left."""
    return code(error) in MISPLACED


def served(error: BaseException) -> bool:
    """True if the server answers, and only refused this command: no reason to leave it alone."""
    return isinstance(error, ResponseError) and code(error) not in MISPLACED


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
