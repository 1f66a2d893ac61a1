"""Recorded responses served through the simulation."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from newsintel.demo import guardian, newsapi
from newsintel.demo.replay import ReplayError, load_recordings
from newsintel.demo.server import run_simulated_upstreams
from tests.shared import SHARED, needs_shared

ARTICLE = {
    "source": {"id": None, "name": "Paper"},
    "title": "Otter elected",
    "url": "https://paper.example/1",
    "publishedAt": "2019-06-05T12:23:15.9586022Z",
}
POST = {
    "kind": "t3",
    "data": {"name": "t3_a", "title": "Otter elected", "created_utc": 1.6e9, "extra": [1]},
}
RESULT = {
    "id": "a/b",
    "webTitle": "Otter elected | A Writer",
    "webPublicationDate": "2020-01-01T00:00:00Z",
}


def _write(folder: Path, name: str, value: Any) -> None:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")


def test_recorded_rows_are_unchanged(tmp_path: Path) -> None:
    """Bodies, bare arrays and arrays of listings are read; everything else is skipped."""
    _write(
        tmp_path,
        "newsapi/body.json",
        {"status": "ok", "totalResults": 1, "articles": [ARTICLE, None, {"title": "no date"}]},
    )
    _write(tmp_path, "newsapi/array.json", [ARTICLE])
    _write(tmp_path, "newsapi/broken.json", "{")
    _write(tmp_path, "newsapi/error.json", {"status": "error"})
    _write(tmp_path, "guardian/body.json", {"response": {"results": [RESULT, {"fields": {}}]}})
    _write(tmp_path, "guardian/item.json", {"response": {"content": RESULT}})
    _write(tmp_path, "guardian/odd.json", {"response": "none"})
    _write(tmp_path, "guardian/list.json", [])
    _write(
        tmp_path,
        "reddit/listing.json",
        {"kind": "Listing", "data": {"children": [POST, {"kind": "t5", "data": {}}]}},
    )
    _write(
        tmp_path,
        "reddit/duplicates.json",
        [{"kind": "Listing", "data": {"children": [POST]}}, {"kind": "Listing", "data": None}],
    )
    corpus = load_recordings(tmp_path)
    assert [document.row for document in corpus.newsapi] == [ARTICLE, ARTICLE]
    assert [document.row for document in corpus.guardian] == [RESULT]
    assert [document.row for document in corpus.reddit] == [POST, POST]


NO_NUMBER = [None, "x", "1e9", [1], {}, True, 1e300, -1e300, -1e18, 10**18, 2**64 - 1, -(2**63)]


@pytest.mark.parametrize("value", NO_NUMBER)
def test_a_value_of_another_type_does_not_break_a_recording(tmp_path: Path, value: Any) -> None:
    """Such a row is unchanged and sorts last if its date is invalid, in each API."""
    post = {
        "kind": "t3",
        "data": POST["data"]
        | {"created_utc": value, "score": value, "title": value, "selftext": value},
    }
    piece = ARTICLE | {"publishedAt": value, "title": value, "description": value}
    result = RESULT | {"webPublicationDate": value, "webTitle": value, "fields": value}
    _write(tmp_path, "reddit/a.json", {"kind": "Listing", "data": {"children": [post, POST]}})
    _write(tmp_path, "newsapi/a.json", [piece, ARTICLE])
    _write(tmp_path, "guardian/a.json", {"response": {"results": [result, RESULT]}})
    corpus = load_recordings(tmp_path)
    for documents, rows in (
        (corpus.reddit, [post, POST]),
        (corpus.newsapi, [piece, ARTICLE]),
        (corpus.guardian, [result, RESULT]),
    ):
        assert [document.row for document in documents] == rows
        assert all(document.at.utcoffset() is not None for document in documents)
    assert corpus.reddit[0].at.year == 1970


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"newsapi/a.json": "{"},
        {"reddit/a.json": {"kind": "Listing", "data": {"children": []}}},
        {"a.json": [ARTICLE]},
    ],
)
def test_a_folder_with_nothing_to_replay_is_refused(tmp_path: Path, files: dict[str, Any]) -> None:
    """One clear error that names the folder."""
    for name, value in files.items():
        _write(tmp_path, name, value)
    with pytest.raises(ReplayError, match=str(tmp_path)):
        load_recordings(tmp_path)
    with pytest.raises(ReplayError):
        load_recordings(tmp_path / "missing")


async def test_an_error_comes_before_the_server(tmp_path: Path) -> None:
    """The error comes before anything listens, and not in an exception group."""
    with pytest.raises(ReplayError):
        async with run_simulated_upstreams(replay=tmp_path):
            pytest.fail("it ran")


@needs_shared
async def test_recordings_are_served_behind_the_same_contract(client: httpx.AsyncClient) -> None:
    """Real rows are returned verbatim, with the API's own matching, keys and limits."""
    recorded = SHARED / "recorded"
    async with run_simulated_upstreams(replay=recorded) as running:
        url = running.base_urls["newsapi"] + "/v2/everything"
        refused = await client.get(url, params={"q": "world"}, headers={"X-Api-Key": "nonsense"})
        assert refused.status_code == 401
        found = (
            await client.get(url, params={"q": "world"}, headers={"X-Api-Key": newsapi.KEY})
        ).json()
        rows = [
            row
            for path in recorded.glob("newsapi/*.json")
            for row in _articles(json.loads(path.read_text(encoding="utf-8")))
        ]
        assert found["articles"]
        assert all(row in rows for row in found["articles"])
        answer = await client.get(
            running.base_urls["guardian"] + "/search",
            params={"q": "world", "page-size": 200, "api-key": guardian.KEY, "show-fields": "all"},
        )
        assert answer.json()["response"]["results"]
    assert len(load_recordings(recorded).reddit) > 700


def _articles(body: Any) -> list[dict[str, Any]]:
    return list(body if isinstance(body, list) else body["articles"])
