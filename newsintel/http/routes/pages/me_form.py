"""POST /me/page: the forms of the account's page, for browsers with and without scripts.

Each does what the API does with JSON, by the same functions, and shows the page again.
"""

from collections.abc import Awaitable, Callable

from attrs import asdict, frozen
from quart import Response

from newsintel.domain.accounts.model import Access
from newsintel.domain.accounts.sign_in import HOME_PATH, choose_return_path
from newsintel.domain.personal.model import FeedList
from newsintel.domain.search.query_model import Dedupe, Sort
from newsintel.errors import InvalidBodyError
from newsintel.http.request.access import check_access, get_current_account, get_current_caller
from newsintel.http.request.query_kinds import choice, free_text, limited_text
from newsintel.http.request.query_string import Parameter
from newsintel.http.response.redirects import answer_see_other
from newsintel.http.route import PAGE_MEDIA, Method, Route
from newsintel.http.routes import api_keys, auth, history, me, private_feeds, sessions
from newsintel.http.routes.ids import IdParameters
from newsintel.http.routes.pages.me_page import answer_account
from newsintel.http.routes.pages.preference_form import PREFERENCE_FIELDS, store_preferences
from newsintel.http.services import Services


@frozen
class MeFormParameters:
    """The values of POST /me/page."""

    do: str
    id: str | None
    name: str | None
    scope: Access | None
    shows: FeedList | None
    q: str | None
    username: str | None
    next: str | None
    language: str | None
    default_limit: int | None
    sort: Sort | None
    dedupe: Dedupe | None
    topics: str | None
    excluded_topics: str | None
    record_history: str | None


Do = Callable[[Services, MeFormParameters], Awaitable[Response]]


async def _sign_in(services: Services, given: MeFormParameters) -> Response:
    username = _require("username", given.username)
    response = await auth.sign_in_without_provider(services, auth.UsernameParameters(username))
    return _go_on(response, ".." + choose_return_path(given.next))


async def _sign_out(services: Services, _given: MeFormParameters) -> Response:
    return _go_on(await auth.sign_out(services), "../")


async def _create_key(services: Services, given: MeFormParameters) -> Response:
    scope = given.scope or Access.READ
    asked = api_keys.NewKeyParameters(_require("name", given.name), scope, None)
    made = await (await api_keys.create_key(services, asked)).get_json()
    return await answer_account(services, get_current_account(), key=made["key"])


async def _revoke_key(services: Services, given: MeFormParameters) -> Response:
    return _go_on(await api_keys.revoke_key(services, _read_id(given)))


async def _create_feed(services: Services, given: MeFormParameters) -> Response:
    shows, name = given.shows or FeedList.SAVED, _require("name", given.name)
    asked = private_feeds.NewFeedParameters(name, shows, given.q)
    made = await (await private_feeds.create_feed(services, asked)).get_json()
    return await answer_account(services, get_current_account(), feed_url=made["url"])


async def _revoke_feed(services: Services, given: MeFormParameters) -> Response:
    return _go_on(await private_feeds.revoke_feed(services, _read_id(given)))


async def _forget_search(services: Services, given: MeFormParameters) -> Response:
    return _go_on(await history.delete_search(services, _read_id(given)))


async def _clear_history(services: Services, _given: MeFormParameters) -> Response:
    return _go_on(await history.clear_history(services))


async def _end_session(services: Services, given: MeFormParameters) -> Response:
    return _go_on(await sessions.end_session(services, _read_id(given)))


async def _end_all_sessions(services: Services, _given: MeFormParameters) -> Response:
    return _go_on(await sessions.end_all_sessions(services), "../")


async def _set_preferences(services: Services, given: MeFormParameters) -> Response:
    await store_preferences(services, get_current_account(), asdict(given))
    return answer_see_other("page")


async def _delete_account(services: Services, given: MeFormParameters) -> Response:
    if given.username != get_current_account().username:
        raise InvalidBodyError(
            "username", "different", "username must be your own, to delete the account."
        )
    return _go_on(await me.delete_account(services), "../")


OWN: dict[str, Do] = {
    "create_key": _create_key,
    "revoke_key": _revoke_key,
    "create_feed": _create_feed,
    "revoke_feed": _revoke_feed,
    "forget_search": _forget_search,
    "clear_history": _clear_history,
    "end_session": _end_session,
    "end_all_sessions": _end_all_sessions,
    "set_preferences": _set_preferences,
    "delete_account": _delete_account,
}
"""What needs a session."""

PUBLIC: dict[str, Do] = {"sign_in": _sign_in, "sign_out": _sign_out}


def build_routes(services: Services) -> tuple[Route, ...]:
    """The route of the forms. Without the development sign-in, `sign_in` does not exist."""
    public = PUBLIC if auth.is_dev_sign_in_on(services.settings) else {"sign_out": _sign_out}
    return (
        Route(
            HOME_PATH,
            change_account,
            "The forms of the account's page",
            {200: None, 303: None},
            problems=(
                "not_found",
                "conflict",
                "not_ready",
                "not_invited",
                "session_required",
                "busy",
                "archive_timeout",
            ),
            method=Method.POST,
            form=(Parameter("do", choice(*OWN, *public), "What to do.", required=True), *_FIELDS),
            media=PAGE_MEDIA,
        ),
    )


_FIELDS = (
    Parameter("id", free_text(), "Of the key, feed, search or session."),
    Parameter("name", limited_text(100), "Of a new key or feed."),
    Parameter("scope", choice(Access.READ, Access.WRITE), "Of a new key."),
    Parameter("shows", choice(*FeedList), "Of a new feed."),
    Parameter("q", limited_text(256), "Of a new feed."),
    Parameter("username", limited_text(100), "To sign in as, or to confirm a deletion."),
    Parameter("next", free_text(), "Where to go after a sign-in, a path of this service."),
    *PREFERENCE_FIELDS,
)


async def change_account(services: Services, given: MeFormParameters) -> Response:
    """Do it, and show the page again."""
    if given.do in PUBLIC:
        return await PUBLIC[given.do](services, given)
    check_access(get_current_caller(), Access.SESSION)
    return await OWN[given.do](services, given)


def _require(name: str, value: str | None) -> str:
    if value is None:
        raise InvalidBodyError(name, "required", f"{name} is required")
    return value


def _read_id(given: MeFormParameters) -> IdParameters:
    return IdParameters(_require("id", given.id))


def _go_on(done: Response, location: str = "page") -> Response:
    """Return a response of the API, with its cookies, as a redirect."""
    response = answer_see_other(location)
    for value in done.headers.getlist("Set-Cookie"):
        response.headers.add("Set-Cookie", value)
    return response
