"""What clearing one's searches and deleting the account have in common: a person's searches go, and all that could still tell of them."""

from datetime import datetime, timedelta

from newsintel.domain.accounts.model import Account
from newsintel.errors import UnavailableError
from newsintel.http.response.shared_answers import cache_key
from newsintel.http.routes.searches import kept_trends
from newsintel.http.services import Services
from newsintel.runtime.telemetry.logs import get_logger

log = get_logger(__name__)


async def forget_searches(services: Services, account: Account, until: datetime) -> None:
    """Forget an account's searches up to a moment: the history, what was counted of them, and harvests that nobody else has asked for.

    Raises:
        UnavailableError: PostgreSQL is away; some may be forgotten, and again does the rest. What Redis does not forget lapses within
            the hour and is logged.
    """
    windows = services.search.windows
    since = services.now() - timedelta(seconds=windows.ttl_s + windows.stale_s)
    lone = await services.personal.own_history.lone_keys(account.id, since)
    # First, for from now on nothing up to that moment is recorded any more.
    await services.personal.own_history.clear(account.id, until)
    services.intelligence.marking.forget(account.public_id)
    await services.intelligence.search_marks.forget(services.intelligence.marking.marks_of(account.public_id))
    try:
        await services.search.harvests.forget(lone)
        await services.search.bytes_cache.forget([cache_key(*one) for one in kept_trends()])
    except UnavailableError as error:
        log.warning("searches_left_to_lapse", account=account.public_id, reason=str(error))
