"""Delete a person's searches and everything that could reveal them.

Both clearing the history and deleting the account do this.
"""

from datetime import datetime, timedelta

from newsintel.domain.accounts.model import Account
from newsintel.errors import UnavailableError
from newsintel.http.response.shared_answers import build_cache_key
from newsintel.http.routes.searches import list_cached_trends
from newsintel.http.services import Services
from newsintel.runtime.telemetry.logs import get_logger

log = get_logger(__name__)


async def forget_searches(services: Services, account: Account, until: datetime) -> None:
    """Forget an account's searches up to a moment.

    This covers the history, the counts, and the harvests that no other account asked for. If Redis
    is unavailable, that is logged: its entries expire after CACHE_TTL_S + CACHE_STALE_S. Another
    process may send lists of trends from its memory for some seconds more.

    Raises:
        UnavailableError: PostgreSQL is unavailable. Some searches may be forgotten; a second call
            forgets the rest.
    """
    windows = services.search.windows
    since = services.now() - timedelta(seconds=windows.ttl_s + windows.stale_s)
    lone = await services.personal.own_history.find_lone_keys(account.id, since)
    # The history is first: after this, no search up to that moment is recorded any more.
    await services.personal.own_history.clear(account.id, until)
    services.intelligence.marking.forget(account.public_id)
    await services.intelligence.search_marks.forget_person(
        services.intelligence.marking.make_marks_finder(account.public_id)
    )
    try:
        await services.search.harvests.delete_answers(lone)
        await services.search.bytes_cache.delete_keys(
            [build_cache_key(*one) for one in list_cached_trends()]
        )
    except UnavailableError as error:
        log.warning("searches_left_to_lapse", account=account.public_id, reason=str(error))
    services.search.kept.clear()
