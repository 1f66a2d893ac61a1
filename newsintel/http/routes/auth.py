"""Sign-in and sign-out.

/auth lists the ways to sign in. A provider's login route redirects the browser to the provider; its
callback route receives the browser when it returns.
"""

import re
import secrets
from functools import partial

from attrs import frozen
from quart import Response, request

from newsintel.config.settings import Settings
from newsintel.domain.accounts.model import Identity, Tokens
from newsintel.domain.accounts.sign_in import (
    check_invited,
    check_return,
    create_attempt,
    match_operator,
)
from newsintel.domain.security.keys import digest_secret
from newsintel.errors import DeniedError, InvalidParameterError, SignInUnavailableError
from newsintel.http.bodies.schemas.parts import ref
from newsintel.http.request.access import get_current_caller
from newsintel.http.request.json_body import Member
from newsintel.http.request.json_kinds import string
from newsintel.http.request.query_kinds import free_text
from newsintel.http.request.query_string import Parameter
from newsintel.http.response.answers import answer_empty, answer_json
from newsintel.http.response.browser_page import with_error_pages
from newsintel.http.response.cookies import (
    clear_leaving_cookie,
    clear_session_cookie,
    name_leaving_cookie,
    read_cookie,
    set_leaving_cookie,
    set_session_cookie,
)
from newsintel.http.response.redirects import answer_see_other
from newsintel.http.route import Method, Route
from newsintel.http.routes.store_failures import report_store_failure
from newsintel.http.services import Services
from newsintel.runtime.limits.lookups import Credential, CredentialKind
from newsintel.runtime.telemetry.logs import get_logger

log = get_logger(__name__)

ATTEMPT_S = 600
"""How long a browser may stay at the provider: as long as the sign-in attempt is stored."""
MAX_CLIENT_CHARS = 200

SIGNING = "Sign-in and sign-out are"
"""What a failure of a store makes unavailable."""

_EXPECTED_ERRORS = frozenset({"access_denied", "server_error", "temporarily_unavailable"})
"""Errors that a provider may return for a correct request."""

_ERROR_WORD = re.compile(r"[A-Za-z0-9_.-]{1,100}")
"""An `error` that is safe in the log."""

NEXT = Parameter(
    "next",
    free_text(),
    "Where to go afterwards, a path of this service; anything else leads to /me/page.",
)
RETURNED = (
    Parameter("state", free_text(), "The state that we sent to the provider."),
    Parameter("code", free_text(), "The provider's sign-in code."),
    Parameter("error", free_text(), "The provider's error, instead of a code."),
)
"""All are optional here, and may be any text, since the provider writes them: the callback checks
in order which ones are required."""
USERNAME = Member("username", string(1, 100), "The user name to sign in as.", required=True)


@frozen
class LoginParameters:
    """The values of GET /auth/{provider}/login."""

    next: str | None


@frozen
class CallbackParameters:
    """The values of GET /auth/{provider}/callback."""

    state: str | None
    code: str | None
    error: str | None


@frozen
class UsernameParameters:
    """The values of POST /auth/dev/login."""

    username: str


def build_routes(services: Services) -> tuple[Route, ...]:
    """The routes of sign-in and sign-out, including those of the configured providers."""
    found = [
        Route("/auth", list_providers, "How to sign in", {200: ref("Providers")}),
        Route(
            "/auth/logout",
            sign_out,
            "End the session of this browser",
            {204: None},
            method=Method.POST,
            problems=("not_ready",),
        ),
    ]
    for name, provider in services.accounts.providers.items():
        send, back = (
            with_error_pages(f"/auth/{name}/login", partial(view, name))
            for view in (begin_sign_in, finish_sign_in)
        )
        failing = ("not_ready", "not_invited")
        found += [
            Route(
                f"/auth/{name}/login",
                send,
                f"Go to {provider.label} to sign in",
                {303: None},
                takes=(NEXT,),
                problems=failing,
            ),
            Route(
                f"/auth/{name}/callback",
                back,
                "Come back",
                {303: None},
                takes=RETURNED,
                problems=failing,
                foreign=True,
            ),
        ]
    if is_dev_sign_in_on(services.settings):
        dev = partial(
            Route,
            "/auth/dev/login",
            sign_in_without_provider,
            "Sign in as anybody (development)",
            {204: None},
        )
        found.append(
            dev(method=Method.POST, body=(USERNAME,), problems=("not_ready", "not_invited"))
        )
    return tuple(found)


async def list_providers(services: Services) -> Response:
    """Answer with the ways to sign in."""
    return answer_json(
        {"providers": describe_providers(services)}, headers={"Cache-Control": "no-store"}
    )


def describe_providers(services: Services) -> list[dict[str, str]]:
    """Return the ways to sign in: name, label, method and path of each."""
    providers = [
        {"name": name, "label": provider.label, "method": "GET", "url": f"/auth/{name}/login"}
        for name, provider in services.accounts.providers.items()
    ]
    if is_dev_sign_in_on(services.settings):
        providers.append(
            {
                "name": "dev",
                "label": "Anybody (development)",
                "method": "POST",
                "url": "/auth/dev/login",
            }
        )
    return providers


async def begin_sign_in(name: str, services: Services, given: LoginParameters) -> Response:
    """Redirect the browser to a provider, with a cookie and a state that is valid once."""
    mark = secrets.token_urlsafe(32)
    attempt = create_attempt(name, mark, given.next)
    url = await services.accounts.providers[name].start_sign_in(attempt)
    with report_store_failure(SIGNING):
        await services.accounts.attempts.store(attempt)
    response = answer_see_other(url)
    set_leaving_cookie(response, services.settings, mark, ATTEMPT_S)
    return response


async def finish_sign_in(name: str, services: Services, given: CallbackParameters) -> Response:
    """Receive a browser from a provider.

    Checks the state first, then the provider's result, then whether the person may sign in.
    """
    try:
        return await _check_and_sign_in(name, services, given)
    except Exception as error:
        log.warning(
            "sign_in_failed", provider=name, reason=getattr(error, "code", type(error).__name__)
        )
        raise


async def _check_and_sign_in(name: str, services: Services, given: CallbackParameters) -> Response:
    if given.state is None:
        # Some providers omit the state in an error, against RFC 6749, 4.1.2.1. Then the error only
        # chooses the message.
        if given.error is not None:
            raise _build_refusal(services.accounts.providers[name].label, given.error)
        raise InvalidParameterError("state", "required", "state is required")
    with report_store_failure(SIGNING):
        attempt = await services.accounts.attempts.take(given.state)
    attempt = check_return(
        attempt, name, given.state, read_cookie(name_leaving_cookie(services.settings))
    )
    if given.error is not None:
        _log_refusal(services.accounts.providers[name].label, given.error)
        raise _build_refusal(services.accounts.providers[name].label, given.error)
    if given.code is None:
        raise InvalidParameterError("code", "required", "code is required")
    identity, tokens = await services.accounts.providers[name].finish_sign_in(given.code, attempt)
    check_invited(identity, services.settings.sign_in)
    response = answer_see_other(attempt.next)
    await _sign_in(services, response, identity, tokens)
    clear_leaving_cookie(response, services.settings)
    return response


async def sign_in_without_provider(services: Services, given: UsernameParameters) -> Response:
    """Sign in as the given user name, without a password (development only)."""
    name = given.username
    identity = Identity("dev", name, name, (f"dev:{name.lower()}",))
    check_invited(identity, services.settings.sign_in)
    response = answer_empty()
    await _sign_in(services, response, identity, None)
    return response


async def sign_out(services: Services) -> Response:
    """End the session if there is one, and remove the cookie."""
    who = get_current_caller()
    if who.doubt:
        raise SignInUnavailableError("Sign-out is not available right now. Try again in a moment.")
    if who.account and who.session:
        with report_store_failure(SIGNING):
            await services.accounts.sessions.end_session(who.account.public_id, who.session)
        log.info("signed_out", account=who.account.public_id)
    response = answer_empty()
    clear_session_cookie(response, services.settings)
    return response


async def _sign_in(
    services: Services, response: Response, identity: Identity, tokens: Tokens | None
) -> None:
    """Create or find the account, and start a session with a new id; the browser's old one ends."""
    with report_store_failure(SIGNING):
        account = await services.accounts.directory.sign_in(
            identity.provider, identity.subject, identity.username, services.now()
        )
        if tokens is not None:
            await services.accounts.links.store_tokens(account.id, identity.provider, tokens)
        before = get_current_caller()
        if before.account and before.session:
            await services.accounts.sessions.end_session(before.account.public_id, before.session)
        client = request.headers.get("User-Agent", "")[:MAX_CLIENT_CHARS]
        session_id = await services.accounts.sessions.start(
            account.public_id, client, match_operator(identity, services.settings.operators)
        )
    shown = Credential(CredentialKind.SESSION, digest_secret(session_id))
    services.limits.lookups.remember(shown, account.public_id)
    set_session_cookie(response, services.settings, session_id)
    log.info("signed_in", provider=identity.provider, account=account.public_id)


def _log_refusal(label: str, error: str) -> None:
    """Log that a provider rejects our requests.

    Only for a return with a valid state: anybody can forge one without.
    """
    if error not in _EXPECTED_ERRORS:
        log.error(
            "provider_refuses_us",
            provider=label,
            error=error if _ERROR_WORD.fullmatch(error) else "not a word",
        )


def _build_refusal(label: str, error: str) -> DeniedError | SignInUnavailableError:
    """Return our error for a provider's `error` (RFC 6749, 4.1.2.1).

    The person declined, our request was wrong, or the provider has a failure.
    """
    if error == "access_denied":
        return DeniedError(
            "unauthenticated", f"Access was denied at {label}. Start again if you want to sign in."
        )
    if error not in _EXPECTED_ERRORS:
        return SignInUnavailableError(
            f"{label} rejects the requests of this service. Tell the operator."
        )
    return SignInUnavailableError(f"{label} has a temporary failure. Try again in a moment.")


def is_dev_sign_in_on(settings: Settings) -> bool:
    """Whether anybody may sign in without a provider."""
    return settings.dev_sign_in and settings.sign_in != ("off",)
