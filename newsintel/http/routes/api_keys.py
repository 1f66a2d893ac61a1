"""GET and POST /me/keys, DELETE /me/keys/{id}: keys with which programs act for an account.

A key is shown only once, when it is made.
"""

from datetime import datetime

from attrs import frozen
from quart import Response
from werkzeug.exceptions import Conflict, NotFound

from newsintel.domain.accounts.model import MOST_KEYS, Access, ApiKey
from newsintel.domain.security.keys import create_api_key, digest_secret
from newsintel.domain.text.moments import format_time
from newsintel.errors import InvalidBodyError
from newsintel.http.bodies.schemas.parts import ref
from newsintel.http.request.access import get_current_account
from newsintel.http.request.json_body import Member
from newsintel.http.request.json_kinds import choice, date_time, name, nullable
from newsintel.http.response.answers import answer_empty, answer_json
from newsintel.http.route import Method, Route
from newsintel.http.routes.ids import API_KEY, IdParameters
from newsintel.http.services import Services
from newsintel.runtime.limits.lookups import Credential, CredentialKind
from newsintel.runtime.telemetry.logs import get_logger

log = get_logger(__name__)

BODY = (
    Member("name", name(100), "A name for your own use.", required=True),
    Member(
        "scope",
        choice(Access.READ, Access.WRITE),
        "read: what GET answers; write: also saves, preferences, history.",
        required=True,
    ),
    Member(
        "expires_at",
        nullable(date_time()),
        "When it expires, before the year 2200; null or absent: never.",
        None,
    ),
)


@frozen
class NewKeyParameters:
    """The values of POST /me/keys."""

    name: str
    scope: Access
    expires_at: datetime | None


def build_routes() -> tuple[Route, ...]:
    """The routes of API keys."""
    return (
        Route("/me/keys", list_keys, "Your API keys", {200: ref("Keys")}, need=Access.SESSION),
        Route(
            "/me/keys",
            create_key,
            "Make an API key",
            {201: ref("NewKey")},
            method=Method.POST,
            need=Access.SESSION,
            body=BODY,
            problems=("conflict",),
        ),
        Route(
            "/me/keys/{id}",
            revoke_key,
            "End an API key",
            {204: None},
            in_path={"id": API_KEY},
            method=Method.DELETE,
            need=Access.SESSION,
            problems=("not_found",),
        ),
    )


async def list_keys(services: Services) -> Response:
    """Answer with the account's keys, the newest first."""
    keys = [
        build_key_row(key)
        for key in await services.accounts.api_keys.list_of_user(get_current_account().id)
    ]
    return answer_json({"keys": keys})


async def create_key(services: Services, given: NewKeyParameters) -> Response:
    """Make a key of 256 random bits. Only this response shows it."""
    now = services.now()
    if given.expires_at is not None and given.expires_at <= now:
        raise InvalidBodyError("expires_at", "past", "expires_at must lie in the future")
    secret = create_api_key()
    asked = ApiKey("", given.name, given.scope, now, given.expires_at, None)
    key = await services.accounts.api_keys.create(
        get_current_account().id, asked, digest_secret(secret), MOST_KEYS
    )
    if key is None:
        raise Conflict(f"You already have {MOST_KEYS} keys. End one first.")
    shown = Credential(CredentialKind.KEY, digest_secret(secret))
    services.limits.lookups.remember(shown, get_current_account().public_id)
    log.info("key_made", account=get_current_account().public_id, key=key.public_id)
    return answer_json(build_key_row(key) | {"key": secret}, status=201)


async def revoke_key(services: Services, given: IdParameters) -> Response:
    """End a key: in every process, the next request with it is a 401."""
    if not await services.accounts.api_keys.revoke(get_current_account().id, given.id):
        raise NotFound("You have no key with this id.")
    log.info("key_revoked", account=get_current_account().public_id, key=given.id)
    return answer_empty()


def build_key_row(key: ApiKey) -> dict[str, object]:
    """Return a key's data as its owner sees it, without the key itself."""
    return {
        "id": key.public_id,
        "name": key.name,
        "scope": key.access,
        "created_at": format_time(key.created_at),
        "expires_at": format_time(key.expires_at) if key.expires_at else None,
        "last_used_at": format_time(key.last_used_at) if key.last_used_at else None,
    }
