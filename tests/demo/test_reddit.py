"""Reddit's contract, as simulated: the token endpoint and the search."""

import pytest

from newsintel.demo.reddit_auth import CLIENT_ID, CLIENT_SECRET, USER_AGENT
from tests.demo.conftest import Get

AGENT = {"User-Agent": USER_AGENT}


async def _token(simulated, client, *, auth=(CLIENT_ID, CLIENT_SECRET), headers=AGENT, **form):
    return await client.post(
        simulated.base_urls["reddit_auth"] + "/api/v1/access_token",
        data=form,
        auth=auth,
        headers=headers,
    )


async def _rows(posts: Get, path: str = "", **params) -> list[dict]:
    return (await posts(path, **params)).json()["data"]["children"]


async def test_client_credentials_give_a_bearer_token(simulated, client) -> None:
    """client_credentials gives a bearer token for a day, with www's integer rate-limit headers."""
    reply = await _token(simulated, client, grant_type="client_credentials")
    body = reply.json()
    assert (body["token_type"], body["expires_in"], body["scope"]) == ("bearer", 86_400, "*")
    assert len(body["access_token"]) > 200
    assert reply.headers["x-ratelimit-remaining"] == "299"


@pytest.mark.parametrize(
    ("grant", "status", "error"),
    [
        ("authorization_code", 200, "invalid_grant"),
        ("password", 200, "unauthorized_client"),
        ("nonsense", 200, "unsupported_grant_type"),
    ],
)
async def test_token_errors_mostly_have_status_200(
    simulated, client, grant: str, status: int, error
) -> None:
    """The error is in the body, as text or as a number."""
    reply = await _token(simulated, client, grant_type=grant)
    assert (reply.status_code, reply.json()["error"]) == (status, error)


@pytest.mark.parametrize("auth", [(CLIENT_ID, "wrong"), ("wrong", CLIENT_SECRET), ("", "")])
async def test_token_needs_the_secret(simulated, client, auth: tuple[str, str]) -> None:
    """Wrong credentials are 401, and the answer names the scheme."""
    reply = await _token(simulated, client, auth=auth, grant_type="client_credentials")
    assert reply.status_code == 401
    assert reply.headers["www-authenticate"] == 'Basic realm="reddit"'


async def test_garbled_basic_header_is_refused(simulated, client) -> None:
    """A Basic header that is not base64 is refused like a wrong secret."""
    headers = AGENT | {"Authorization": "Basic \u00e4"}
    reply = await _token(
        simulated, client, auth=None, headers={k: v.encode("latin-1") for k, v in headers.items()}
    )
    assert reply.status_code == 401


@pytest.mark.parametrize("agent", ["", "python-httpx/0.28.1", "Mozilla/5.0", "curl/8"])
async def test_library_agents_are_throttled(simulated, client, posts: Get, agent: str) -> None:
    """Without a custom User-Agent both hosts answer 429: www in JSON, oauth with a page."""
    refused = await _token(
        simulated, client, headers={"User-Agent": agent}, grant_type="client_credentials"
    )
    assert (refused.status_code, refused.json()["error"], "retry-after" in refused.headers) == (
        429,
        429,
        False,
    )
    page = await posts(q="climate", headers={"User-Agent": agent})
    assert (page.status_code, page.headers["retry-after"]) == (429, "4")
    assert "whoa there, pardner!" in page.text


async def test_search_needs_a_valid_token(simulated, client, posts: Get) -> None:
    """A missing, an unknown and a revoked token are 401 invalid_token."""
    for header in ("", "bearer nonsense"):
        refused = await posts(q="climate", headers={"Authorization": header})
        assert refused.status_code == 401
        assert refused.headers["www-authenticate"] == 'Bearer realm="reddit", error="invalid_token"'
    assert (await posts(q="climate")).status_code == 200
    await client.delete(simulated.control_url + "/quota")
    assert (await posts(q="climate")).status_code == 401


async def test_search_returns_a_listing(posts: Get) -> None:
    """A Listing with rate-limit headers: `remaining` is a float as text."""
    reply = await posts(q="climate", limit=5)
    body = reply.json()
    assert body["kind"] == "Listing"
    assert body["data"]["dist"] == len(body["data"]["children"]) == 5
    assert {row["kind"] for row in body["data"]["children"]} == {"t3"}
    assert (reply.headers["x-ratelimit-used"], reply.headers["x-ratelimit-remaining"]) == (
        "1",
        "599.0",
    )
    assert reply.headers["x-ratelimit-reset"].isdigit()


async def test_no_match_is_an_empty_listing(posts: Get) -> None:
    """No match is an empty Listing."""
    data = (await posts(q="zyzzyvax")).json()["data"]
    assert (data["children"], data["after"]) == ([], None)


async def test_restrict_sr_limits_the_search_to_its_subreddits(posts: Get) -> None:
    """The path counts only with restrict_sr; `all` means every subreddit."""
    inside = await _rows(
        posts, "/r/news+technology", q="chips OR government", restrict_sr=1, limit=100, sort="new"
    )
    assert {row["data"]["subreddit"] for row in inside} == {"news", "technology"}
    everywhere = await _rows(posts, q="climate", limit=100)
    assert await _rows(posts, "/r/news", q="climate", limit=100) == everywhere
    assert await _rows(posts, "/r/all", q="climate", restrict_sr=1, limit=100) == everywhere


async def test_private_and_unknown_subreddits_are_refused(posts: Get) -> None:
    """A private one is 403 with its reason; an unknown one redirects to a subreddit search."""
    private = await posts("/r/staffroom", q="climate", restrict_sr=1)
    assert (private.status_code, private.json()["reason"]) == (403, "private")
    missing = await posts("/r/nowhere123", q="climate", restrict_sr=1)
    assert (missing.status_code, missing.headers["location"]) == (
        302,
        "https://www.reddit.com/subreddits/search?q=nowhere123",
    )


async def test_url_as_query_redirects(posts: Get) -> None:
    """A q that looks like a URL redirects to the submit page; in quotes it is searched for."""
    reply = await posts(q="news.example/story")
    assert reply.status_code == 302
    assert reply.headers["location"] == "https://www.reddit.com/submit?url=news.example%2Fstory"
    assert (await posts(q='"news.example"')).status_code == 200


async def test_ampersands_are_escaped_without_raw_json(posts: Get) -> None:
    """Without raw_json=1 every & arrives as an entity, in titles and addresses."""
    raw = await _rows(posts, q="energy OR climate OR film", limit=100, raw_json=1)
    escaped = await _rows(posts, q="energy OR climate OR film", limit=100)
    assert any("&" in row["data"]["url"] for row in raw)
    assert [row["data"]["url"].replace("&", "&amp;") for row in raw] == [
        row["data"]["url"] for row in escaped
    ]
    assert [row["data"]["title"].replace("&", "&amp;") for row in raw] == [
        row["data"]["title"] for row in escaped
    ]


async def test_limit_is_clamped(posts: Get) -> None:
    """Limits out of range are corrected silently; the default is 25."""
    sizes = [
        len(await _rows(posts, q="government OR climate", **params))
        for params in ({}, {"limit": 0}, {"limit": 1024}, {"limit": "x"})
    ]
    assert sizes == [25, 1, 100, 25]


async def test_after_leads_to_the_end(posts: Get) -> None:
    """Following `after` gives every post once and ends with null."""
    seen, after = [], ""
    while after is not None:
        data = (await posts(q="climate", limit=40, after=after)).json()["data"]
        seen += [row["data"]["name"] for row in data["children"]]
        after = data["after"]
    assert len(seen) == len(set(seen)) > 80


async def test_sort_orders_posts_and_t_excludes_older_ones(posts: Get) -> None:
    """new, top and comments sort by their own value; t excludes older posts."""
    for sort, key in (("new", "created_utc"), ("top", "score"), ("comments", "num_comments")):
        values = [row["data"][key] for row in await _rows(posts, q="climate", sort=sort, limit=100)]
        assert values == sorted(values, reverse=True)
    assert len(await _rows(posts, q="climate", sort="hot", limit=100)) == 100
    assert (
        0
        < len(await _rows(posts, q="football", t="day", limit=100))
        < len(await _rows(posts, q="football", t="all", limit=100))
    )


async def test_type_and_include_over_18_select_results(posts: Get) -> None:
    """Subreddits are results only with type=sr; adult posts can be excluded."""
    assert {
        row["kind"]
        for row in await _rows(posts, q="climate", type="sr,link", limit=100, sort="new")
    } == {"t3", "t5"}
    query = "government OR climate OR people OR music OR data OR science"
    adult = [
        row
        for row in await _rows(posts, q=query, limit=100, sort="top", t="all")
        if row["data"]["over_18"]
    ]
    clean = await _rows(posts, q=query, limit=100, sort="top", include_over_18="off")
    assert adult
    assert not any(row["data"]["over_18"] for row in clean)


async def test_long_query_and_unknown_path_are_refused(
    posts: Get, simulated, client, token: str
) -> None:
    """More than 512 characters are 400; other paths are 404."""
    assert (await posts(q="a" * 513)).status_code == 400
    headers = AGENT | {"Authorization": f"bearer {token}"}
    assert (
        await client.get(simulated.base_urls["reddit"] + "/best", headers=headers)
    ).status_code == 404
    assert (
        await client.get(simulated.base_urls["reddit_auth"] + "/api/v1/access_token", headers=AGENT)
    ).status_code == 404
