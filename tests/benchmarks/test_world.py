"""The simulated upstreams of the benchmarks: they do each search once."""

from benchmarks.world import CachingApi
from newsintel.demo.wire import Reply, Request


class _Api:
    """Records its requests."""

    def __init__(self) -> None:
        self.asked: list[Request] = []

    def answer_request(self, request: Request, *, limited: bool) -> Reply:
        self.asked.append(request)
        return Reply.json(200, [len(self.asked), limited])

    def build_refusal(self, status: int) -> Reply:
        return Reply(status)

    def reset(self) -> None:
        self.asked.clear()


def _search(q: str, **headers: str) -> Request:
    return Request("GET", "/search", {"q": q}, headers)


def test_queries_that_differ_in_their_mark_share_a_reply():
    """Queries that differ only in their mark get the same reply, in both spellings of NOT.

    Other queries get their own.
    """
    api = _Api()
    remembering = CachingApi(api)
    first = remembering.answer_request(_search("climate NOT zq1"), limited=False)
    assert remembering.answer_request(_search("climate NOT zq27"), limited=False) is first
    assert remembering.answer_request(_search("climate AND NOT zq3"), limited=False) is first
    assert remembering.answer_request(_search("energy NOT zq1"), limited=False) is not first
    assert (
        remembering.answer_request(_search("climate NOT zq1", authorization="other"), limited=False)
        is not first
    )
    assert len(api.asked) == 3


def test_post_is_always_passed_on():
    """A POST, such as a token request, is never answered from the cache; `reset` clears it."""
    api = _Api()
    remembering = CachingApi(api)
    for _ in range(2):
        remembering.answer_request(Request("POST", "/token"), limited=False)
    assert len(api.asked) == 2
    remembering.answer_request(_search("climate"), limited=False)
    remembering.reset()
    remembering.answer_request(_search("climate"), limited=False)
    assert len(api.asked) == 1
