"""A rendered search answer: its header lines over time, by origin and by privacy."""

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
    """Return a rendered answer."""
    body = {"total": 3, "articles": []}
    return render_search(
        query(),
        found or answer(query()),
        body,
        View(),
        tag=tag,
        privacy=privacy,
        windows=WINDOWS,
        link="<l>",
    )


def lines_of(finished, after_s=0.0, via="hit"):
    """Return the header lines `after_s` seconds after the fetch; each name occurs once."""
    lines = finished.build_headers(NOW.timestamp() + after_s, via)
    assert len(dict(lines)) == len(lines)
    return dict(lines)


def test_times_are_rounded_down_to_whole_seconds():
    """The remaining time is never below zero in a header that cannot be negative."""
    headers = lines_of(rendered(), 299.5)
    moving = {
        b"age": b"299",
        b"x-accel-expires": b"0",
        b"cache-status": b"newsintel; hit; ttl=0",
        b"server-timing": b"cache",
    }
    assert headers.items() > moving.items()
    assert (
        lines_of(rendered(), 341.5)[b"cache-status"],
        lines_of(rendered(), 341.5)[b"x-accel-expires"],
    ) == (
        b"newsintel; hit; ttl=-42",
        b"0",
    )


def test_a_clock_set_back_gives_age_zero_and_full_freshness():
    """No answer is fresh for longer than its whole lifetime."""
    headers = lines_of(rendered(), -5.0)
    assert (headers[b"age"], headers[b"x-accel-expires"], headers[b"cache-status"]) == (
        b"0",
        b"300",
        b"newsintel; hit; ttl=300",
    )


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
def test_cache_status_says_how_the_answer_was_found(via, found, status):
    """The enum member and its text give the same lines, because the hit path has only the text."""
    for way in (via, via.value):
        headers = lines_of(rendered(found), via=way)
        assert headers[b"cache-status"] == status
        assert (headers[b"server-timing"] == b"cache") is (via in (Via.HIT, Via.REVALIDATED))


@pytest.mark.parametrize(
    ("privacy", "tag", "control", "accel"),
    [
        (
            Privacy.EVERYBODY,
            "t",
            b"public, max-age=300, stale-while-revalidate=60, stale-if-error=3600",
            b"300",
        ),
        (Privacy.HELD_BACK, "t", b"private, no-cache", b"0"),
        (Privacy.PERSON, None, b"private, no-store", None),
    ],
)
def test_privacy_decides_who_may_cache(privacy, tag, control, accel):
    """All other header lines are the same."""
    headers = lines_of(rendered(privacy=privacy, tag=tag))
    assert (headers.pop(b"cache-control"), headers.pop(b"x-accel-expires", None)) == (
        control,
        accel,
    )
    assert headers.pop(b"etag", None) == (b'W/"t"' if tag else None)
    shared = lines_of(rendered())
    assert headers.items() < shared.items()


def test_an_answer_held_back_from_a_person_is_private():
    """Other answers are for everybody."""
    held = outcome(Status.QUOTA_EXHAUSTED, "newsapi", held_back=HeldFrom.PERSON)
    assert Privacy.of_answer(answer(query())) is Privacy.EVERYBODY
    assert Privacy.of_answer(answer(query(), held, outcome())) is Privacy.HELD_BACK
    assert Privacy.of_answer(evolve(stale(query()), refused=(held,))) is Privacy.HELD_BACK


@pytest.mark.parametrize("more", [{}, {"if-none-match": "*"}], ids=["200", "304"])
@pytest.mark.parametrize("after_s", [-5.0, 0.0, 28.5])
async def test_hit_path_and_route_answer_alike(more, after_s):
    """Status, body and every header are equal, also of a 304 and at any time."""
    found = []
    for warm in (True, False):
        world = World(desk=Desk(via=Via.HIT))
        app = create_app(world.services)
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://localhost"
        ) as client:
            if warm:
                await client.get(PATH)
            world.now = NOW + timedelta(seconds=after_s)
            response = await client.get(PATH, headers=more)
        assert len(world.desk.asked) == 1
        told = {
            name: value
            for name, value in response.headers.items()
            if name not in ("x-request-id", "date")
        }
        found.append((response.status_code, response.content, told))
    assert found[0] == found[1]
