"""Requests to a sign-in provider, with a time limit; every failure becomes one of our exceptions.

A reply may contain a token or a code, so messages and log lines quote only short protocol words.
"""

import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import httpx
import trio

from newsintel.domain.accounts.model import Tokens
from newsintel.errors import InvalidParameterError, SignInUnavailableError
from newsintel.outbound.oauth.app_token import LONGEST_LIFE_S, has_usable_token
from newsintel.outbound.oauth.replies import get_error, is_sendable, read_object, read_pause_s
from newsintel.outbound.sources.refusals import DEFAULT_PAUSE_S
from newsintel.outbound.transport import FORESEEN, make_refusal
from newsintel.runtime.telemetry.logs import get_logger

log = get_logger(__name__)

ATTEMPT_S = 10.0
"""Time limit of one step with a provider; a person waits for it. httpx's own timeouts are off."""

EXCHANGE_STEP = "authorization_code"
"""The log's name for the exchange of a code: the name of the grant."""

_WORD = re.compile(r"[a-z_]{1,40}")


@asynccontextmanager
async def provider_step(label: str, ours: str) -> AsyncIterator[None]:
    """Raise SignInUnavailableError if a provider cannot be reached or takes longer than ATTEMPT_S.

    Args:
        label: the provider's name for people.
        ours: our current step, for the log.
    """
    try:
        with trio.fail_after(ATTEMPT_S):  # noqa: ASYNC100 - the caller's block awaits
            yield
    except FORESEEN as error:
        log.warning("provider_failed", provider=label, step=ours, detail=make_refusal(error).detail)
        raise SignInUnavailableError(f"{label} cannot be reached. Try again in a moment.") from None
    except trio.TooSlowError:
        log.warning(
            "provider_failed",
            provider=label,
            step=ours,
            detail=f"no answer within {ATTEMPT_S:.0f} s",
        )
        raise SignInUnavailableError(
            f"{label} takes too long to answer. Try again in a moment."
        ) from None


def read_json(label: str, ours: str, response: httpx.Response) -> dict[str, Any]:
    """Return the JSON object of a successful reply.

    Raises:
        SignInUnavailableError: the reply failed or has no JSON object.
    """
    body = read_object(response)
    if response.status_code == httpx.codes.OK and body is not None:
        return body
    raise log_failed_reply(
        label,
        ours,
        response,
        "no JSON object" if response.status_code == httpx.codes.OK else "refused",
    )


def log_failed_reply(
    label: str, ours: str, response: httpx.Response, what: str
) -> SignInUnavailableError:
    """Log an unusable reply with its status and return the exception for it."""
    log.warning(
        "provider_failed", provider=label, step=ours, http_status=response.status_code, detail=what
    )
    if response.status_code == httpx.codes.TOO_MANY_REQUESTS:
        return SignInUnavailableError(
            f"{label} limits our requests. Try again later.",
            read_pause_s(response) or DEFAULT_PAUSE_S,
        )
    return SignInUnavailableError(
        f"{label} did not answer as it should. "
        "Try again in a moment; if it persists, tell the operator."
    )


def check_token_reply(
    label: str,
    response: httpx.Response,
    *,
    good: Callable[[dict[str, Any]], bool] = has_usable_token,
) -> httpx.Response:
    """Check for authlib that a reply has a usable token; authlib would accept any JSON object.

    Reddit reports most errors with HTTP 200 and a body such as `{"error": "invalid_grant"}`.

    Args:
        label: the provider's name for people.
        response: the token endpoint's reply to an authorization code.
        good: whether a reply's JSON object contains what we requested.

    Raises:
        InvalidParameterError: the code was already used or has expired; names `code`.
        SignInUnavailableError: any other failure, also if our credentials were refused.
    """
    status, body = response.status_code, read_object(response)
    error = get_error(body)
    if error == "invalid_grant":
        raise InvalidParameterError(
            "code",
            "used",
            f"{label} no longer accepts this sign-in: "
            "it was used already, or has expired. Start again.",
        )
    if status == httpx.codes.OK and body is not None and error is None and good(body):
        return response
    if status == httpx.codes.OK and error is not None:
        what = (
            error
            if isinstance(error, str) and _WORD.fullmatch(error)
            else "an error with status 200"
        )
        raise log_failed_reply(label, EXCHANGE_STEP, response, what)
    raise log_failed_reply(
        label, EXCHANGE_STEP, response, "no usable token" if status == httpx.codes.OK else "refused"
    )


def check_login_reply(label: str, response: httpx.Response) -> httpx.Response:
    """Check a token reply for a sign-in with OpenID Connect, and return only the tokens we use.

    Providers describe the access token's kind and life differently (`"3599"`, 30, not at all). We
    do not store the token, so we ignore these members.
    """
    body = check_token_reply(
        label, response, good=lambda body: isinstance(body.get("id_token"), str)
    ).json()
    access_token = body.get("access_token")
    return httpx.Response(
        httpx.codes.OK,
        json={"id_token": body["id_token"]}
        | ({"access_token": access_token} if is_sendable(access_token) else {}),
    )


def tokens_of(reply: dict[str, Any], now: datetime) -> Tokens:
    """Return the tokens of a reply that passed `check_token_reply`.

    Args:
        reply: its expires_in counts from `now`. Reddit sends 3600 or 86400 s (recorded), so we use
            the number in the reply.
        now: the time of the request.
    """
    sent = reply.get("refresh_token")
    life = timedelta(seconds=min(float(reply["expires_in"]), LONGEST_LIFE_S))
    return Tokens(reply["access_token"], sent if is_sendable(sent) else None, now + life)
