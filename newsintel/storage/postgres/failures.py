"""Translates asyncpg's exceptions into ours; this is the only table of them.

The classes are those of PostgreSQL's appendix A, "PostgreSQL Error Codes". An exception in none of
the tuples is a bug of ours.
"""

import asyncio
import ssl

from asyncpg import exceptions as pg

from newsintel.errors import (
    AccountGoneError,
    ArchiveTimeoutError,
    NewsIntelError,
    PoisonedBatchError,
    SchemaError,
    StoreRefusedError,
    UnavailableError,
    WritesRefusedError,
)

CONFLICTS = (
    pg.DeadlockDetectedError,
    pg.SerializationError,
    pg.InvalidCachedStatementError,
    pg.ForeignKeyViolationError,
)
"""Conflicts with another transaction or with a change of the schema; a retry can succeed.

A foreign key fails when its row was found and then deleted by another transaction. The retry does
not find the row, or inserts it again.
"""

_OF_AN_ACCOUNT = "_user_id_fkey"
"""The end of the names that PostgreSQL gives to foreign keys that refer to an account."""

LOST = (
    pg.PostgresConnectionError,
    pg.AdminShutdownError,
    pg.CrashShutdownError,
    pg.CannotConnectNowError,
    pg.DatabaseDroppedError,
    pg.IdleSessionTimeoutError,
    pg.IdleInTransactionSessionTimeoutError,
    pg.InterfaceError,
    pg.InternalClientError,
    ConnectionError,
    pg.ReadOnlySQLTransactionError,
)
"""The connection was lost, a lost connection was still in the pool, or after a failover its server
is no longer the primary.

TimeoutError is not in the list: with a frozen server, each unit would wait twice.
"""

_REFUSED = (
    pg.InvalidAuthorizationSpecificationError,
    pg.InvalidCatalogNameError,
    pg.InsufficientPrivilegeError,
    ssl.SSLError,
)
_SCHEMA = (
    pg.UndefinedTableError,
    pg.UndefinedColumnError,
    pg.UndefinedFunctionError,
    pg.InvalidSchemaNameError,
)
# asyncpg reports values that it cannot encode (a lone surrogate, a number that is too large) as its
# own DataError, which is an InterfaceError. So _POISONED is checked before LOST.
_POISONED = (
    ValueError,
    OverflowError,
    pg.DataError,
    pg.IntegrityConstraintViolationError,
    pg.ProgramLimitExceededError,
)
_SHARED = (pg.InvalidSQLStatementNameError, pg.DuplicatePreparedStatementError)
"""A prepared statement is missing or already exists: a connection pooler gives each transaction
another session.
"""
_PASSING = (
    *CONFLICTS,
    *LOST,
    OSError,  # includes TimeoutError
    pg.OperatorInterventionError,
    pg.InsufficientResourcesError,
    pg.ObjectNotInPrerequisiteStateError,
    pg.InvalidTransactionStateError,
    pg.TransactionRollbackError,
    pg.PostgresSystemError,
    pg.ConfigFileError,
    pg.InternalServerError,  # poolers and proxies also send it for their own failures
    asyncio.IncompleteReadError,
)

TOO_SLOW = "the archive took too long: use rarer words or a shorter time range"

FORESEEN = (*_REFUSED, *_SCHEMA, *_POISONED, *_SHARED, *_PASSING)


def is_connection_lost(error: BaseException) -> bool:
    """Return True if only the connection failed, not the statement."""
    return isinstance(error, LOST) and not isinstance(error, (*_POISONED, *_REFUSED))


def translate(error: BaseException) -> NewsIntelError:
    """Return our exception for one of FORESEEN.

    The message names only the kind, because PostgreSQL's own message may contain rows, hosts or
    passwords.
    """
    kind = type(error).__name__
    if isinstance(error, _REFUSED):
        return StoreRefusedError(
            f"PostgreSQL refuses this service ({kind}): "
            "check the user, the password, the database's name and TLS"
        )
    if isinstance(error, _SHARED) or _startup_refused(error):
        return StoreRefusedError(
            f"the URL leads to a connection pooler ({kind}): use the address of PostgreSQL itself, "
            "or configure the pooler for session pooling and to pass startup parameters"
        )
    if isinstance(error, _SCHEMA):
        return SchemaError(
            f"the database's schema is missing or too old ({kind}): run `newsintel migrate`"
        )
    if isinstance(error, _POISONED):
        gone = isinstance(error, pg.ForeignKeyViolationError) and str(
            error.constraint_name
        ).endswith(_OF_AN_ACCOUNT)
        return (
            AccountGoneError("the account has been deleted")
            if gone
            else PoisonedBatchError(f"PostgreSQL refused the content ({kind})")
        )
    if isinstance(error, pg.QueryCanceledError):
        return ArchiveTimeoutError(TOO_SLOW)
    read_only = isinstance(error, pg.ReadOnlySQLTransactionError)
    found = WritesRefusedError if read_only else UnavailableError
    return found(f"PostgreSQL is unavailable ({kind})")


def _startup_refused(error: BaseException) -> bool:
    """Return True for PgBouncer's `unsupported startup parameter`.

    Most of its errors have the same code, 08P01.
    """
    return isinstance(error, pg.ProtocolViolationError) and "startup parameter" in str(error)
