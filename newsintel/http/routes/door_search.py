"""A search that a door of another API asks for: the same search as that of GET /articles.

The door translates its own parameters before, and makes its own body after. The flight, the limits,
the privacy and the history are those of every search.
"""

from collections.abc import Awaitable, Callable

from quart import Response, request

from newsintel.domain.search.harvest import Answer
from newsintel.http.bodies.formats import Content
from newsintel.http.response.cache_headers import classify_reply, hash_body
from newsintel.http.response.conditional import respond_unless_held
from newsintel.http.response.rendered_search import Privacy, render_search
from newsintel.http.routes.articles import answer_failed
from newsintel.http.routes.finished_search import describe_failure, record_search
from newsintel.http.routes.search_request import SearchRequest
from newsintel.http.services import Services

MakeBody = Callable[[Answer], Awaitable[tuple[int, Content]]]
"""Makes the number of all results, and the body that shows some of them."""


async def answer_search(services: Services, asked: SearchRequest, make: MakeBody) -> Response:
    """Answer a search, and record it unless the person does not want this.

    Args:
        services: have the desk.
        asked: what is searched, and for whom.
        make: makes the body.
    """
    reply = await services.search.desk.search(asked.query, asked.caller)
    services.count("searches", via=classify_reply(reply))
    if reply.answer.failed:
        return answer_failed(await describe_failure(services, asked, reply.answer))
    total, content = await make(reply.answer)
    shared = asked.person is None and request.method != "POST"
    rendered = render_search(
        asked.query,
        reply.answer,
        {"total": total},
        asked.view,
        tag=hash_body(content.data) if shared else None,
        privacy=Privacy.PERSON if asked.person else Privacy.of_answer(reply.answer),
        windows=services.search.windows,
        link=None,
        content=content,
    )
    lines = rendered.build_headers(services.now().timestamp(), reply.via)
    response = respond_unless_held(rendered.body, lines, rendered.tag)
    if request.method != "HEAD" and response.status_code != 304:
        record_search(services, asked, rendered)
    return response
