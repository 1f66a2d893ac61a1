"""Pages that are the same for everybody who is not signed in: kept in memory for some seconds."""

from collections.abc import Awaitable, Callable

from quart import Response, request

from newsintel.http.pages.rendering import CONTENT_POLICY, HTML
from newsintel.http.request.access import get_current_caller
from newsintel.http.response.html_page import allow_page_parts, answer_page
from newsintel.http.response.kept_answer import KeptAnswer
from newsintel.http.response.kept_response import answer_kept, pack_once
from newsintel.http.services import Services


async def answer_kept_page(
    services: Services, make: Callable[[], Awaitable[bytes]], keep_s: int
) -> Response:
    """Answer the current request with a page; the hit path answers the next ones.

    A person who is signed in gets a page of their own, which nothing keeps.

    Args:
        services: has the clock, and the memory.
        make: returns the page.
        keep_s: for how long caches may keep it.
    """
    body = await make()
    if get_current_caller().signed_in:
        return answer_page(body)
    now_s = services.now().timestamp()
    kept = KeptAnswer.of_body(
        body,
        request.scope["state"]["route"],
        now_s,
        keep_s=keep_s,
        age_s=0.0,
        media_type=HTML,
        policy=CONTENT_POLICY,
    )
    kept = await pack_once(services, kept)
    allow_page_parts()
    return await answer_kept(services, kept, now_s, hit=False)
