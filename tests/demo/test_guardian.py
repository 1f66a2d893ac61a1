"""The Guardian's API contract, as simulated."""

from datetime import timedelta

import pytest

from tests.demo.conftest import NOW, Get


async def _search(paper: Get, **params) -> dict:
    return (await paper(**params)).json()["response"]


async def test_answer_has_the_guardian_envelope(paper: Get) -> None:
    """A successful answer has the API's envelope; without show-fields it has no fields."""
    found = await _search(paper, q="climate")
    assert {
        name: found[name]
        for name in ("status", "userTier", "startIndex", "pageSize", "currentPage", "orderBy")
    } == {
        "status": "ok",
        "userTier": "developer",
        "startIndex": 1,
        "pageSize": 10,
        "currentPage": 1,
        "orderBy": "relevance",
    }
    assert found["pages"] == -(-found["total"] // 10)
    assert len(found["results"]) == 10
    assert not any("fields" in row for row in found["results"])


async def test_no_match_is_ok_and_empty(paper: Get) -> None:
    """No match is "ok" with no pages."""
    found = await _search(paper, q="zyzzyvax")
    assert (found["status"], found["total"], found["pages"], found["results"]) == ("ok", 0, 0, [])


async def test_invalid_key_is_refused(paper: Get) -> None:
    """The gateway's refusal has no envelope; `test` is a valid key."""
    refused = await paper(key="nonsense", q="climate")
    assert (refused.status_code, refused.json()) == (401, {"message": "Unauthorized"})
    assert (await _search(paper, key="test", q="climate"))["userTier"] == "test"


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"page_size": 201}, "page-size must be an integer between 0 and 200"),
        ({"page_size": -1}, "page-size must be an integer between 0 and 200"),
        ({"page": 2, "q": "zyzzyvax"}, "requested page is beyond the number of available pages"),
        ({"page": 400}, "requested page is beyond the number of available pages"),
        ({"page": 0}, "page must be an integer above 0"),
        ({"order_by": "popular"}, "order-by must be one of newest, oldest or relevance"),
        ({"from_date": "last week"}, "Dates must be an ISO8601 date or datetime"),
    ],
)
async def test_parameter_errors_are_in_the_envelope(paper: Get, params: dict, message: str) -> None:
    """The API's own errors are 400 inside the envelope."""
    reply = await paper(**params)
    assert reply.status_code == 400
    assert reply.json()["response"]["status"] == "error"
    assert reply.json()["response"]["message"].startswith(message)


async def test_pages_hold_every_row_once(paper: Get) -> None:
    """A page has up to 200 rows; the last page is short; the pages hold every row once."""
    whole = await _search(paper, q="climate", page_size=200)
    assert len(whole["results"]) == whole["total"]
    first = await _search(paper, q="climate", page_size=50)
    rows = first["results"]
    for page in range(2, first["pages"] + 1):
        rows += (await _search(paper, q="climate", page_size=50, page=page))["results"]
    assert rows == whole["results"]
    assert (await paper(q="climate", page_size=50, page=first["pages"] + 1)).status_code == 400


async def test_words_are_alternatives(paper: Get) -> None:
    """Two bare words find more than one; AND finds fewer; AND NOT excludes."""
    climate = (await _search(paper, q="climate"))["total"]
    chips = (await _search(paper, q="chips"))["total"]
    both = (await _search(paper, q="climate AND chips"))["total"]
    assert (await _search(paper, q="climate chips"))["total"] == climate + chips - both
    assert (await _search(paper, q="climate AND NOT chips"))["total"] == climate - both


async def test_order_by_sorts_results(paper: Get) -> None:
    """With q the default is relevance, without it newest; oldest is the reverse of newest."""
    assert (await _search(paper))["orderBy"] == "newest"
    for order, backwards in (("newest", True), ("oldest", False)):
        found = await _search(paper, q="climate", order_by=order, page_size=50)
        times = [row["webPublicationDate"] for row in found["results"]]
        assert times == sorted(times, reverse=backwards)


async def test_show_fields_selects_fields(paper: Get) -> None:
    """Only the requested fields, as text, and each only if it has a value."""
    rows = (
        await _search(
            paper, q="climate", show_fields="trailText,thumbnail,wordcount", page_size=100
        )
    )["results"]
    assert all(set(row["fields"]) <= {"trailText", "thumbnail", "wordcount"} for row in rows)
    assert any("thumbnail" not in row["fields"] for row in rows)
    assert all(isinstance(row["fields"]["wordcount"], str) for row in rows)
    assert "body" in (await _search(paper, q="climate", show_fields="all"))["results"][0]["fields"]


async def test_filters_narrow_the_answer(paper: Get) -> None:
    """Dates are inclusive; sections, fields and language narrow the answer."""
    day = f"{NOW - timedelta(days=2):%Y-%m-%d}"
    rows = (await _search(paper, from_date=day, to_date=day, page_size=200))["results"]
    assert rows
    assert all(row["webPublicationDate"].startswith(day) for row in rows)
    assert {
        row["sectionId"]
        for row in (await _search(paper, section="health|space", page_size=200))["results"]
    } == {"health"}
    titles = (await _search(paper, q="climate", query_fields="headline", page_size=200))["results"]
    assert all("climate" in row["webTitle"].lower() for row in titles)
    assert (await _search(paper, lang="de"))["total"] == 0


async def test_pace_is_limited_when_switched_on(paper: Get, control) -> None:
    """A developer key may send one request per second; the refusal has no envelope."""
    await control("guardian", limited=True)
    first, second = await paper(q="climate"), await paper(q="climate")
    assert first.headers["x-ratelimit-remaining-day"] == "499"
    assert (second.status_code, second.json()) == (429, {"message": "API rate limit exceeded"})


async def test_unknown_path_is_404(simulated, client) -> None:
    """Unknown paths give the API's 404."""
    reply = await client.get(simulated.base_urls["guardian"] + "/nothing/here?api-key=test")
    assert reply.status_code == 404
    assert reply.json()["response"]["message"] == "The requested resource could not be found."
