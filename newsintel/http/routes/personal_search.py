"""GET /articles for somebody who is signed in: the shared answer, seen as this person prefers, and kept by nobody."""

import math
from urllib.parse import parse_qsl

from attrs import frozen
from quart import Response, request

from newsintel.domain.accounts.model import Access
from newsintel.domain.intelligence.searched import searched
from newsintel.domain.operations.source_notice import noticed
from newsintel.domain.personal.arrange import fill
from newsintel.domain.personal.preferences import Preferences
from newsintel.domain.search.codec import to_json
from newsintel.domain.search.freshness import Windows
from newsintel.domain.search.harvest import Reply
from newsintel.domain.search.query_model import Query
from newsintel.errors import UnavailableError
from newsintel.http.bodies.personal_search import render
from newsintel.http.bodies.search import LAST_PAGE, View, rendering
from newsintel.http.request.access import caller
from newsintel.http.request.query_string import Given
from newsintel.http.response.cache_headers import VARY, cache_status, next_link, server_timing, span
from newsintel.http.services import Services
from newsintel.runtime.turns import in_turns


@frozen
class Personal:
    """How somebody who is signed in is to be answered.

    Attributes:
        given: the request's values, with preferences where the caller wrote none.
        preferences: those to heed; None = the answer is everybody's.
        filled: the preferences that stood in for absent parameters.
        recorded: whether this search may go into the history.
    """

    given: Given
    preferences: Preferences | None
    filled: tuple[str, ...]
    recorded: bool


async def personal(services: Services, given: Given) -> Personal | None:
    """Decide how to answer the caller; None = like everybody, for nobody is signed in.

    A session's searches heed preferences unless told not to, a key's only if told to: a program means what it asks for. Where preferences
    cannot be read the search is answered without them, and not recorded, since the person may have said not to.
    """
    asking = caller()
    if asking.account is None:
        return None
    try:
        kept = await services.personal.preferences.heeded(asking.account.id)
    except UnavailableError:
        services.count("preferences_away")
        return Personal(given, None, (), recorded=False)
    named = _written()
    if given["personal"] == "0" or (asking.access is not Access.SESSION and "personal" not in named):
        return Personal(given, None, (), recorded=kept.record_history)
    filled, used = fill(given, named, kept)
    return Personal(filled, kept, used, recorded=kept.record_history)


async def respond(services: Services, person: Personal, query: Query, reply: Reply, view: View) -> Response:
    """Answer with a person's view, and offer the search to the history."""
    answer, now = reply.answer, services.now()
    body = await in_turns(
        rendering(answer, view) if person.preferences is None else render(answer, view, person.preferences, person.filled)
    )
    headers = _headers(services, reply)
    if body["has_more"] and view.page < LAST_PAGE:
        headers["Link"] = next_link(services.settings.public_url, _written(), view.page)
    if person.recorded and view.page == 1 and request.method == "GET":
        services.personal.recording.offer(caller(), searched(query, answer, body["total"]), now)
    return Response(to_json(body | noticed(services.settings)), headers=headers, content_type="application/json")


def _written() -> dict[str, str]:
    """The query string's parameters as the caller wrote them."""
    return dict(parse_qsl(request.query_string.decode("ascii"), keep_blank_values=True))


def _headers(services: Services, reply: Reply) -> dict[str, str]:
    """Where the answer came from, as for everybody; no entity tag, for nobody may keep what it would name."""
    fresh = span(reply.answer, Windows.of(services.settings), services.now())
    return {
        "Age": str(math.floor(fresh.age_s)),
        "Cache-Control": "private, no-store",
        "Cache-Status": cache_status(reply, fresh),
        "Server-Timing": server_timing(reply),
        "Vary": VARY,
    }
