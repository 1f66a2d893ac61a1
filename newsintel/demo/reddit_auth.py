"""Reddit's token endpoint on www.reddit.com, for an application's own token (`client_credentials`), and who may call Reddit at all."""

import base64
import re
from urllib.parse import parse_qs

from attrs import define, field

from newsintel.demo.api import Clocks
from newsintel.demo.limits import Window
from newsintel.demo.wire import Reply, Request

CLIENT_ID = "demo-client-id"
CLIENT_SECRET = "demo-client-secret"  # noqa: S105 - opens nothing but this simulation
USER_AGENT = "server:newsintel.demo:v1 (by /u/newsintel_demo)"
"""One in the form that Reddit asks for."""
EXPIRES_IN_S = 86_400
"""What Reddit has sent since April 2022; 3,600 before."""
CALLS_PER_WINDOW = 300
WINDOW_S = 600
_LIBRARY_AGENT = re.compile(r"(python|curl|go-http|java|okhttp|mozilla)", re.IGNORECASE)
_PAGE = """<!doctype html>
<html><head><title>Too Many Requests</title></head>
<body><h1>whoa there, pardner!</h1><p>we're sorry, but you appear to be a bot and we've seen too many requests from you lately.</p></body>
</html>"""
GRANT_ERRORS = {
    "authorization_code": (200, {"error": "invalid_grant"}),
    "password": (200, {"error": "unauthorized_client", "error_description": "Only script apps may use password auth"}),
    "refresh_token": (400, {"message": "Bad Request", "error": 400}),
}
"""What the grants get that need a user: there are no users here."""


def too_many(*, page: bool = False) -> Reply:
    """Reddit's 429: as an HTML page with a Retry-After, or as JSON without one. Both were seen."""
    if page:
        return Reply.html(429, _PAGE).with_headers({"Retry-After": "4"})
    return Reply.json(429, {"message": "Too Many Requests", "error": 429})


def library_agent(request: Request) -> bool:
    """True if the User-Agent is missing, a library's default or a browser's: Reddit throttles all of them, here to nothing."""
    agent = request.headers.get("user-agent", "")
    return not agent or _LIBRARY_AGENT.match(agent) is not None


@define
class RedditTokens:
    """The token endpoint, and the memory of the tokens it gave."""

    clocks: Clocks
    window: Window = field(init=False)
    _expiry: dict[str, float] = field(factory=dict)
    _given: int = 0

    def __attrs_post_init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Start with the quota unused, and revoke every token."""
        self.window = Window(CALLS_PER_WINDOW, WINDOW_S)
        self._expiry.clear()

    def holds(self, authorization: str) -> bool:
        """True if the header carries a token that was given here and is still good."""
        scheme, _, token = authorization.partition(" ")
        return scheme.lower() == "bearer" and self._expiry.get(token, 0.0) > self.clocks.monotonic()

    def refusal(self, status: int) -> Reply:
        """A refusal in the endpoint's own form."""
        if status == 401:
            return Reply.json(401, {"message": "Unauthorized", "error": 401}, WWW_Authenticate='Basic realm="reddit"')
        return too_many() if status == 429 else Reply(status)

    def answer(self, request: Request, *, limited: bool) -> Reply:
        """Give a token, or refuse as Reddit does, which is mostly with status 200."""
        at = self.clocks.monotonic()
        if request.path != "/api/v1/access_token" or request.method != "POST":
            return Reply.json(404, {"message": "Not Found", "error": 404})
        if library_agent(request) or (limited and self.window.full(at)):
            return too_many()
        if _credentials(request.headers.get("authorization", "")) != (CLIENT_ID, CLIENT_SECRET):
            return self.refusal(401)
        self.window.take(at)
        grant = parse_qs(request.body.decode("latin-1")).get("grant_type", [""])[0]
        if grant == "client_credentials":
            reply = self._give(at)
        else:
            status, body = GRANT_ERRORS.get(grant, (200, {"error": "unsupported_grant_type"}))
            reply = Reply.json(status, body)
        used = self.window.used(at)
        left = {"x-ratelimit-used": str(used), "x-ratelimit-remaining": str(max(0, CALLS_PER_WINDOW - used))}
        return reply.with_headers(left | {"x-ratelimit-reset": str(self.window.resets_in(at))})

    def _give(self, at: float) -> Reply:
        """A new token. Long, as today's are."""
        self._given += 1
        token = f"demo-token-{self._given}-" + "x" * 200
        self._expiry[token] = at + EXPIRES_IN_S
        return Reply.json(200, {"access_token": token, "token_type": "bearer", "expires_in": EXPIRES_IN_S, "scope": "*"})


def _credentials(authorization: str) -> tuple[str, ...]:
    """User and password of a Basic header; () if it is none."""
    scheme, _, encoded = authorization.partition(" ")
    try:
        decoded = base64.b64decode(encoded, validate=True).decode()
    except ValueError:
        return ()
    return tuple(decoded.split(":", 1)) if scheme.lower() == "basic" else ()
