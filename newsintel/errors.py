"""The exceptions that newsintel raises on purpose.

Failures of an upstream are values instead (`outcome.FetchOutcome`). Any exception that is not a
`NewsIntelError` is a bug.
"""


class NewsIntelError(Exception):
    """Base of all expected failures."""


class SettingsError(NewsIntelError):
    """A setting is invalid. The message names it in one line; commands exit with 2."""


class InvalidParameterError(NewsIntelError):
    """A value from the caller is invalid.

    Args:
        field: the parameter's public name, e.g. `limit`.
        code: a stable word for programs, e.g. `out_of_range`.
        message: one sentence for people that says what is allowed.
    """

    def __init__(self, field: str, code: str, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.code = code
        self.message = message


class InvalidBodyError(InvalidParameterError):
    """A member of a request's JSON body is invalid. `field` is the name of the member."""


class DeniedError(NewsIntelError):
    """The caller is not allowed to do this, or must authenticate first.

    Args:
        code: the problem: unauthenticated, cross_site, insufficient_scope, session_required or
            not_invited.
        message: one sentence for the caller.
        challenge: the WWW-Authenticate header, if the answer needs one.
    """

    def __init__(self, code: str, message: str, challenge: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.challenge = challenge


class AccountGoneError(NewsIntelError):
    """The account was deleted before its data could be stored.

    Answered 401: the caller is no longer signed in.
    """


class AccountNameError(NewsIntelError):
    """A command cannot be applied to the account of this name. One line for the operator."""


class OverloadedError(NewsIntelError):
    """No slot for a new flight is free. Joining a running flight is never refused. Answered 503."""


class RateLimitedError(NewsIntelError):
    """The rate limit of a person is spent. Answered 429.

    Args:
        retry_after_s: whole seconds until a retry can succeed.
    """

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(f"a person's limit is spent for {retry_after_s} s")
        self.retry_after_s = retry_after_s


class UnavailableError(NewsIntelError):
    """PostgreSQL or Redis failed for a possibly temporary reason: refused, lost, too slow."""


class WritesRefusedError(UnavailableError):
    """PostgreSQL or Redis answers reads and takes no writes: it is a replica now, or full."""


class SignInUnavailableError(UnavailableError):
    """The caller cannot be identified or signed in now: a store or a provider is unavailable.

    Answered 503; public routes still work.

    Args:
        message: one sentence for the caller, without host names.
        retry_after_s: seconds until a retry may succeed, if known.
    """

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class MetricsUnavailableError(UnavailableError):
    """The supervisor did not answer, so the metrics of all workers are not known. Answered 503.

    The message is one sentence for the caller.
    """


class UnknownKeyError(NewsIntelError):
    """A stored value was encrypted with a key that is missing in SECRET_KEYS.

    The message names the key by its id.
    """


class ArchiveTimeoutError(UnavailableError):
    """A query of the archive exceeded its time limit. Answered 503 with a hint to narrow it."""


class SpoolFullError(UnavailableError):
    """A place of the spool has no room for an entry within SPOOL_MAX_BYTES."""


class BusyError(UnavailableError):
    """Every slot of the asyncio bridge is taken. Nothing was started. Answered 503."""


class StoreRefusedError(UnavailableError):
    """PostgreSQL or Redis refused the connection for a permanent reason.

    Examples are credentials, TLS and a missing database. At start it ends the command; later it is
    handled like any other outage.
    """


class EmbeddedServerError(NewsIntelError):
    """An embedded server did not start. The message is one line and says where to look."""


class WorkersFailedError(NewsIntelError):
    """Workers keep ending, so the service ends. The message names the last one and its reason."""


class PoisonedBatchError(NewsIntelError):
    """PostgreSQL refused the content of a batch. An unchanged retry cannot succeed: bisect it."""


class FeedListError(NewsIntelError):
    """The list of feeds cannot be read. The message is one line for the operator."""


class SchemaError(UnavailableError):
    """The database schema is missing or too old for this version. Run `newsintel migrate`."""


class FlightBugError(NewsIntelError):
    """A bug in one flight. The log has the traceback under `incident_id`; waiters get a 500."""

    def __init__(self, incident_id: str) -> None:
        super().__init__(incident_id)
        self.incident_id = incident_id

    def __str__(self) -> str:
        return f"a bug ended the search; the log has it under incident_id {self.incident_id}"


def flatten_errors(error: BaseException) -> list[BaseException]:
    """Return the errors in an exception: itself, or for a group its members, at any depth."""
    if not isinstance(error, BaseExceptionGroup):
        return [error]
    return [leaf for member in error.exceptions for leaf in flatten_errors(member)]
