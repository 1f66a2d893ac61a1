"""GET and POST /me/keys, DELETE /me/keys/{id}: keys with which programs act for an account.

A key is shown only once, when it is made.
"""

from datetime import datetime

from attrs import frozen
from quart import Response
from werkzeug.exceptions import Conflict, NotFound

from newsintel.domain.accounts.model import MOST_KEYS, Access, ApiKey
from newsintel.domain.security.keys import digest, new_api_key
from newsintel.domain.text.moments import rfc3339
from newsintel.errors import InvalidBodyError
from newsintel.http.bodies.schemas import ref
from newsintel.http.request.access import account
from newsintel.http.request.json_body import Member
from newsintel.http.request.json_kinds import moment, or_null, string, word
from newsintel.http.response.answers import answer_empty, answer_json
from newsintel.http.route import Method, Route
from newsintel.http.routes.ids import API_KEY, IdParameters
from newsintel.http.services import Services
from newsintel.runtime.telemetry.logs import get_logger

log = get_logger(__name__)

BODY = (
    Member("name", string(1, 100), "A name for your own use.", required=True),
    Member("scope", word(Access.READ, Access.WRITE), "read: what GET answers; write: also saves, preferences, history.", required=True),
    Member("expires_at", or_null(moment()), "When it expires, before the year 2200; null or absent: never.", None),
)


@frozen
class NewKeyParameters:
    """The values of POST /me/keys."""

    name: str
    scope: Access
    expires_at: datetime | None


def routes() -> tuple[Route, ...]:
    """The routes of API keys."""
    return (
        Route("/me/keys", listed, "Your API keys", {200: ref("Keys")}, need=Access.SESSION),
        Route(
            "/me/keys",
            make,
            "Make an API key",
            {201: ref("NewKey")},
            method=Method.POST,
            need=Access.SESSION,
            body=BODY,
            problems=("conflict",),
        ),
        Route(
            "/me/keys/{id}",
            revoke,
            "End an API key",
            {204: None},
            in_path={"id": API_KEY},
            method=Method.DELETE,
            need=Access.SESSION,
            problems=("not_found",),
        ),
    )


async def listed(services: Services) -> Response:
    """Answer with the account's keys, the newest first."""
    keys = [row(key) for key in await services.accounts.api_keys.of_user(account().id)]
    return answer_json({"keys": keys})


async def make(services: Services, given: NewKeyParameters) -> Response:
    """Make a key of 256 random bits. Only this response shows it."""
    now = services.now()
    if given.expires_at is not None and given.expires_at <= now:
        raise InvalidBodyError("expires_at", "past", "expires_at must lie in the future")
    secret = new_api_key()
    asked = ApiKey("", given.name, given.scope, now, given.expires_at, None)
    key = await services.accounts.api_keys.make(account().id, asked, digest(secret), MOST_KEYS)
    if key is None:
        raise Conflict(f"You already have {MOST_KEYS} keys. End one first.")
    services.limits.lookups.know(digest(secret), account().public_id)
    log.info("key_made", account=account().public_id, key=key.public_id)
    return answer_json(row(key) | {"key": secret}, status=201)


async def revoke(services: Services, given: IdParameters) -> Response:
    """End a key: in every process, the next request with it is a 401."""
    if not await services.accounts.api_keys.revoke(account().id, given.id):
        raise NotFound("You have no key with this id.")
    log.info("key_revoked", account=account().public_id, key=given.id)
    return answer_empty()


def row(key: ApiKey) -> dict[str, object]:
    """Return a key's data as its owner sees it, without the key itself."""
    return {
        "id": key.public_id,
        "name": key.name,
        "scope": key.access,
        "created_at": rfc3339(key.created_at),
        "expires_at": rfc3339(key.expires_at) if key.expires_at else None,
        "last_used_at": rfc3339(key.last_used_at) if key.last_used_at else None,
    }
