"""Invented and recorded replies for the source tests."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from newsintel.domain.search.query import build_query
from newsintel.domain.search.query_model import Query
from newsintel.outbound.sources.source import Response
from tests.shared import SHARED, load_json

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
QUERY = build_query("storm", sources=("newsapi", "guardian", "reddit"))


def query(**bounds: Any) -> Query:
    """A query for the same word within bounds."""
    return build_query("storm", sources=QUERY.sources, **bounds)


def reply(body: object, status: int = 200, **headers: str) -> Response:
    """A response with a JSON body, or with bytes unchanged. `_` in a header's name becomes `-`."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Response(
        status,
        {"content-type": "application/json"}
        | {name.replace("_", "-"): text for name, text in headers.items()},
        raw,
    )


def recorded_bodies(source: str) -> Iterator[tuple[str, Any]]:
    """Every recorded body of a source by file name; several bodies in one file share its name."""
    for path in sorted((SHARED / "recorded" / source).glob("*.json")):
        value = load_json(f"recorded/{source}/{path.name}")
        if source == "reddit" and isinstance(value, list):
            yield from ((path.stem, body) for body in value)
        else:
            # One recording is the bare list of articles.
            yield (
                path.stem,
                {"status": "ok", "articles": value} if isinstance(value, list) else value,
            )


def recorded_exchanges(source: str) -> Iterator[tuple[str, Response]]:
    """Every recorded exchange of a source, except those of its token endpoint."""
    for path in sorted((SHARED / "recorded" / source / "http").glob("*.json")):
        if not path.stem.startswith("token_"):
            answer = load_json(f"recorded/{source}/http/{path.name}")["response"]
            body = answer["body"]
            raw = body.encode() if isinstance(body, str) else json.dumps(body).encode()
            yield (
                path.stem,
                Response(
                    answer["status"],
                    {name.lower(): text for name, text in answer["headers"].items()},
                    raw,
                ),
            )
