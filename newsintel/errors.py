"""The exceptions that newsintel raises on purpose.

Failures of an upstream are not here: they are values (`model.FetchOutcome`). An exception that is not a `NewsIntelError` is a bug.
"""


class NewsIntelError(Exception):
    """Base of every failure that newsintel foresees."""


class SettingsError(NewsIntelError):
    """A setting cannot be used. The message names it in one line; commands exit with 2."""


class InvalidParameterError(NewsIntelError):
    """A value given by the caller cannot be used.

    Args:
        field: the parameter's public name, e.g. `limit`.
        code: a stable word for programs, e.g. `out_of_range`.
        message: one sentence for people, naming what is allowed.
    """

    def __init__(self, field: str, code: str, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.code = code
        self.message = message


class InvalidBodyError(InvalidParameterError):
    """A member of a request's JSON body cannot be used; the same arguments, `field` being the member's name."""


class DeniedError(NewsIntelError):
    """The caller may not do this, or must first say who it is.

    Args:
        code: the problem: unauthenticated, cross_site, insufficient_scope, session_required or not_invited.
        message: one sentence for the caller.
        challenge: the WWW-Authenticate header, where one belongs.
    """

    def __init__(self, code: str, message: str, challenge: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.challenge = challenge


class AccountGoneError(NewsIntelError):
    """What was to be kept belongs to an account that has been deleted meanwhile. Answered 401: nobody is signed in any more."""


class AccountNameError(NewsIntelError):
    """A command cannot do what it was asked with an account of this name; one line for the operator."""


class OverloadedError(NewsIntelError):
    """Every place for a new flight is taken; joining a flight in the air is never refused. Answered 503."""


class RateLimitedError(NewsIntelError):
    """A person has asked as often as one may. Answered 429.

    Args:
        retry_after_s: whole seconds until asking again is of use.
    """

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(f"a person's limit is spent for {retry_after_s} s")
        self.retry_after_s = retry_after_s


class UnavailableError(NewsIntelError):
    """PostgreSQL or Redis did not do what was asked, for a reason that may pass: refused, lost, too slow."""


class SignInUnavailableError(UnavailableError):
    """Who is asking cannot be found out or remembered now: a store or a provider is away. Answered 503; what is public goes on.

    Args:
        message: one sentence for the caller, which names no host.
        retry_after_s: when it may be worth trying again, if that is known.
    """

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class UnknownKeyError(NewsIntelError):
    """Something stored was encrypted with a key that SECRET_KEYS no longer holds. The message names the key by its id."""


class ArchiveTimeoutError(UnavailableError):
    """A query on the archive took longer than one may; a narrower one may not. Answered 503 with a hint."""


class BusyError(UnavailableError):
    """Every slot of the asyncio bridge is taken. Nothing was started. Answered 503."""


class RefusedError(UnavailableError):
    """PostgreSQL or Redis turned us away for a reason that will not pass by itself: credentials, TLS, no such database.

    At start it ends the command; later it costs no more than any other outage.
    """


class EmbeddedServerError(NewsIntelError):
    """A server that newsintel starts for itself did not come up. The message is one line and names where to look."""


class PoisonedBatchError(NewsIntelError):
    """PostgreSQL refused a batch for what is in it. Asking again unchanged can never succeed: bisect it."""


class SchemaError(UnavailableError):
    """The database's schema is missing or older than this version needs; `newsintel migrate` mends it."""


class FlightBugError(NewsIntelError):
    """A bug inside one flight. Its traceback is in the log under `incident_id`; its waiters are answered 500."""

    def __init__(self, incident_id: str) -> None:
        super().__init__(incident_id)
        self.incident_id = incident_id

    def __str__(self) -> str:
        return f"a bug ended the search; the log has it under incident_id {self.incident_id}"


def leaves(error: BaseException) -> list[BaseException]:
    """The errors that an exception stands for: itself, or for a group those in it, at any depth."""
    if not isinstance(error, BaseExceptionGroup):
        return [error]
    return [leaf for member in error.exceptions for leaf in leaves(member)]
