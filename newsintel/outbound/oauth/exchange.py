"""One conversation with a provider, bounded and understood: every way in which it can go wrong becomes one of our own exceptions.

Nothing of a reply is ever repeated in a message or a log line but short words of the protocol: it may hold a token or a code.
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
from newsintel.outbound.oauth.app_token import LONGEST_LIFE_S, usable
from newsintel.outbound.oauth.replies import asked_pause_s, error_of, is_sendable, read_object
from newsintel.outbound.sources.refusals import DEFAULT_PAUSE_S
from newsintel.outbound.transport import FORESEEN, refusal
from newsintel.runtime.telemetry.logs import get_logger

log = get_logger(__name__)

ATTEMPT_S = 10.0
"""Bound on one step with a provider: a person waits for it. The only one: httpx has no timeout of its own here."""

STEP = "authorization_code"
"""What the log calls the exchange of a code, after the grant's name."""

_WORD = re.compile(r"[a-z_]{1,40}")


@asynccontextmanager
async def conversation(label: str, ours: str) -> AsyncIterator[None]:
    """Turn a provider's absence into a SignInUnavailableError, after ATTEMPT_S at the latest.

    Args:
        label: what people call the provider.
        ours: what we were doing, for the log.
    """
    try:
        with trio.fail_after(ATTEMPT_S):  # noqa: ASYNC100 - what takes time is in the caller's block
            yield
    except FORESEEN as error:
        log.warning("provider_failed", provider=label, step=ours, detail=refusal(error).detail)
        raise SignInUnavailableError(f"{label} cannot be reached. Try again in a moment.") from None
    except trio.TooSlowError:
        log.warning("provider_failed", provider=label, step=ours, detail=f"no answer within {ATTEMPT_S:.0f} s")
        raise SignInUnavailableError(f"{label} takes too long to answer. Try again in a moment.") from None


def read_json(label: str, ours: str, response: httpx.Response) -> dict[str, Any]:
    """The JSON object of a reply that went well.

    Raises:
        SignInUnavailableError: of any other.
    """
    body = read_object(response)
    if response.status_code == httpx.codes.OK and body is not None:
        return body
    raise away(label, ours, response, "no JSON object" if response.status_code == httpx.codes.OK else "refused")


def away(label: str, ours: str, response: httpx.Response, what: str) -> SignInUnavailableError:
    """The exception for a reply that is of no use, logged with its status."""
    log.warning("provider_failed", provider=label, step=ours, http_status=response.status_code, detail=what)
    if response.status_code == httpx.codes.TOO_MANY_REQUESTS:
        return SignInUnavailableError(f"{label} has too much to do. Try again later.", asked_pause_s(response) or DEFAULT_PAUSE_S)
    return SignInUnavailableError(f"{label} did not answer as it should. Try again in a moment; if it persists, tell the operator.")


def check_token_reply(label: str, response: httpx.Response, *, good: Callable[[dict[str, Any]], bool] = usable) -> httpx.Response:
    """Let nothing through but a usable token; for authlib, which would take any JSON object for one.

    Reddit reports most errors with HTTP 200 and `{"error": "invalid_grant"}`.

    Args:
        label: what people call the provider.
        response: of the token endpoint, to an authorization code.
        good: whether the JSON object of a reply holds what it was asked for.

    Raises:
        InvalidParameterError: the code was used before or has expired; names `code`.
        SignInUnavailableError: anything else, our own credentials included.
    """
    status, body = response.status_code, read_object(response)
    error = error_of(body)
    if error == "invalid_grant":
        raise InvalidParameterError(
            "code", "used", f"{label} no longer accepts this sign-in: it was used already, or has expired. Start again."
        )
    if status == httpx.codes.OK and body is not None and error is None and good(body):
        return response
    if status == httpx.codes.OK and error is not None:
        what = error if isinstance(error, str) and _WORD.fullmatch(error) else "an error with status 200"
        raise away(label, STEP, response, what)
    raise away(label, STEP, response, "no usable token" if status == httpx.codes.OK else "refused")


def check_login_reply(label: str, response: httpx.Response) -> httpx.Response:
    """The same for a sign-in with OpenID Connect, of which no token is kept: only what is used of the reply, and that is left.

    What providers say of the access token's kind and life differs (`"3599"`, 30, nothing at all), and nothing here follows from it.
    """
    body = check_token_reply(label, response, good=lambda body: isinstance(body.get("id_token"), str)).json()
    access_token = body.get("access_token")
    return httpx.Response(
        httpx.codes.OK, json={"id_token": body["id_token"]} | ({"access_token": access_token} if is_sendable(access_token) else {})
    )


def tokens_of(reply: dict[str, Any], now: datetime) -> Tokens:
    """The tokens of a reply that `check_token_reply` let through.

    Args:
        reply: expires_in counts from `now`; Reddit's is 3600 or 86400 s (recorded), so the number sent is the one that counts.
        now: the time at which it was asked for.
    """
    sent = reply.get("refresh_token")
    life = timedelta(seconds=min(float(reply["expires_in"]), LONGEST_LIFE_S))
    return Tokens(reply["access_token"], sent if is_sendable(sent) else None, now + life)
