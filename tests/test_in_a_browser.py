"""The demo in a real browser: sign in on the simulated Reddit page, search, save, sign out."""

import json
import re

import httpx
import pytest

from tests.service import running
from tests.webdriver import browser


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    """A running demo and a browser with an empty profile."""
    with (
        running(tmp_path_factory.mktemp("demo"), "demo") as service,
        browser(tmp_path_factory.mktemp("profile")) as window,
    ):
        yield window, service.url.replace("127.0.0.1", "localhost")


def sign_in(window, home, username, button="allow", wanted="/me"):
    """Sign in as a person does, with the field and buttons of the page."""
    window.go(f"{home}/auth/reddit/login?next={wanted}")
    assert "This is not Reddit" in window.text
    window.write("input[name=username]", username)
    window.click(f"button[value={button}]")


def shown(window):
    """The JSON that the page shows."""
    return json.loads(window.text)


def test_a_person_signs_in_saves_an_article_and_signs_out(opened, tmp_path):
    """All actions with an account, under the browser's own rules for cookies and origins."""
    window, home = opened
    sign_in(window, home, "browser_reader")
    assert window.url == f"{home}/me"
    assert shown(window)["username"] == "browser_reader"
    cookie = window.cookies()["newsintel_dev"]
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, "Lax", "/")
    assert "newsintel_leaving_dev" not in window.cookies()
    window.go(f"{home}/articles?q=climate&limit=5")
    article = shown(window)["articles"][0]
    status, saved = window.fetch(
        "PUT", f"/me/saved/{article['id']}", {"notes": "read this on the train"}
    )
    assert (status, saved["saved"]["notes"]) == (201, "read this on the train")
    window.go(f"{home}/me/saved")
    assert [(one["id"], one["saved"]["notes"]) for one in shown(window)["articles"]] == [
        (article["id"], "read this on the train")
    ]
    window.photograph(tmp_path / "saved.png")
    assert (tmp_path / "saved.png").stat().st_size > 1000
    status, made = window.fetch("POST", "/me/keys", {"name": "from a browser", "scope": "read"})
    assert status == 201
    assert re.fullmatch(r"ni_[\w-]{43}", made["key"])
    assert window.fetch("POST", "/auth/logout") == [204, None]
    assert "newsintel_dev" not in window.cookies()
    window.go(f"{home}/me")
    assert shown(window)["code"] == "unauthenticated"


def test_account_page_makes_and_revokes_a_key(opened):
    """The page's own buttons make a key, show it once and revoke it; then the browser signs out."""
    window, home = opened
    window.ask("DELETE", "/cookie")
    window.go(f"{home}/me/page")
    window.click(".way")
    window.write("input[name=username]", "key_maker")
    window.click("button[value=allow]")
    assert window.url == f"{home}/me/page"
    assert "You are signed in as key_maker" in window.text
    assert "You have none yet" in window.text
    window.write("#make input[name=name]", "my <b>reader</b>")
    window.choose("#make select", "write")
    window.click("#make button")
    key = window.run("return document.querySelector('#key').innerText")
    assert re.fullmatch(r"ni_[\w-]{43}", key)
    assert "my <b>reader</b>" in window.text
    with httpx.Client(
        base_url=home, trust_env=False, headers={"Authorization": f"Bearer {key}"}
    ) as program:
        assert program.get("/me").json()["username"] == "key_maker"
        assert program.put("/me/preferences/theme", json={"value": "dark"}).status_code == 201
        window.go(f"{home}/me/page")
        assert key not in window.source
        window.click("#api-keys tbody button")
        assert "You have none yet" in window.text
        assert program.get("/me").status_code == 401
    window.click("#sign-out")
    assert "newsintel_dev" not in window.cookies()
    window.go(f"{home}/me/page")
    assert "Sign in with Reddit" in window.text


def test_account_page_shows_errors(opened):
    """The development form signs anyone in. A session that has ended is told on a page."""
    window, home = opened
    window.ask("DELETE", "/cookie")
    window.go(f"{home}/me/page")
    window.write("input[name=username]", "dev_reader")
    window.click("button[value=sign_in]")
    assert "You are signed in as dev_reader" in window.text
    window.write("#make input[name=name]", "reader")
    window.ask("DELETE", "/cookie/newsintel_dev")
    window.click("#make button")
    assert "Sign in first" in window.text
    window.click(".way")
    assert "/me/page" in window.url


def test_declined_sign_in_offers_a_new_start(opened):
    """The text page has a link that starts again, and the link works."""
    window, home = opened
    sign_in(window, home, "shy_reader", "deny")
    assert "Start again if you want to sign in" in window.text
    window.click("a")
    assert "This is not Reddit" in window.text


def test_asvs_10_a_foreign_next_is_not_followed(opened):
    """The browser parses the address."""
    window, home = opened
    sign_in(window, home, "curious_reader", wanted="//127.0.0.1:1/evil")
    assert window.url == f"{home}/me/page"


def test_asvs_06_another_origins_page_changes_nothing(opened):
    """Another host name of the same machine is another site.

    Its requests carry no cookie and are refused.
    """
    window, home = opened
    sign_in(window, home, "careful_reader")
    elsewhere = home.replace("localhost", "127.0.0.1")
    window.go(f"{elsewhere}/sources")
    status, refused = window.fetch("POST", f"{home}/auth/logout")
    assert (status, "Failed to fetch" in str(refused)) in ((0, True), (403, False))
    window.go(f"{home}/me")
    assert shown(window)["username"] == "careful_reader"
