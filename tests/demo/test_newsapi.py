"""NewsAPI's contract, as simulated."""

from datetime import timedelta

import pytest

from tests.demo.conftest import NOW, Get


def _error(reply) -> tuple[int, str]:
    assert reply.json()["status"] == "error"
    return reply.status_code, reply.json()["code"]


async def test_answer_has_the_newsapi_envelope(news: Get) -> None:
    """A successful answer has NewsAPI's envelope and headers, and the simulation's header."""
    reply = await news(q="climate", pageSize=5)
    body = reply.json()
    assert body["status"] == "ok"
    assert body["totalResults"] > len(body["articles"]) == 5
    assert set(body["articles"][0]) == {
        "source",
        "author",
        "title",
        "description",
        "url",
        "urlToImage",
        "publishedAt",
        "content",
    }
    assert reply.headers["x-simulated"] == "newsintel-demo"
    assert reply.headers["x-cached-result"] == "false"
    assert not any("ratelimit" in name for name in reply.headers)


async def test_unknown_word_finds_nothing(news: Get) -> None:
    """No match is "ok" with no articles."""
    assert (await news(q="zyzzyvax")).json() == {"status": "ok", "totalResults": 0, "articles": []}


async def test_missing_and_wrong_keys_are_refused(news: Get) -> None:
    """A missing and a wrong key are 401, each with its code; a key works in all three places."""
    assert _error(await news(key="", q="climate")) == (401, "apiKeyMissing")
    assert _error(await news(key="nonsense", q="climate")) == (401, "apiKeyInvalid")
    assert (await news(key="", apiKey="demo-newsapi-key", q="climate")).status_code == 200
    assert (
        await news(key="", headers={"Authorization": "Bearer demo-newsapi-key"}, q="climate")
    ).status_code == 200


async def test_browsers_are_refused(news: Get) -> None:
    """An Origin other than localhost is 426 corsNotAllowed."""
    assert _error(await news(q="climate", headers={"Origin": "https://paper.example"})) == (
        426,
        "corsNotAllowed",
    )
    assert (await news(q="climate", headers={"Origin": "http://localhost:3000"})).status_code == 200


@pytest.mark.parametrize(
    ("params", "status", "code"),
    [
        ({}, 400, "parametersMissing"),
        ({"q": "a", "sortBy": "newest"}, 400, "parameterInvalid"),
        ({"q": "a", "language": "xx"}, 400, "parameterInvalid"),
        ({"q": "a", "pageSize": 101}, 400, "parameterInvalid"),
        ({"q": "a", "pageSize": 0}, 400, "parameterInvalid"),
        ({"q": "a", "page": 0}, 400, "parameterInvalid"),
        ({"q": "a", "from_": "yesterday"}, 400, "parameterInvalid"),
        ({"q": "a" * 501}, 400, "parameterInvalid"),
        ({"sources": ",".join(map(str, range(21)))}, 400, "sourcesTooMany"),
        ({"q": "a", "from_": "2031-01-01"}, 426, "parameterInvalid"),
        ({"q": "a", "pageSize": 100, "page": 2}, 426, "maximumResultsReached"),
        ({"q": "a", "pageSize": 90, "page": 2}, 426, "maximumResultsReached"),
    ],
)
async def test_bad_parameters_are_refused(news: Get, params: dict, status: int, code: str) -> None:
    """Bad parameters are 400; what the plan does not allow is 426."""
    assert _error(await news(**params)) == (status, code)


async def test_paging_message_names_the_results(news: Get) -> None:
    """The 426 names the requested results, as in the recording."""
    assert "results 90 to 180." in (await news(q="a", pageSize=90, page=2)).json()["message"]


async def test_pages_follow_each_other(news: Get) -> None:
    """Two pages of 20 equal one page of 40."""
    whole = (await news(q="climate", pageSize=40)).json()["articles"]
    halves = [
        (await news(q="climate", pageSize=20, page=page)).json()["articles"] for page in (1, 2)
    ]
    assert halves[0] + halves[1] == whole


async def test_sort_by_orders_articles(news: Get) -> None:
    """Newest first by default; relevance puts a match in the title first."""
    times = [
        row["publishedAt"]
        for row in (await news(q="football NOT removed")).json()["articles"]
        if row["title"] != "[Removed]"
    ]
    assert times == sorted(times, reverse=True)
    best = (await news(q="lynx", sortBy="relevancy")).json()["articles"]
    assert best
    assert "lynx" in best[0]["title"].lower()
    assert (await news(q="climate", sortBy="popularity")).json()["articles"] != (
        await news(q="climate")
    ).json()["articles"]


async def test_filters_narrow_the_answer(news: Get) -> None:
    """Dates, outlets, language and searchIn narrow the answer."""
    start, end = NOW - timedelta(days=3), NOW - timedelta(days=1)
    rows = (
        await news(q="climate", from_=f"{start:%Y-%m-%dT%H:%M:%S}", to=f"{end:%Y-%m-%dT%H:%M:%S}")
    ).json()["articles"]
    assert rows
    assert all(
        f"{start:%Y-%m-%dT%H:%M:%SZ}" <= row["publishedAt"] <= f"{end:%Y-%m-%dT%H:%M:%SZ}"
        for row in rows
    )
    assert {
        row["source"]["id"] for row in (await news(sources="kestrel-wire")).json()["articles"]
    } == {"kestrel-wire"}
    assert all(
        "vantrytimes.example" in row["url"]
        for row in (await news(domains="vantrytimes.example")).json()["articles"]
    )
    assert not any(
        "vantrytimes" in row["url"]
        for row in (await news(q="climate", excludeDomains="vantrytimes.example")).json()[
            "articles"
        ]
    )
    assert (await news(q="climate", language="de")).json()["totalResults"] == 0
    assert all(
        "climate" in row["title"].lower()
        for row in (await news(q="climate", searchIn="title")).json()["articles"]
    )


async def test_limits_apply_when_switched_on(news: Get, control) -> None:
    """50 calls in twelve hours, and articles a day late; both only if switched on."""
    for _ in range(49):
        await news(key="demo-newsapi-key", q="zyzzyvax")
    await control("newsapi", limited=True)
    late = (await news(q="climate")).json()["articles"]
    assert late
    assert all(
        row["publishedAt"] <= f"{NOW - timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}" for row in late
    )
    refused = await news(q="climate")
    assert _error(refused) == (429, "rateLimited")
    assert "retry-after" not in refused.headers
    await control("newsapi", limited=False)
    assert (await news(q="climate")).status_code == 200


async def test_unknown_endpoint_is_404(simulated, client) -> None:
    """An endpoint that is not simulated gives 404."""
    assert (
        await client.get(simulated.base_urls["newsapi"] + "/v2/top-headlines")
    ).status_code == 404
