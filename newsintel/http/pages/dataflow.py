"""Draws the dataflow of `newsintel.app` with its state: who sends to whom, and what waits where.

The drawing has one node for each actor that `app` starts, and for what they read and write. A test
compares the two.
"""

from collections.abc import Iterator, Mapping

from attrs import frozen

from newsintel.domain.operations.overview import Overview, SourceHealth
from newsintel.http.pages.wording import describe_status, format_bytes, format_seconds, name_source
from newsintel.runtime.heartbeats import SILENT_S

BOX_WIDTH, BOX_HEIGHT = 136, 40
"""Of a node, in the drawing's own units."""
COLUMN_WIDTH, ROW_HEIGHT = 172, 52
MARGIN = 6
COLUMNS = 6
BUSY_FILL, FULL_FILL = 0.5, 0.9
"""From which part of its room a queue is shown as busy, and as full."""

UPKEEP = (
    *("grouper", "indexer", "term_counter", "trend_writer", "save_counter", "janitor"),
    *("matcher", "deliverer", "latency_writer", "drainer"),
)
"""The actors that work by the clock, from the top."""
SINKS = ("cache_writer", "persister", "recorder")
OPTIONAL = ("poller", "gdelt_reader")
"""The actors that read what no search asks for; each runs only if its source is on."""
POSTGRESQL, REDIS, SPOOL = "PostgreSQL", "Redis", "spool"


@frozen
class Node:
    """A box of the drawing.

    Attributes:
        name: what it shows.
        state: its numbers in words; may be empty.
        mood: `busy`, `bad` or "" (as it should be).
        column: from the left, 0 to COLUMNS - 1.
        row: from the top.
    """

    name: str
    state: str
    mood: str
    column: int
    row: float

    @property
    def x(self) -> int:
        """Of its left edge."""
        return MARGIN + self.column * COLUMN_WIDTH

    @property
    def y(self) -> float:
        """Of its upper edge."""
        return MARGIN + self.row * ROW_HEIGHT


@frozen
class Drawing:
    """The graph.

    Attributes:
        nodes: by their keys.
        edges: the key of the sender, the key of the receiver, and the path's `d` in SVG.
        width: of the drawing.
        height: of the drawing.
    """

    nodes: Mapping[str, Node]
    edges: tuple[tuple[str, str, str], ...]
    width: int
    height: int


def draw_dataflow(seen: Overview) -> Drawing:
    """Draw the service as one reading of its metrics shows it."""
    nodes = _place_nodes(seen)
    edges = tuple(
        (sender, receiver, _draw_edge(nodes[sender], nodes[receiver]))
        for sender, receiver in _list_edges(seen)
        if sender in nodes and receiver in nodes
    )
    rows = max(node.row for node in nodes.values()) + 1
    height = round(2 * MARGIN + (rows - 1) * ROW_HEIGHT + BOX_HEIGHT)
    width = 2 * MARGIN + (COLUMNS - 1) * COLUMN_WIDTH + BOX_WIDTH
    return Drawing(nodes, edges, width, height)


def _place_nodes(seen: Overview) -> dict[str, Node]:
    """Callers are at the left, the stores and what works on them by the clock at the right."""
    count = max(len(seen.sources), 1)
    middle = (count - 1) / 2
    requests = f"{seen.totals['connections']} connected"
    desk = f"{seen.totals['flights']} running"
    nodes = {
        "callers": Node("HTTP, commands", requests, "", 0, middle),
        "desk": Node("desk", desk, "", 1, middle),
        "merger": _describe_actor(seen, "merger", "merger", 2, middle),
    }
    for row, (name, source) in enumerate(seen.sources.items()):
        nodes[f"fetcher({name})"] = Node(
            f"fetch {name_source(name)}",
            _describe_source(source),
            _judge_source(source),
            3,
            row,
        )
    for row, name in enumerate(SINKS):
        nodes[name] = _describe_actor(seen, name, name, 3, count + row)
    for row, name in enumerate(OPTIONAL):
        if name in seen.silence_s:
            nodes[name] = _describe_actor(seen, name, name, 1, count + 1 + row)
    for row, name in enumerate(UPKEEP):
        nodes[name] = _describe_actor(seen, name, name, 5, row)
    return nodes | _place_stores(seen, count)


def _place_stores(seen: Overview, count: int) -> dict[str, Node]:
    used, spooled = seen.slots_used, sum(seen.spooled_bytes.values())
    broken = seen.redis_breaker_open
    redis = "not asked: no answer" if broken else f"{used.get(REDIS, 0)} in use"
    return {
        REDIS: Node(REDIS, redis, "bad" if broken else "", 4, count),
        POSTGRESQL: Node(POSTGRESQL, f"{used.get(POSTGRESQL, 0)} in use", "", 4, count + 1),
        SPOOL: Node(SPOOL, format_bytes(spooled), "busy" if spooled else "", 4, count + 2),
    }


def _describe_actor(seen: Overview, name: str, title: str, column: int, row: float) -> Node:
    queue, silence_s = seen.queues.get(name), seen.silence_s.get(name, 0.0)
    if silence_s > SILENT_S:
        return Node(title, f"stuck for {format_seconds(silence_s)}", "bad", column, row)
    if queue is None:
        return Node(title, "", "", column, row)
    full = "bad" if queue.fill >= FULL_FILL else "busy" if queue.fill >= BUSY_FILL else ""
    waits = f"{queue.waiting} of {queue.room} wait"
    return Node(title, waits, full, column, row)


def _describe_source(source: SourceHealth) -> str:
    if source.blocked:
        return describe_status(source.blocked[0])
    if source.slowest_ms is None:
        return f"deadline {source.deadline_ms:.0f} ms"
    return f"{source.slowest_ms:.0f} of {source.deadline_ms:.0f} ms"


def _judge_source(source: SourceHealth) -> str:
    if source.blocked:
        return "bad"
    late = source.slowest_ms is not None and source.slowest_ms >= source.deadline_ms
    return "busy" if late else ""


def _list_edges(seen: Overview) -> Iterator[tuple[str, str]]:
    """Yield sender and receiver of what flows, as `newsintel.app` shows it."""
    yield from (("callers", "desk"), ("desk", "merger"))
    for name in seen.sources:
        yield "merger", f"fetcher({name})"
    yield from (("merger", "cache_writer"), ("merger", "persister"), ("callers", "recorder"))
    yield from (("cache_writer", REDIS), ("persister", POSTGRESQL), ("recorder", POSTGRESQL))
    yield from (("persister", SPOOL), ("recorder", SPOOL), (SPOOL, "drainer"))
    yield from (("poller", "persister"), ("gdelt_reader", POSTGRESQL))
    yield from ((POSTGRESQL, name) for name in UPKEEP if name not in ("latency_writer", "drainer"))
    yield from ((REDIS, "latency_writer"), (POSTGRESQL, "drainer"))


def _draw_edge(sender: Node, receiver: Node) -> str:
    """Return a curve from the right edge of a node to the left edge of another."""
    x, y = sender.x + BOX_WIDTH, sender.y + BOX_HEIGHT / 2
    end_x, end_y = receiver.x, receiver.y + BOX_HEIGHT / 2
    bend = (end_x - x) / 2
    return f"M{x:g} {y:g}C{x + bend:g} {y:g} {end_x - bend:g} {end_y:g} {end_x:g} {end_y:g}"
