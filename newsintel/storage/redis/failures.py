"""Decides what each failure of redis-py means for the caller, the breaker and the connections.

An error reply starts with its code, a word in capitals. redis-py has classes for only some codes,
so this module looks at the code itself.
"""

import re
import ssl

from redis.exceptions import (
    AskError,
    AuthenticationError,
    ClusterCrossSlotError,
    RedisError,
    ResponseError,
    TryAgainError,
)

from newsintel.errors import (
    NewsIntelError,
    StoreRefusedError,
    UnavailableError,
    WritesRefusedError,
)

MISPLACED = frozenset({"READONLY", "MASTERDOWN", "LOADING", "CLUSTERDOWN"})
"""The server is a replica now, or cannot serve yet. Its host name may lead to a better server,
which only a new connection finds.

OOM, MISCONF and NOREPLICAS are not in this list: a server that replies so is still the primary and
answers reads.
"""

NO_WRITES = frozenset({"READONLY", "OOM", "MISCONF", "NOREPLICAS"})
"""The server answers reads and takes no writes."""

REFUSED = frozenset({"NOAUTH", "WRONGPASS", "NOPERM", "DENIED"})

REDIRECTIONS = (AskError, TryAgainError, ClusterCrossSlotError)
"""The server is part of a cluster, and another one has the key, now or soon. The command did
nothing. redis-py's MovedError is an AskError.
"""

NO_DATABASES = "SELECT is not allowed in cluster mode"
"""What a server of a cluster says to a URL with the number of a database."""

ABORTED = "Transaction discarded because of: "
"""How an EXECABORT reply begins that quotes its cause (Redis 6.2)."""

UNREADABLE = (
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)
"""What redis-py, and an operation of ours, raise when a reply is not of the command's form.

Another server, a proxy or a broken one sends such replies. Our own bugs raise the same, so the
link logs them with their traceback.
"""

FORESEEN = (RedisError, OSError, *UNREADABLE)


def read_code(error: BaseException) -> str:
    """Return the code of an error reply; empty if it is only ERR.

    For an aborted transaction, return the code of the cause.
    """
    text = str(error)
    word = getattr(error, "status_code", None)  # not in the text of known codes
    if text.startswith(ABORTED) or (word is None and isinstance(error, ResponseError)):
        word = text.removeprefix(ABORTED).partition(" ")[0]
    return word if word and word != "ERR" and re.fullmatch("[A-Z]+", word) else ""


def is_wrong_server(error: BaseException) -> bool:
    """Return True if all connections to that server should be closed.

    After an unreadable reply, nobody knows what else is on its way.
    """
    return read_code(error) in MISPLACED or isinstance(error, UNREADABLE)


def is_server_healthy(error: BaseException) -> bool:
    """Return True if the server answers and only refused this command: it can still be used."""
    return isinstance(error, ResponseError) and read_code(error) not in MISPLACED


def translate(error: BaseException) -> NewsIntelError:
    """Return our exception for one of redis-py's: any failure of a cache is an UnavailableError.

    The reason may be several causes deep, because redis-py turns failures while connecting into a
    ConnectionError.
    """
    if isinstance(error, UNREADABLE):
        return UnavailableError(f"Redis is unavailable (unreadable reply: {type(error).__name__})")
    kind = read_code(error) or type(error).__name__
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, AuthenticationError | ssl.SSLError) or read_code(cause) in REFUSED:
            reason = read_code(cause) or type(cause).__name__
            return StoreRefusedError(
                f"Redis refuses this service ({reason}): check the user, the password and TLS"
            )
        if NO_DATABASES in str(cause):
            return StoreRefusedError(
                "Redis is a cluster, which has no numbered databases: end its URL with /0"
            )
        cause = cause.__cause__ or cause.__context__
    found = WritesRefusedError if kind in NO_WRITES else UnavailableError
    return found(f"Redis is unavailable ({kind})")
