"""Error pages for browsers during sign-in: the problem document as a small page with links."""

import html
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from quart import Response, request

from newsintel.domain.accounts.sign_in import HOME_PATH
from newsintel.http.request.accepting import is_preferred
from newsintel.http.response.errors import respond_to_error
from newsintel.http.services import Services

P = ParamSpec("P")
_View = Callable[Concatenate[Services, P], Awaitable[Response]]

PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>{title}</title>\
<meta name="viewport" content="width=device-width"></head>
<body>
<h1>{title}</h1>
<p>{detail}</p>
<p><a href="{again}">Try again</a> or go to <a href="{home}">your account</a>.</p>
<p><small>Request {request_id}</small></p>
</body>
</html>
"""
"""Without style or script: the content security policy of these responses allows neither."""


def with_error_pages(again: str, view: _View[P]) -> _View[P]:
    """Wrap a view so that its errors are pages for clients that prefer text/html.

    All other clients get problem+json. `again`: the path of the page's link to try again.
    """

    @wraps(view)
    async def landed(services: Services, /, *args: P.args, **kwargs: P.kwargs) -> Response:
        try:
            return await view(services, *args, **kwargs)
        except Exception as error:  # noqa: BLE001 - logged as everywhere; only the format differs
            response = respond_to_error(error)
            return (
                await _render_as_page(response, services.settings.public_url, again)
                if _prefers_html()
                else response
            )

    return landed


def _prefers_html() -> bool:
    return is_preferred(
        request.headers.get("Accept", ""),
        "text/html",
        "application/json",
        "application/problem+json",
    )


async def _render_as_page(response: Response, public_url: str, again: str) -> Response:
    problem = await response.get_json(force=True)
    text = {name: html.escape(str(problem[name])) for name in ("title", "detail", "request_id")}
    response.set_data(
        PAGE.format(
            **text, again=html.escape(public_url + again), home=html.escape(public_url + HOME_PATH)
        ).encode()
    )
    response.content_type = "text/html; charset=utf-8"
    # The page that opened this one, in another tab, cannot reach it (ASVS 5.0, 3.4.8).
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    return response
