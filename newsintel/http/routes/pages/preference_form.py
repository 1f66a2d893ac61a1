"""The preferences in the forms of the account's page: each field becomes a preference."""

from collections.abc import Mapping
from typing import Any

from werkzeug.exceptions import Conflict

from newsintel.domain.accounts.model import Account
from newsintel.domain.personal.model import PutResult
from newsintel.domain.personal.preferences import check_preference
from newsintel.domain.search.query_model import Dedupe, Sort
from newsintel.http.request.query_kinds import choice, language_code, limited_text, whole_number
from newsintel.http.request.query_string import Parameter
from newsintel.http.services import Services

MAX_LIST_CHARS = 4096

PREFERENCE_FIELDS = (
    Parameter("language", language_code(), "Of articles; known others are left out."),
    Parameter("default_limit", whole_number(1, 100), "Stories on a page."),
    Parameter("sort", choice(*Sort), "The order."),
    Parameter("dedupe", choice(*Dedupe), "How alike two headlines must be."),
    Parameter("topics", limited_text(MAX_LIST_CHARS), "One a line; their stories come first."),
    Parameter("excluded_topics", limited_text(MAX_LIST_CHARS), "One a line; hidden."),
    Parameter("record_history", choice("0", "1"), "Whether searches go into the history."),
)


async def store_preferences(services: Services, account: Account, given: Mapping[str, Any]) -> None:
    """Store each preference of the form; an empty field removes it."""
    sources, now = tuple(services.settings.source), services.now()
    for name, value in _read_values(given).items():
        if value is None:
            await services.personal.preferences.delete(account.id, name)
            continue
        checked = check_preference(name, value, sources)
        done = await services.personal.preferences.put(account.id, name, checked, now)
        if done is PutResult.FULL:
            raise Conflict("You already have the maximum of preferences. Forget one first.")


def _read_values(given: Mapping[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {one.name: given[one.name] for one in PREFERENCE_FIELDS}
    for name in ("topics", "excluded_topics"):
        lines = (values[name] or "").splitlines()
        values[name] = [line.strip() for line in lines if line.strip()] or None
    return values | {"record_history": False if given["record_history"] == "0" else None}
