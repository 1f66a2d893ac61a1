"""What each failure of asyncpg means for the caller: the one table between its exceptions and ours.

Classes are those of PostgreSQL's appendix A, "PostgreSQL Error Codes"; what is in none of the tuples is a bug of ours.
"""

import asyncio
import ssl

from asyncpg import exceptions as pg

from newsintel.errors import (
    AccountGoneError,
    ArchiveTimeoutError,
    NewsIntelError,
    PoisonedBatchError,
    RefusedError,
    SchemaError,
    UnavailableError,
)

CONFLICTS = (pg.DeadlockDetectedError, pg.SerializationError, pg.InvalidCachedStatementError, pg.ForeignKeyViolationError)
"""Lost to another transaction, or to a change of the schema; the same again may well succeed.

A foreign key fails when what it refers to, found a moment ago, is deleted: then the same again does not find it, or puts it back.
"""

_OF_AN_ACCOUNT = "_user_id_fkey"
"""How the constraints end by which rows belong to an account, as PostgreSQL names them."""

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
"""The connection went away, asyncpg met its remains in the pool, or after a failover it leads to a server that is no longer the writer.

A TimeoutError is not here: a frozen server would cost twice.
"""

_REFUSED = (
    pg.InvalidAuthorizationSpecificationError,
    pg.InvalidCatalogNameError,
    pg.InsufficientPrivilegeError,
    ssl.SSLError,
)
_SCHEMA = (pg.UndefinedTableError, pg.UndefinedColumnError, pg.UndefinedFunctionError, pg.InvalidSchemaNameError)
# asyncpg reports what it cannot encode (a lone surrogate, a number too large) as its own DataError, an InterfaceError: so these come first.
_POISONED = (ValueError, OverflowError, pg.DataError, pg.IntegrityConstraintViolationError, pg.ProgramLimitExceededError)
_SHARED = (pg.InvalidSQLStatementNameError, pg.DuplicatePreparedStatementError)
"""A statement that was prepared is not there, or another of its name is: a pooler gives each transaction another session."""
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
    pg.InternalServerError,  # also what poolers and proxies say of their own troubles
    asyncio.IncompleteReadError,
)

TOO_SLOW = "the archive took too long: ask for rarer words, or for a shorter time"

FORESEEN = (*_REFUSED, *_SCHEMA, *_POISONED, *_SHARED, *_PASSING)


def lost(error: BaseException) -> bool:
    """True if only the connection failed, not what was asked of it."""
    return isinstance(error, LOST) and not isinstance(error, (*_POISONED, *_REFUSED))


def translate(error: BaseException) -> NewsIntelError:
    """Our exception for one of FORESEEN. Messages name the kind alone: PostgreSQL's own may hold rows, hosts or passwords."""
    kind = type(error).__name__
    if isinstance(error, _REFUSED):
        return RefusedError(f"PostgreSQL refuses this service ({kind}): check the user, the password, the database's name and TLS")
    if isinstance(error, _SHARED) or _startup_refused(error):
        return RefusedError(
            f"a connection pooler stands before PostgreSQL ({kind}): name PostgreSQL itself, "
            "or have the pooler give out whole sessions and let startup parameters pass"
        )
    if isinstance(error, _SCHEMA):
        return SchemaError(f"the database lacks what this version needs ({kind}); run `newsintel migrate`")
    if isinstance(error, _POISONED):
        gone = isinstance(error, pg.ForeignKeyViolationError) and str(error.constraint_name).endswith(_OF_AN_ACCOUNT)
        return AccountGoneError("the account has been deleted") if gone else PoisonedBatchError(f"PostgreSQL refused the content ({kind})")
    if isinstance(error, pg.QueryCanceledError):
        return ArchiveTimeoutError(TOO_SLOW)
    return UnavailableError(f"PostgreSQL is unavailable ({kind})")


def _startup_refused(error: BaseException) -> bool:
    """True for PgBouncer's `unsupported startup parameter`; for most else that it says it has the same code, 08P01."""
    return isinstance(error, pg.ProtocolViolationError) and "startup parameter" in str(error)
