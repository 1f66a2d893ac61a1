"""The simulated sign-in page of Reddit and its tokens, as in Reddit's source and recordings."""

from urllib.parse import parse_qsl, urlsplit

import pytest

from newsintel.demo import reddit_auth

AGENT = {"User-Agent": reddit_auth.USER_AGENT}
BACK = "http://localhost:8000/auth/reddit/callback"
ASKED = {
    "client_id": reddit_auth.CLIENT_ID,
    "response_type": "code",
    "state": "a state",
    "redirect_uri": BACK,
    "duration": "permanent",
    "scope": "identity read",
}


@pytest.fixture
def www(simulated, client):
    """Sends a request to www.reddit.com, as our service or as a browser."""
    base = simulated.base_urls["reddit_auth"] + "/api/v1/"

    async def ask(method, path, **options):
        basic = (reddit_auth.CLIENT_ID, reddit_auth.CLIENT_SECRET)
        return await client.request(
            method,
            base + path,
            headers=AGENT,
            auth=None if path == "authorize" else basic,
            **options,
        )

    return ask


@pytest.fixture
def me(simulated, client):
    """Asks oauth.reddit.com for the account of a token."""

    async def ask(token):
        headers = AGENT | {"Authorization": f"bearer {token}"}
        return await client.get(simulated.base_urls["reddit"] + "/api/v1/me", headers=headers)

    return ask


async def allowed(www, **changes):
    """The code that Alice's browser brings back."""
    done = await www(
        "POST", "authorize", params=ASKED | changes, data={"username": "alice", "decision": "allow"}
    )
    return dict(parse_qsl(urlsplit(done.headers["Location"]).query))["code"]


async def granted(www, **form):
    """The status and body from the token endpoint."""
    response = await www("POST", "access_token", data=form)
    return response.status_code, response.json()


async def test_the_page_says_that_it_is_not_reddit(www):
    """It tells people not to type a password."""
    page = await www("GET", "authorize", params=ASKED)
    assert page.status_code == 200
    assert "This is not Reddit" in page.text
    assert "do not type one" in page.text
    assert 'type="password"' not in page.text


@pytest.mark.parametrize(
    "wrong",
    [
        {"client_id": "other"},
        {"response_type": "token"},
        {"state": ""},
        {"redirect_uri": "https://evil.example/auth/reddit/callback"},
        {"redirect_uri": "http://localhost:8000/elsewhere"},
        {"redirect_uri": "http://[::1/auth/reddit/callback"},
        {"redirect_uri": "http://localhost/\r\nX: y/auth/reddit/callback"},
        {"redirect_uri": "http://localhost/\u0142/auth/reddit/callback"},
        {"duration": "for ever"},
        {"scope": "identity everything"},
        {"scope": ""},
    ],
)
async def test_a_wrong_request_is_a_page_and_no_redirect(www, wrong):
    """As in Reddit's source: an invalid request may also have an invalid address."""
    for method in ("GET", "POST"):
        page = await www(method, "authorize", params=ASKED | wrong)
        assert (page.status_code, page.headers.get("Location")) == (400, None)
        assert next(iter(wrong)) in page.text


async def test_each_decision_redirects_with_the_state(www):
    """Both decisions redirect with the empty fragment that Reddit adds."""
    no = await www("POST", "authorize", params=ASKED, data={"decision": "deny"})
    assert no.headers["Location"] == f"{BACK}?state=a+state&error=access_denied#_"
    yes = await www(
        "POST", "authorize", params=ASKED, data={"username": "alice", "decision": "allow"}
    )
    assert yes.headers["Location"].startswith(f"{BACK}?state=a+state&code=")
    assert (
        await www("POST", "authorize", params=ASKED, data={"username": "a b", "decision": "allow"})
    ).status_code == 400


async def test_a_code_works_once_and_only_for_its_own_address(www):
    """Errors have status 200."""
    code = await allowed(www)
    grant = {"grant_type": "authorization_code", "redirect_uri": BACK}
    assert await granted(
        www, **grant | {"redirect_uri": "http://localhost:8000/other"}, code=code
    ) == (200, {"error": "invalid_grant"})
    code = await allowed(www)
    status, body = await granted(www, **grant, code=code)
    assert (status, body["token_type"], body["expires_in"], body["scope"]) == (
        200,
        "bearer",
        86400,
        "identity read",
    )
    assert body["refresh_token"]
    assert await granted(www, **grant, code=code) == (200, {"error": "invalid_grant"})


async def test_a_temporary_grant_has_no_refresh_token(www):
    """Only a permanent one has."""
    code = await allowed(www, duration="temporary")
    _, body = await granted(www, grant_type="authorization_code", redirect_uri=BACK, code=code)
    assert "refresh_token" not in body


async def test_tokens_identify_their_person_until_they_are_revoked(www, me):
    """Revoking a refresh token revokes all access tokens of its person."""
    _, first = await granted(
        www, grant_type="authorization_code", redirect_uri=BACK, code=await allowed(www)
    )
    _, second = await granted(
        www, grant_type="authorization_code", redirect_uri=BACK, code=await allowed(www)
    )
    for token in (first["access_token"], second["access_token"]):
        assert (await me(token)).json()["name"] == "alice"
    assert (
        await www("POST", "revoke_token", data={"token": first["refresh_token"]})
    ).status_code == 200
    assert (await me(first["access_token"])).status_code == 401
    assert (await me(second["access_token"])).status_code == 401
    assert (await www("POST", "revoke_token", data={"token": "unknown"})).status_code == 200


async def test_an_access_token_alone_can_be_revoked(www, me):
    """The person's other tokens stay valid."""
    _, first = await granted(
        www, grant_type="authorization_code", redirect_uri=BACK, code=await allowed(www)
    )
    _, second = await granted(
        www, grant_type="authorization_code", redirect_uri=BACK, code=await allowed(www)
    )
    await www("POST", "revoke_token", data={"token": first["access_token"]})
    assert (await me(first["access_token"])).status_code == 401
    assert (await me(second["access_token"])).status_code == 200


async def test_the_applications_own_token_has_no_account(www, me):
    """It has no identity scope."""
    _, own = await granted(www, grant_type="client_credentials")
    refused = await me(own["access_token"])
    assert refused.status_code == 403
    assert "insufficient_scope" in refused.headers["WWW-Authenticate"]
