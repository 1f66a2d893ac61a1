"""ClientLogin: a client sends an API key as the password, and gets it back as its credential.

So signing out is deleting the key, and nothing more is stored. A key is guessed no faster here than
in a header: both look-ups have the same limit.
"""

from hashlib import sha256

from attrs import frozen
from quart import Response

from newsintel.domain.accounts.model import Access, Caller
from newsintel.domain.security.keys import digest_secret
from newsintel.errors import DeniedError
from newsintel.http.paths import GREADER, READER_API
from newsintel.http.request.access import CHALLENGE, get_current_account, get_current_caller
from newsintel.http.request.credentials import KEY_PATTERN
from newsintel.http.request.query_kinds import free_text
from newsintel.http.request.query_string import Parameter
from newsintel.http.response.answers import answer_json
from newsintel.http.route import Method, Route
from newsintel.http.services import Services
from newsintel.runtime.limits.lookups import Credential, CredentialKind

TEXT = "text/plain; charset=utf-8"
TOKEN_CHARS = 57
"""The length of an action token, which some clients check."""

FORM = (
    Parameter("Email", free_text(), "Anything: the key says whose account it is.", ""),
    Parameter("Passwd", free_text(), "An API key.", required=True),
)


@frozen
class LoginParameters:
    """The values of ClientLogin."""

    Email: str
    Passwd: str


def build_routes() -> tuple[Route, ...]:
    """The routes of signing in."""
    return (
        Route(
            GREADER + "/accounts/ClientLogin",
            log_in,
            "Sign a client of Google Reader's API in, with an API key as the password",
            {200: None},
            method=Method.POST,
            form=FORM,
            foreign=True,
            problems=("not_ready", "rate_limited"),
        ),
        Route(
            READER_API + "/token",
            make_token,
            "A token that clients send with changes; no change needs it",
            {200: None},
            need=Access.READ,
            foreign=True,
        ),
        Route(
            READER_API + "/user-info",
            show_user,
            "The account, as Google Reader shows it",
            {200: {"type": "object"}},
            need=Access.READ,
            foreign=True,
        ),
    )


async def log_in(services: Services, given: LoginParameters) -> Response:
    """Answer with the key if it is valid, in the lines that clients look for."""
    key = given.Passwd.strip()
    if not KEY_PATTERN.fullmatch(key) or await _find_caller(services, key) is None:
        raise DeniedError("unauthenticated", "The password must be an API key.", CHALLENGE)
    return answer_text(f"SID={key}\nLSID=null\nAuth={key}\n")


async def _find_caller(services: Services, key: str) -> Caller | None:
    shown = Credential(CredentialKind.KEY, digest_secret(key))

    async def ask() -> Caller | None:
        holder = await services.accounts.directory.find_key_holder(shown.digest, services.now())
        return Caller(holder[0].public_id, *holder) if holder else None

    return await services.limits.lookups.look_up(shown, get_current_caller().person, ask)


async def make_token(_services: Services) -> Response:
    """Answer with a token. A request with a key cannot come from a page of another site."""
    account = get_current_account().public_id
    return answer_text(sha256(account.encode()).hexdigest()[:TOKEN_CHARS])


async def show_user(_services: Services) -> Response:
    """Answer with the account."""
    account = get_current_account()
    names = {"userName": account.username, "userEmail": ""}
    return answer_json({"userId": account.public_id, "userProfileId": account.public_id} | names)


def answer_text(text: str) -> Response:
    """Return a response in plain text."""
    return Response(text, content_type=TEXT)
