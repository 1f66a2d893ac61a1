"""Identifies the caller of each request. The rate limits, which run next, count per person."""

from datetime import datetime
from functools import partial

from attrs import evolve

from newsintel.domain.accounts.model import Access, AnonymousReason, Caller
from newsintel.domain.security.keys import digest_secret
from newsintel.errors import RateLimitedError, UnavailableError
from newsintel.http.asgi import Asgi, Receive, Scope, Send
from newsintel.http.paths import HEALTH, METRICS, READY
from newsintel.http.request.client_address import find_client_address
from newsintel.http.request.credentials import (
    KEY_PATTERN,
    SESSION_ID_PATTERN,
    find_cookie,
    has_newsapi_path,
    name_session_cookie,
    read_key,
)
from newsintel.http.services import Services
from newsintel.runtime.asker import set_store_user, use_stores_urgently
from newsintel.runtime.limits.lookups import Ask, Credential, CredentialKind

ANONYMOUS_PATHS = frozenset({HEALTH, READY, METRICS})
"""Paths whose callers are not identified: their responses must not depend on a store. The route of
/metrics itself checks its token, which uses the same header as a key."""

CREDENTIAL_HEADERS = (b"authorization", b"cookie")
"""The headers that can identify a caller."""


def has_credentials(scope: Scope) -> bool:
    """Whether a request may hold what identifies its caller; most requests hold nothing."""
    if has_newsapi_path(scope):
        return True
    for name, _ in scope["headers"]:  # noqa: SIM110 - a generator takes twice as long
        if name in CREDENTIAL_HEADERS:
            return True
    return False


class Identify:
    """ASGI middleware: stores the request's Caller in `scope["state"]["caller"]`."""

    def __init__(self, app: Asgi, services: Services) -> None:
        self._app = app
        self._services = services
        self._cookie = name_session_cookie(services.settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http":
            anonymous = self.derive_anonymous(scope, self._services.now())
            asked = has_credentials(scope) and scope["path"] not in ANONYMOUS_PATHS
            caller = await self._identify_caller(scope, anonymous) if asked else anonymous
            scope["state"]["caller"] = caller
            set_store_user(None if scope["path"] in ANONYMOUS_PATHS else caller.person)
        await self._app(scope, receive, send)

    def derive_anonymous(self, scope: Scope, now: datetime) -> Caller:
        """Return the caller of a request without credentials."""
        address = find_client_address(scope, self._services.settings.trusted_proxies)
        return Caller(self._services.accounts.persons.derive_person(address, now))

    async def _identify_caller(self, scope: Scope, anonymous: Caller) -> Caller:
        """Return the caller of the request's key or session; without one, the anonymous caller."""
        key = read_key(scope)
        if key is not None:
            nobody = evolve(anonymous, doubt=AnonymousReason.BAD_KEY)
            if not KEY_PATTERN.fullmatch(key):
                return nobody
            credential = Credential(CredentialKind.KEY, digest_secret(key))
            ask = partial(self._find_key_caller, credential.digest)
            return await self._look_up(credential, ask, nobody)
        session_id = find_cookie(scope["headers"], self._cookie)
        if session_id and SESSION_ID_PATTERN.fullmatch(session_id):
            credential = Credential(CredentialKind.SESSION, digest_secret(session_id))
            ask = partial(self._find_session_caller, session_id)
            return await self._look_up(credential, ask, anonymous)
        return anonymous

    async def _look_up(self, credential: Credential, ask: Ask[Caller], nobody: Caller) -> Caller:
        """Return the caller of a credential; `nobody` if the credential is not valid.

        A person over the limit is not looked up, because the rate limits refuse the request anyway.
        A request whose look-up failed counts against the last known person of its credential:
        otherwise a client that overloads the stores could cause any number of look-ups.
        """
        lookups, person = (
            self._services.limits.lookups,
            self._services.limits.lookups.get_known_person(credential),
        )
        if person and self._is_over_limit(person):
            return Caller(person, doubt=AnonymousReason.UNKNOWN)
        over = self._is_over_limit(nobody.person)
        try:
            with use_stores_urgently():
                return (
                    await lookups.look_up(credential, nobody.person, ask, over_limit=over) or nobody
                )
        except UnavailableError:
            return Caller(person or nobody.person, doubt=AnonymousReason.UNKNOWN)
        except RateLimitedError:
            return Caller(nobody.person, doubt=AnonymousReason.THROTTLED)

    def _is_over_limit(self, person: str) -> bool:
        requests = self._services.limits.requests
        return requests is not None and requests.get_lease(person).is_over

    async def _find_key_caller(self, digest: str) -> Caller | None:
        holder = await self._services.accounts.directory.find_key_holder(
            digest, self._services.now()
        )
        return Caller(holder[0].public_id, *holder) if holder else None

    async def _find_session_caller(self, session_id: str) -> Caller | None:
        """Return the signed-in caller.

        A session without an account counts as anonymous: the account may have been deleted while
        Redis was unavailable.
        """
        session = await self._services.accounts.sessions.find(session_id)
        account = (
            await self._services.accounts.directory.get_account(session.person) if session else None
        )
        return (
            Caller(
                account.public_id,
                account,
                Access.SESSION,
                session.digest,
                operator_as=session.operator_as,
            )
            if session and account
            else None
        )
