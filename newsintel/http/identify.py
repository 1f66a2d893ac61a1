"""Finds out whose a request is, before anything else is done for it: the limits further in count per person."""

import trio

from newsintel.account_model import Access, Caller, Doubt
from newsintel.errors import UnavailableError
from newsintel.http.callers import client_address
from newsintel.http.credentials import KEY, SESSION_ID, bearer, cookie, session_cookie
from newsintel.http.envelope import Asgi, Receive, Scope, Send
from newsintel.http.services import Services
from newsintel.keys import digest

LONGEST_S = 0.5
"""A store that takes longer to say who is asking counts as away. Redis answers or fails in 0.25 s; a frozen PostgreSQL would take 2 s."""

NOT_ASKED = frozenset({"/health", "/health/ready", "/metrics"})
"""What these answer is anybody's, and must not depend on a store. The metrics' token, in the same header as a key, is their own matter."""

SHOWS = (b"authorization", b"cookie")
"""The headers that may say whose a request is."""


def _shows(scope: Scope) -> bool:
    """Whether a request shows anything that might say whose it is; most do not, and cost no more than this look."""
    for name, _ in scope["headers"]:  # noqa: SIM110 - a generator takes twice as long, for every request
        if name in SHOWS:
            return True
    return False


class Identify:
    """ASGI middleware: leaves the request's Caller in `scope["state"]["caller"]`."""

    def __init__(self, app: Asgi, services: Services) -> None:
        self._app = app
        self._services = services
        self._cookie = session_cookie(services.settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http":
            services = self._services
            address = client_address(scope, services.settings.trusted_proxies)
            anonymous = Caller(services.persons.person(address, services.now()))
            known = await self._known(scope, anonymous.person) if _shows(scope) and scope["path"] not in NOT_ASKED else None
            scope["state"]["caller"] = known or anonymous
        await self._app(scope, receive, send)

    async def _known(self, scope: Scope, person: str) -> Caller | None:
        """Whoever the request's key or session stands for; None if it shows none that would be looked at."""
        shown = bearer(scope["headers"])
        session_id = cookie(scope["headers"], self._cookie) if shown is None else None
        with trio.move_on_after(LONGEST_S):
            try:
                if shown is not None:
                    return await self._by_key(shown, person)
                return await self._by_session(session_id) if session_id and SESSION_ID.fullmatch(session_id) else None
            except UnavailableError:
                pass
        return Caller(person, doubt=Doubt.UNKNOWN)

    async def _by_key(self, key: str, person: str) -> Caller:
        holder = await self._services.accounts.key_holder(digest(key), self._services.now()) if KEY.fullmatch(key) else None
        if holder is None:
            return Caller(person, doubt=Doubt.BAD_KEY)
        account, access = holder
        return Caller(account.public_id, account, access)

    async def _by_session(self, session_id: str) -> Caller | None:
        """Whoever is signed in. A session whose account is gone, deleted elsewhere while Redis was away, is nobody's."""
        session = await self._services.sessions.find(session_id)
        account = await self._services.accounts.account(session.user_id) if session else None
        return Caller(account.public_id, account, Access.SESSION, session.digest) if session and account else None
