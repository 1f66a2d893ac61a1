"""GET /articles for a person who is signed in: the shared answer as this person prefers it."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from attrs import frozen
from quart import request

from newsintel.domain.accounts.model import Access
from newsintel.domain.bounds.slices import Sliced
from newsintel.domain.personal.arrange import fill_parameters
from newsintel.domain.personal.preferences import Preferences
from newsintel.domain.search.harvest import Answer
from newsintel.errors import UnavailableError
from newsintel.http.bodies.personal_search import render_personal
from newsintel.http.bodies.search import View, render_in_slices
from newsintel.http.request.access import get_current_caller
from newsintel.http.services import Services


@frozen
class PersonalSearch:
    """How to answer a person who is signed in.

    Attributes:
        filled: values, from preferences, of parameters that the caller did not send.
        preferences: the preferences to apply; None = answer as for everybody.
        used: the preferences that these values come from.
        recorded: whether this search may go into the history.
    """

    filled: Mapping[str, Any]
    preferences: Preferences | None
    used: tuple[str, ...]
    recorded: bool

    def render_in_slices(self, answer: Answer, view: View) -> Sliced[dict[str, Any]]:
        """Build the body of the answer as this person prefers it, in slices."""
        if self.preferences is None:
            return render_in_slices(answer, view)
        return render_personal(answer, view, self.preferences, self.used)


async def decide_personal(services: Services, *, personal_wanted: bool) -> PersonalSearch | None:
    """Decide how to answer the caller; None = the caller is not signed in.

    Searches with a session apply preferences unless `personal=0`; searches with an API key only
    with `personal=1`, because a program means what it asks for. If the preferences cannot be read,
    the search is answered without them, and not recorded, since the person may have forbidden it.
    """
    asking = get_current_caller()
    if asking.account is None:
        return None
    try:
        kept = await services.personal.preferences.get_preferences(asking.account.id)
    except UnavailableError:
        services.count("preferences_away")
        return PersonalSearch({}, None, (), recorded=False)
    named = _read_written_parameters()
    if not personal_wanted or (asking.access is not Access.SESSION and "personal" not in named):
        return PersonalSearch({}, None, (), recorded=kept.record_history)
    filled, used = fill_parameters(named, kept)
    return PersonalSearch(filled, kept, used, recorded=kept.record_history)


def _read_written_parameters() -> dict[str, str]:
    """Return the query string's parameters as the caller wrote them."""
    return dict(parse_qsl(request.query_string.decode("ascii"), keep_blank_values=True))
