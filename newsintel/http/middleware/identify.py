"""Identifies the caller of each request. The rate limits, which run next, count per person."""

from collections.abc import Awaitable, Callable
from functools import partial

from attrs import evolve

from newsintel.domain.accounts.model import Access, Caller, Doubt
from newsintel.domain.security.keys import digest
from newsintel.errors import RateLimitedError, UnavailableError
from newsintel.http.asgi import Asgi, Receive, Scope, Send
from newsintel.http.paths import HEALTH, METRICS, READY
from newsintel.http.request.client_address import client_address
from newsintel.http.request.credentials import KEY, SESSION_ID, bearer, cookie, session_cookie
from newsintel.http.services import Services
from newsintel.runtime.asker import ask_for, asking_urgently

NOT_ASKED = frozenset({HEALTH, READY, METRICS})
"""Paths whose callers are not identified: their responses must not depend on a store. The route of
/metrics itself checks its token, which uses the same header as a key."""

SHOWS = (b"authorization", b"cookie")
"""The headers that can identify a caller."""


def _shows(scope: Scope) -> bool:
    """Whether a request has a header that can identify its caller; most requests have none."""
    for name, _ in scope["headers"]:  # noqa: SIM110 - a generator takes twice as long
        if name in SHOWS:
            return True
    return False


class Identify:
    """ASGI middleware: stores the request's Caller in `scope["state"]["caller"]`."""

    def __init__(self, app: Asgi, services: Services) -> None:
        self._app = app
        self._services = services
        self._cookie = session_cookie(services.settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http":
            services = self._services
            address = client_address(scope, services.settings.trusted_proxies)
            anonymous = Caller(services.accounts.persons.person(address, services.now()))
            asked = _shows(scope) and scope["path"] not in NOT_ASKED
            caller = await self._caller(scope, anonymous) if asked else anonymous
            scope["state"]["caller"] = caller
            ask_for(None if scope["path"] in NOT_ASKED else caller.person)
        await self._app(scope, receive, send)

    async def _caller(self, scope: Scope, anonymous: Caller) -> Caller:
        """Return the caller of the request's key or session; without one, the anonymous caller."""
        key = bearer(scope["headers"])
        if key is not None:
            nobody = evolve(anonymous, doubt=Doubt.BAD_KEY)
            return await self._found(digest(key), self._by_key, nobody) if KEY.fullmatch(key) else nobody
        session_id = cookie(scope["headers"], self._cookie)
        if session_id and SESSION_ID.fullmatch(session_id):
            return await self._found(digest(session_id), partial(self._by_session, session_id), anonymous)
        return anonymous

    async def _found(self, credential: str, ask: Callable[[str], Awaitable[Caller | None]], nobody: Caller) -> Caller:
        """Return the caller of a credential; `nobody` if the credential is not valid.

        A person over the limit is not looked up, because the rate limits refuse the request anyway.
        A request whose look-up failed counts against the last known person of its credential:
        otherwise a client that overloads the stores could cause any number of look-ups.
        """
        lookups, person = self._services.limits.lookups, self._services.limits.lookups.person(credential)
        if person and self._over_limit(person):
            return Caller(person, doubt=Doubt.UNKNOWN)
        over = self._over_limit(nobody.person)
        try:
            with asking_urgently():
                return await lookups.look_up(credential, nobody.person, partial(ask, credential), over_limit=over) or nobody
        except UnavailableError:
            return Caller(person or nobody.person, doubt=Doubt.UNKNOWN)
        except RateLimitedError:
            return Caller(nobody.person, doubt=Doubt.THROTTLED)

    def _over_limit(self, person: str) -> bool:
        requests = self._services.limits.requests
        return requests is not None and requests.lease(person).over

    async def _by_key(self, credential: str) -> Caller | None:
        holder = await self._services.accounts.directory.key_holder(credential, self._services.now())
        return Caller(holder[0].public_id, *holder) if holder else None

    async def _by_session(self, session_id: str, _credential: str) -> Caller | None:
        """Return the signed-in caller.

        A session without an account counts as anonymous: the account may have been deleted while
        Redis was unavailable.
        """
        session = await self._services.accounts.sessions.find(session_id)
        account = await self._services.accounts.directory.account(session.user_id) if session else None
        return Caller(account.public_id, account, Access.SESSION, session.digest) if session and account else None
