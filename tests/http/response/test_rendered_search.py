"""A finished answer: its header lines at every moment, by every way to a caller, for everybody and for one person."""

from datetime import timedelta

import httpx
import pytest
from attrs import evolve

from newsintel.domain.search.freshness import Windows
from newsintel.domain.search.harvest import Via
from newsintel.domain.search.outcome import HeldFrom, Status
from newsintel.http.application import create_app
from newsintel.http.bodies.search import View
from newsintel.http.response.rendered_search import Privacy, render_search
from tests.http.world import NOW, Desk, World, answer, outcome, stale
from tests.make import query

WINDOWS = Windows(ttl_s=300, revalidate_s=60, stale_s=3600, partial_s=30)
PATH = "/articles?q=flood&limit=2"


def rendered(found=None, privacy=Privacy.EVERYBODY, tag="t"):
    """An answer, finished."""
    body = {"total": 3, "articles": []}
    return render_search(query(), found or answer(query()), body, View(), tag=tag, privacy=privacy, windows=WINDOWS, link="<l>")


def lines_of(finished, after_s=0.0, via="hit"):
    """Its header lines so long after it was fetched, each name once."""
    lines = finished.lines(NOW.timestamp() + after_s, via)
    assert len(dict(lines)) == len(lines)
    return dict(lines)


def test_times_are_told_in_whole_seconds():
    """Age and what is left are rounded down, and never below zero where a header cannot be."""
    headers = lines_of(rendered(), 299.5)
    moving = {b"age": b"299", b"x-accel-expires": b"0", b"cache-status": b"newsintel; hit; ttl=0", b"server-timing": b"cache"}
    assert headers.items() > moving.items()
    assert (lines_of(rendered(), 341.5)[b"cache-status"], lines_of(rendered(), 341.5)[b"x-accel-expires"]) == (
        b"newsintel; hit; ttl=-42",
        b"0",
    )


def test_a_clock_that_went_back_makes_no_answer_younger_than_new():
    """Nor fresh for longer than its whole life."""
    headers = lines_of(rendered(), -5.0)
    assert (headers[b"age"], headers[b"x-accel-expires"], headers[b"cache-status"]) == (b"0", b"300", b"newsintel; hit; ttl=300")


@pytest.mark.parametrize(
    ("via", "found", "status"),
    [
        (Via.MISS, answer(query()), b"newsintel; fwd=miss"),
        (Via.COLLAPSED, answer(query()), b"newsintel; fwd=miss; collapsed"),
        (Via.COLLAPSED, stale(query(), Status.TIMEOUT), b"newsintel; fwd=stale; fwd-status=504"),
        (Via.HIT, answer(query()), b"newsintel; hit; ttl=300"),
        (Via.REVALIDATED, answer(query()), b"newsintel; hit; ttl=300"),
    ],
)
def test_one_answer_says_by_which_way_it_came(via, found, status):
    """A member and its text alike, since the hit path has only the text."""
    for way in (via, via.value):
        headers = lines_of(rendered(found), via=way)
        assert headers[b"cache-status"] == status
        assert (headers[b"server-timing"] == b"cache") is (via in (Via.HIT, Via.REVALIDATED))


@pytest.mark.parametrize(
    ("privacy", "tag", "control", "accel"),
    [
        (Privacy.EVERYBODY, "t", b"public, max-age=300, stale-while-revalidate=60, stale-if-error=3600", b"300"),
        (Privacy.HELD_BACK, "t", b"private, no-cache", b"0"),
        (Privacy.PERSON, None, b"private, no-store", None),
    ],
)
def test_privacy_says_who_may_keep_it(privacy, tag, control, accel):
    """Everything else is the same."""
    headers = lines_of(rendered(privacy=privacy, tag=tag))
    assert (headers.pop(b"cache-control"), headers.pop(b"x-accel-expires", None)) == (control, accel)
    assert headers.pop(b"etag", None) == (b'W/"t"' if tag else None)
    shared = lines_of(rendered())
    assert headers.items() < shared.items()


def test_privacy_of_an_answer():
    """One that a source held back from the person is nobody else's."""
    held = outcome(Status.QUOTA_EXHAUSTED, "newsapi", held_back=HeldFrom.PERSON)
    assert Privacy.of(answer(query())) is Privacy.EVERYBODY
    assert Privacy.of(answer(query(), held, outcome())) is Privacy.HELD_BACK
    assert Privacy.of(evolve(stale(query()), refused=(held,))) is Privacy.HELD_BACK


@pytest.mark.parametrize("more", [{}, {"if-none-match": "*"}], ids=["200", "304"])
@pytest.mark.parametrize("after_s", [-5.0, 0.0, 28.5])
async def test_hit_path_and_route_say_the_same(more, after_s):
    """Status, bytes and every header, of a 304 too, wherever the clock stands."""
    found = []
    for warm in (True, False):
        world = World(desk=Desk(via=Via.HIT))
        app = create_app(world.services)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
            if warm:
                await client.get(PATH)
            world.now = NOW + timedelta(seconds=after_s)
            response = await client.get(PATH, headers=more)
        assert len(world.desk.asked) == 1
        told = {name: value for name, value in response.headers.items() if name not in ("x-request-id", "date")}
        found.append((response.status_code, response.content, told))
    assert found[0] == found[1]
