"""The drawn dataflow: it has what `app` starts, and shows where it is stuck."""

import re

import pytest
import trio
from attrs import evolve

from newsintel import app
from newsintel.domain.operations.overview import (
    PREFIXES,
    Overview,
    QueueState,
    SourceHealth,
    build_overview,
)
from newsintel.http.pages.dataflow import BOX_HEIGHT, BOX_WIDTH, draw_dataflow
from newsintel.http.pages.wording import format_bytes, format_seconds
from newsintel.outbound.sources import REGISTRY
from newsintel.runtime.telemetry.scraping import parse_samples
from tests.test_app import asked, settings, world  # noqa: F401
from tests.test_fault_cases import HANGS

GOOD = SourceHealth((), 70, 1000.0, 120.0, 480.0, {"ok": 4})
SEEN = Overview(
    workers=1,
    totals={"flights": 2, "connections": 5, "requests_waiting": 0},
    queues={"persister": QueueState(3, 512, 0.1), "merger": QueueState(0, 64, 0.0)},
    silence_s={"persister": 0.0, "poller": 0.0},
    sources={"guardian": GOOD, "reddit": GOOD},
    searches={},
    hit_ratio=None,
    slots_used={"PostgreSQL": 2},
    redis_breaker_open=False,
    spooled_bytes={"redis": 0},
)


def moods(drawing):
    """The nodes that do not look as they should."""
    return {key: node.mood for key, node in drawing.nodes.items() if node.mood}


async def test_it_has_every_actor_and_queue_of_the_service(
    world,  # noqa: F811
    autojump_clock,
):
    """Of the pipeline with every source on; each node has an edge."""
    async with app.open_pipeline(settings(), polls=True) as services:
        await trio.sleep(1)  # all actors are at work
        text = await services.operations.exposition()
    deadlines_s = dict.fromkeys(REGISTRY, 1.0)
    seen = build_overview(parse_samples(text, PREFIXES), deadlines_s)
    drawing = draw_dataflow(seen)
    assert set(seen.silence_s) == {*HANGS, *(f"fetcher({name})" for name in REGISTRY)}
    assert set(seen.silence_s) <= set(drawing.nodes)
    assert {re.sub(r"^fetcher (\w+)$", r"fetcher(\1)", name) for name in seen.queues} <= set(
        drawing.nodes
    )
    tied = {key for sender, receiver, _ in drawing.edges for key in (sender, receiver)}
    assert tied == set(drawing.nodes)


@pytest.mark.parametrize("count", [0, 1, 3, 12])
def test_no_two_boxes_overlap_and_all_are_inside(count):
    """However many sources there are."""
    drawing = draw_dataflow(
        evolve(SEEN, sources={f"source{number}": GOOD for number in range(count)})
    )
    boxes = [(node.x, node.y) for node in drawing.nodes.values()]
    for place, (x, y) in enumerate(boxes):
        assert 0 <= x <= drawing.width - BOX_WIDTH
        assert 0 <= y <= drawing.height - BOX_HEIGHT
        for other_x, other_y in boxes[place + 1 :]:
            assert abs(x - other_x) >= BOX_WIDTH or abs(y - other_y) >= BOX_HEIGHT


def test_all_is_well():
    """Nothing stands out; queues and times are in words."""
    drawing = draw_dataflow(SEEN)
    assert moods(drawing) == {}
    assert drawing.nodes["persister"].state == "3 of 512 wait"
    assert drawing.nodes["fetcher(guardian)"].state == "480 of 1000 ms"
    assert drawing.nodes["PostgreSQL"].state == "2 in use"
    assert "gdelt_reader" not in drawing.nodes


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"redis_breaker_open": True}, {"Redis": "bad"}),
        ({"spooled_bytes": {"redis": 5}}, {"spool": "busy"}),
        ({"silence_s": {"persister": 75.0}}, {"persister": "bad"}),
        ({"queues": {"persister": QueueState(300, 512, 2.0)}}, {"persister": "busy"}),
        ({"queues": {"persister": QueueState(512, 512, 2.0)}}, {"persister": "bad"}),
        (
            {"sources": {"reddit": evolve(GOOD, blocked=("circuit_open",))}},
            {"fetcher(reddit)": "bad"},
        ),
        ({"sources": {"reddit": evolve(GOOD, slowest_ms=1000.0)}}, {"fetcher(reddit)": "busy"}),
        ({"sources": {"reddit": evolve(GOOD, slowest_ms=None)}}, {}),
    ],
)
def test_what_goes_wrong_stands_out(change, expected):
    """A breaker, a full queue, a stuck actor, a source past its deadline."""
    assert moods(draw_dataflow(evolve(SEEN, **change))) == expected


def test_sizes_and_times_are_in_words():
    """With the unit that is easiest to read."""
    assert [format_bytes(size) for size in (0, 1023, 2048, 3 * 2**20, 5 * 2**30)] == [
        "0 bytes",
        "1023 bytes",
        "2.0 KiB",
        "3.0 MiB",
        "5.0 GiB",
    ]
    assert [format_seconds(s) for s in (0.42, 75.2, 600)] == ["0.4 s", "75 s", "10 min"]
