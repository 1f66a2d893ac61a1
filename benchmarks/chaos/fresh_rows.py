"""Upstreams whose news keeps arriving: some rows of each answer are pages that nobody has seen.

Without them, each article is in many answers, and one that is lost is archived with the next.
"""

from collections.abc import Callable
from itertools import count
from random import Random
from typing import Any

import orjson
from attrs import define, evolve

from newsintel.demo.api import Api
from newsintel.demo.wire import Reply, Request

SHARE = 0.05
"""Share of the rows of an answer that are new."""


@define
class FreshApi:
    """An API that gives some rows addresses of their own.

    Args:
        api: the API.
        random: chooses the rows.
        numbers: makes the addresses unique.
    """

    api: Api
    random: Random
    numbers: "count[int]"

    def answer_request(self, request: Request, *, limited: bool) -> Reply:
        """Return the API's answer with some new rows."""
        reply = self.api.answer_request(request, limited=limited)
        if reply.status != 200 or request.method != "GET":
            return reply
        answer = orjson.loads(reply.body)
        for row in _list_rows(answer):
            if self.random.random() < SHARE:
                _renew(row, f"-{next(self.numbers)}")
        return evolve(reply, body=orjson.dumps(answer))

    def build_refusal(self, status: int) -> Reply:
        """Return the API's own refusal."""
        return self.api.build_refusal(status)

    def reset(self) -> None:
        """Reset the API."""
        self.api.reset()


def make_wrapper(random: Random) -> Callable[[Api], Api]:
    """Return a function that makes an API a FreshApi."""
    numbers = count()
    return lambda api: FreshApi(api, random, numbers)


def _list_rows(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the rows of NewsAPI or the Guardian; Reddit's stay as they are."""
    inner: dict[str, Any] = answer.get("response") or answer
    rows: list[dict[str, Any]] = inner.get("articles") or inner.get("results") or []
    return rows


def _renew(row: dict[str, Any], suffix: str) -> None:
    for name in ("url", "webUrl", "id"):
        if row.get(name):
            page, mark, query = row[name].partition("?")
            row[name] = f"{page}{suffix}{mark}{query}"
