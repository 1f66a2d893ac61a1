"""/me/searches: searches that come to a person. Everything of somebody else is a 404.

The secrets of webhooks and feeds are shown once, in the answer that made them.
"""

from collections.abc import Sequence
from typing import Any

from attrs import define, evolve, frozen
from quart import Response
from werkzeug.exceptions import Conflict, NotFound

from newsintel.domain.accounts.model import Access
from newsintel.domain.alerts.digests import Every
from newsintel.domain.alerts.model import NewChannel, SavedSearch, SearchDraft, WatchedQuery
from newsintel.domain.alerts.watched import tidy_watched
from newsintel.errors import InvalidBodyError, InvalidParameterError
from newsintel.http.bodies.alerts import (
    build_matches_body,
    build_preview_body,
    build_saved_search,
)
from newsintel.http.bodies.schemas.parts import ref
from newsintel.http.request.access import get_current_account
from newsintel.http.request.alert_members import CHANGES, NEW_SEARCH, PREVIEWED, WantedChannel
from newsintel.http.request.json_body import LEFT_OUT, LeftOut
from newsintel.http.response.answers import answer_empty, answer_json
from newsintel.http.route import Method, Route
from newsintel.http.routes.archive import check_sources
from newsintel.http.routes.ids import SAVED_SEARCH, IdParameters
from newsintel.http.routes.new_channels import (
    NewSecrets,
    confirm_channels,
    get_address,
    make_channels,
    show_secrets,
)
from newsintel.http.routes.paging import PAGING, PagingParameters, read_cursor, write_cursor
from newsintel.http.services import Services
from newsintel.runtime.telemetry.logs import get_logger

log = get_logger(__name__)

UNKNOWN = "You have no saved search with this id."


@frozen
class NewSearchParameters:
    """The values of POST /me/searches."""

    name: str
    query: WatchedQuery
    deliver: tuple[WantedChannel, ...]
    every: Every
    time_zone: str
    later_members: bool


@frozen
class ChangeParameters(IdParameters):
    """The values of PATCH /me/searches/{id}."""

    name: str | LeftOut
    query: WatchedQuery | LeftOut
    deliver: tuple[WantedChannel, ...] | LeftOut
    every: Every | LeftOut
    time_zone: str | LeftOut
    later_members: bool | LeftOut
    paused: bool | LeftOut


@frozen
class PreviewParameters:
    """The values of POST /me/searches/preview."""

    query: WatchedQuery


@frozen
class MatchesParameters(PagingParameters):
    """The values of GET /me/searches/{id}/matches."""

    id: str


def build_routes() -> tuple[Route, ...]:
    """The routes of saved searches."""
    away = ("busy", "archive_timeout")
    one = ("not_found", *away)
    return (
        Route(
            "/me/searches",
            list_searches,
            "Your saved searches, and whether their alerts arrive",
            {200: ref("SavedSearches")},
            need=Access.READ,
            problems=away,
        ),
        Route(
            "/me/searches",
            create_search,
            "Save a search that alerts",
            {201: ref("NewSavedSearch")},
            method=Method.POST,
            need=Access.WRITE,
            body=NEW_SEARCH,
            problems=("conflict", *away),
        ),
        Route(
            "/me/searches/preview",
            preview_search,
            "What a search would have brought in the last 30 days, each story once",
            {200: ref("Preview")},
            method=Method.POST,
            need=Access.READ,
            body=PREVIEWED,
            problems=away,
        ),
        Route(
            "/me/searches/{id}",
            get_search,
            "A saved search",
            {200: ref("SavedSearch")},
            need=Access.READ,
            in_path={"id": SAVED_SEARCH},
            problems=one,
        ),
        Route(
            "/me/searches/{id}",
            change_search,
            "Change, pause or resume a saved search; absent members stay",
            {200: ref("NewSavedSearch")},
            method=Method.PATCH,
            need=Access.WRITE,
            body=CHANGES,
            in_path={"id": SAVED_SEARCH},
            problems=one,
        ),
        Route(
            "/me/searches/{id}",
            delete_search,
            "Delete a saved search, its matches and its deliveries",
            {204: None},
            method=Method.DELETE,
            need=Access.WRITE,
            in_path={"id": SAVED_SEARCH},
            problems=one,
        ),
        Route(
            "/me/searches/{id}/matches",
            list_matches,
            "The stories that a saved search matched, the latest first",
            {200: ref("Matches")},
            need=Access.READ,
            takes=PAGING,
            in_path={"id": SAVED_SEARCH},
            problems=one,
        ),
    )


async def list_searches(services: Services) -> Response:
    """Answer with the account's searches, the newest first."""
    found = await services.alerts.searches.list_of_user(get_current_account().id)
    return answer_json({"searches": [build_saved_search(search) for search in found]})


async def get_search(services: Services, given: IdParameters) -> Response:
    """Answer with one search."""
    return answer_json(build_saved_search(await _find(services, given.id)))


async def create_search(services: Services, given: NewSearchParameters) -> Response:
    """Save a search. Only this response shows the secrets of its channels."""
    account, most = get_current_account(), services.settings.alerts_per_person
    query = await _check_query(services, given.query)
    secrets = make_channels(services, given.deliver)
    draft = SearchDraft(
        given.name,
        query,
        given.every,
        given.time_zone,
        later_members=given.later_members,
    )
    try:
        made = await services.alerts.searches.create(
            account.id, draft, secrets.channels, most, services.now()
        )
    except InvalidParameterError as error:
        raise _blame_query(error) from None
    if made is None:
        raise Conflict(f"You already have {most} saved searches. Delete one first.")
    await confirm_channels(services, made, secrets)
    log.info("search_saved", account=account.public_id, search=made.public_id)
    return answer_json(show_secrets(made, secrets), status=201)


@define
class _Change:
    """A change of a search, made from what the search is at the moment of the change.

    Attributes:
        given: the new values; the query is checked.
        secrets: all channels that it shall have; None = those it has. Afterwards only the new ones
            have secrets.
    """

    _given: ChangeParameters
    secrets: NewSecrets | None

    def revise(self, old: SavedSearch) -> tuple[SearchDraft, Sequence[NewChannel] | None]:
        """Return the new values and channels."""
        given = self._given
        draft = SearchDraft(
            old.name if given.name is LEFT_OUT else given.name,
            old.query if given.query is LEFT_OUT else given.query,
            old.every if given.every is LEFT_OUT else given.every,
            old.time_zone if given.time_zone is LEFT_OUT else given.time_zone,
            old.paused if given.paused is LEFT_OUT else given.paused,
            old.later_members if given.later_members is LEFT_OUT else given.later_members,
        )
        if self.secrets is None:
            return draft, None
        self.secrets = self.secrets.leave_out([get_address(one) for one in old.channels])
        return draft, self.secrets.channels


async def change_search(services: Services, given: ChangeParameters) -> Response:
    """Store what is given."""
    account, _ = get_current_account(), await _find(services, given.id)
    if not isinstance(given.query, LeftOut):
        given = evolve(given, query=await _check_query(services, given.query))
    deliver = given.deliver
    change = _Change(given, None if deliver is LEFT_OUT else make_channels(services, deliver))
    try:
        changed = await services.alerts.searches.change(
            account.id, given.id, change.revise, services.now()
        )
    except InvalidParameterError as error:
        raise _blame_query(error) from None
    if changed is None:
        raise NotFound(UNKNOWN)
    if change.secrets is None:
        return answer_json(build_saved_search(changed))
    await confirm_channels(services, changed, change.secrets)
    return answer_json(show_secrets(changed, change.secrets))


async def delete_search(services: Services, given: IdParameters) -> Response:
    """Delete it: from now on nothing is matched or sent."""
    account = get_current_account()
    if not await services.alerts.searches.delete(account.id, given.id):
        raise NotFound(UNKNOWN)
    log.info("search_deleted", account=account.public_id, search=given.id)
    return answer_empty()


async def preview_search(services: Services, given: PreviewParameters) -> Response:
    """Answer with what the query would have brought."""
    return answer_json(await read_preview(services, given.query))


async def read_preview(services: Services, asked: WatchedQuery) -> dict[str, Any]:
    """Return the body of POST /me/searches/preview."""
    query = await _check_query(services, asked)
    try:
        preview = await services.alerts.searches.preview(query, services.now())
    except InvalidParameterError as error:
        raise _blame_query(error) from None
    return build_preview_body(preview)


async def list_matches(services: Services, given: MatchesParameters) -> Response:
    """Answer with a page of stories."""
    account, asked = get_current_account(), ("matches", given.id)
    after = read_cursor(services, given.cursor, account, *asked)
    page = await services.alerts.searches.list_matches(account.id, given.id, given.limit, after)
    if page is None:
        raise NotFound(UNKNOWN)
    cursor = write_cursor(services, page.next, account, *asked)
    return answer_json(build_matches_body(page.matches, cursor))


async def _find(services: Services, public_id: str) -> SavedSearch:
    found = await services.alerts.searches.find(get_current_account().id, public_id)
    if found is None:
        raise NotFound(UNKNOWN)
    return found


async def _check_query(services: Services, query: WatchedQuery) -> WatchedQuery:
    """Return the query in the form in which it is stored; refuse one that can find nothing."""
    try:
        tidied = tidy_watched(query, services.now())
        await check_sources(services, tidied.sources)
    except InvalidParameterError as error:
        raise _blame_query(error) from None
    return tidied


def _blame_query(error: InvalidParameterError) -> InvalidBodyError:
    return InvalidBodyError("query", error.code, error.message)
