"""Reddit's token endpoint on www.reddit.com, and the check of the User-Agent.

It issues the application's own tokens and people's tokens.
"""

import base64
import re
from collections.abc import Mapping
from urllib.parse import parse_qsl

from attrs import define, field

from newsintel.demo.api import Clocks
from newsintel.demo.limits import CallWindow
from newsintel.demo.reddit_people import RedditPeople
from newsintel.demo.wire import Reply, Request

CLIENT_ID = "demo-client-id"
CLIENT_SECRET = "demo-client-secret"  # noqa: S105 - opens nothing but this simulation
USER_AGENT = "server:newsintel.demo:v1 (by /u/newsintel_demo)"
"""In the form that Reddit requires."""
EXPIRES_IN_S = 86_400
"""Reddit's value since April 2022; 3,600 before."""
CALLS_PER_WINDOW = 300
WINDOW_S = 600
_LIBRARY_AGENT = re.compile(r"(python|curl|go-http|java|okhttp|mozilla)", re.IGNORECASE)
_PAGE = (
    "<!doctype html>\n"
    "<html><head><title>Too Many Requests</title></head>\n"
    "<body><h1>whoa there, pardner!</h1><p>we're sorry, but you appear to be a bot "
    "and we've seen too many requests from you lately.</p></body>\n"
    "</html>"
)
NO_PASSWORD = {
    "error": "unauthorized_client",
    "error_description": "Only script apps may use password auth",
}
AUTHORIZE_PATHS = frozenset({"/api/v1/authorize", "/api/v1/authorize.compact"})


def build_too_many(*, page: bool = False) -> Reply:
    """Return Reddit's 429: an HTML page with Retry-After, or JSON without it. Reddit sends both."""
    if page:
        return Reply.html(429, _PAGE).with_headers({"Retry-After": "4"})
    return Reply.json(429, {"message": "Too Many Requests", "error": 429})


def is_library_agent(request: Request) -> bool:
    """Return whether the User-Agent is missing, a library's default or a browser's.

    Reddit throttles such callers; this simulation refuses them.
    """
    agent = request.headers.get("user-agent", "")
    return not agent or _LIBRARY_AGENT.match(agent) is not None


@define
class RedditTokens:
    """The token endpoint and the tokens that it issued."""

    clocks: Clocks
    window: CallWindow = field(init=False)
    people: RedditPeople = field(factory=lambda: RedditPeople(CLIENT_ID))
    _expiry: dict[str, float] = field(factory=dict)
    _usernames: dict[str, str] = field(factory=dict)
    _issued: int = 0

    def __attrs_post_init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Reset the quota and revoke every token."""
        self.window = CallWindow(CALLS_PER_WINDOW, WINDOW_S)
        self._expiry.clear()
        self._usernames.clear()
        self.people.reset()

    def find_username(self, authorization: str) -> str | None:
        """Return the user name of a valid token; None for the application's own token."""
        return self._usernames.get(authorization.partition(" ")[2])

    def is_valid(self, authorization: str) -> bool:
        """Return whether the header has a token that was issued here and has not expired."""
        scheme, _, token = authorization.partition(" ")
        return scheme.lower() == "bearer" and self._expiry.get(token, 0.0) > self.clocks.monotonic()

    def build_refusal(self, status: int) -> Reply:
        """Return a refusal in the endpoint's own form."""
        if status == 401:
            return Reply.json(
                401,
                {"message": "Unauthorized", "error": 401},
                WWW_Authenticate='Basic realm="reddit"',
            )
        return build_too_many() if status == 429 else Reply(status)

    def answer_request(self, request: Request, *, limited: bool) -> Reply:
        """Issue a token, or refuse as Reddit does, mostly with status 200."""
        at = self.clocks.monotonic()
        if request.path in AUTHORIZE_PATHS and request.method in ("GET", "HEAD", "POST"):
            return self.people.answer_authorize(request, at)
        if (
            request.path not in ("/api/v1/access_token", "/api/v1/revoke_token")
            or request.method != "POST"
        ):
            return Reply.json(404, {"message": "Not Found", "error": 404})
        if is_library_agent(request) or (limited and self.window.is_full(at)):
            return build_too_many()
        if _parse_credentials(request.headers.get("authorization", "")) != (
            CLIENT_ID,
            CLIENT_SECRET,
        ):
            return self.build_refusal(401)
        self.window.take(at)
        form = dict(parse_qsl(request.body.decode("latin-1")))
        reply = (
            self._revoke_token(form)
            if request.path.endswith("revoke_token")
            else self._grant_token(form, at)
        )
        used = self.window.count_used(at)
        left = {
            "x-ratelimit-used": str(used),
            "x-ratelimit-remaining": str(max(0, CALLS_PER_WINDOW - used)),
        }
        return reply.with_headers(
            left | {"x-ratelimit-reset": str(self.window.compute_reset_s(at))}
        )

    def _grant_token(self, form: Mapping[str, str], at: float) -> Reply:
        """Answer a grant request. An invalid code gets an error with status 200."""
        match form.get("grant_type"):
            case "client_credentials":
                return self._issue_token(at)
            case "authorization_code":
                allowed = self.people.redeem_code(form, at)
                return (
                    self._issue_token(at, *allowed)
                    if allowed
                    else Reply.json(200, {"error": "invalid_grant"})
                )
            case "password":
                return Reply.json(200, NO_PASSWORD)
        return Reply.json(200, {"error": "unsupported_grant_type"})

    def _revoke_token(self, form: Mapping[str, str]) -> Reply:
        """Revoke a token; a refresh token with its access tokens. Unknown tokens get a 200 too."""
        token = form.get("token", "")
        user = self.people.revoke_token(token)
        for one in [
            one for one, username in self._usernames.items() if one == token or username == user
        ]:
            del self._usernames[one], self._expiry[one]
        self._expiry.pop(token, None)
        return Reply(200)

    def _issue_token(
        self,
        at: float,
        username: str | None = None,
        scope: str = "*",
        refresh_token: str | None = None,
    ) -> Reply:
        """Issue a new token. It is long, like Reddit's."""
        self._issued += 1
        token = f"demo-token-{self._issued}-" + "x" * 200
        self._expiry[token] = at + EXPIRES_IN_S
        if username is not None:
            self._usernames[token] = username
        given = {
            "access_token": token,
            "token_type": "bearer",
            "expires_in": EXPIRES_IN_S,
            "scope": scope,
        }
        return Reply.json(200, given | ({"refresh_token": refresh_token} if refresh_token else {}))


def _parse_credentials(authorization: str) -> tuple[str, ...]:
    """Return user and password of a Basic header; () for any other header."""
    scheme, _, encoded = authorization.partition(" ")
    try:
        decoded = base64.b64decode(encoded, validate=True).decode()
    except ValueError:
        return ()
    return tuple(decoded.split(":", 1)) if scheme.lower() == "basic" else ()
