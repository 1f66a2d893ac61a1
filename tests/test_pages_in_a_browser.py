"""The pages of the demo in a real browser: found, unfolded, brushed, judged, by keys alone.

After each test the console must be empty: no error, no report about the policy.
"""

import pytest

from tests.outbound.alerts.receivers import receiving
from tests.service import running
from tests.waiting import wait_for
from tests.webdriver import browser

TAB, ENTER, ESCAPE = "\ue004", "\ue007", "\ue00c"
"""Keys as WebDriver writes them (W3C WebDriver, 17.4.2)."""
STORIES = "document.querySelectorAll('.story').length"
FINISHED = f"({STORIES} && document.querySelector('#side').children.length)"
FOCUS = "return document.activeElement.closest('.story')?.id ?? document.activeElement.id"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """A running demo without limits, with an operator."""
    settings = {"RATE_LIMIT": "off", "MISS_LIMIT": "off", "OPS_PAGE": "1", "OPERATORS": "dev:op"}
    with running(tmp_path_factory.mktemp("demo"), "demo", **settings) as up:
        yield up


@pytest.fixture(scope="module")
def opened(demo, tmp_path_factory):
    """A browser with an empty profile, and the address of the demo."""
    with browser(tmp_path_factory.mktemp("profile")) as window:
        yield window, demo.url.replace("127.0.0.1", "localhost")


@pytest.fixture
def window(opened):
    """The browser; its console must stay empty."""
    window, _ = opened
    window.read_log()
    yield window
    assert window.read_log() == []


@pytest.fixture
def home(opened):
    """The address of the demo."""
    return opened[1]


def search(window, home, words):
    """Type a search as a person does, and wait until its page is finished."""
    window.go(home)
    window.run("document.activeElement.blur()")
    window.type_keys("/")
    window.type_keys(words)
    window.run("window.left = true")
    window.type_keys(ENTER)
    window.wait(f"!window.left && {FINISHED}")


def reload_until(window, find, what):
    """Open the page again until `find` returns something true; return that.

    What a search finds is in the archive a little later.
    """

    def look():
        window.go(window.url)
        return find()

    return wait_for(look, what)


def test_a_search_shows_stories_sources_and_a_timeline(window, home):
    """The address holds the search; a link opens without telling where it was."""
    search(window, home, "climate")
    assert window.url == f"{home}/?q=climate"
    assert window.run(f"return {STORIES}") == 20
    states = window.every("#chips li", "one.dataset.status")
    assert [one for one in states if one != "disabled"] == ["ok", "ok", "ok"]
    assert window.run("return document.querySelectorAll('#timeline path.bar').length") > 3
    assert set(window.every(".open", "one.rel")) == {"noopener noreferrer"}
    window.go(window.url)
    assert window.run(f"return {STORIES}") == 20  # the finished page, without its script


def test_the_operators_page_keeps_itself_current(demo, window, home):
    """What changes is replaced without a reload; what was scrolled and focused stays."""
    window.go(f"{home}/me/page")
    window.write("input[name=username]", "op")
    window.click("button[value=sign_in]")
    window.go(f"{home}/ops")
    assert window.every(
        "[data-node='fetcher(guardian)'] rect", "one.getBoundingClientRect().width > 50"
    )
    window.run("window.stays = true; document.querySelector('.flow').focus()")
    before = window.run("return document.querySelector('.numbers').innerText")
    for word in ("climate", "climate", "flood", "flood"):
        demo.search(word)
    window.wait(f"document.querySelector('.numbers').innerText !== {before!r}")
    assert window.run("return window.stays && document.activeElement.className") == "wide flow"
    window.control_scripts(on=False)
    try:
        window.go(f"{home}/ops")
        window.click(".ops p a")
        assert window.url == f"{home}/ops"
        assert window.run("return document.querySelectorAll('.flow path').length") > 20
    finally:
        window.control_scripts(on=True)
        window.ask("DELETE", "/cookie")


@pytest.mark.parametrize("path", ["/", "/?q=climate"])
def test_a_first_view_keeps_its_budget(demo, window, home, path):
    """With headers, as the browser counts: 30 KB in all, 12 KB of script, 8 KB of style."""
    demo.search("climate")
    window.control("Network.clearBrowserCache")
    window.go(f"{home}{path}")
    sizes = window.run("""
        const parts = [...performance.getEntriesByType("navigation"),
                       ...performance.getEntriesByType("resource")];
        return parts.map(one => [one.initiatorType, new URL(one.name).pathname, one.transferSize]);
    """)
    assert all(size > 0 for _, _, size in sizes)
    total = sum(size for *_, size in sizes)
    script = sum(size for _, name, size in sizes if name.endswith(".js"))
    style = sum(size for _, name, size in sizes if name.endswith(".css"))
    assert script <= 12_000
    assert style <= 8_000
    assert total <= 30_000, sizes


def test_a_story_unfolds_by_key_with_its_reasons(window, home):
    """`j` and `k` move, `x` unfolds, `v` shows the story, `?` the keys."""
    search(window, home, "climate")
    ids = window.every(".story", "one.id")
    window.type_keys("jj")
    assert window.run(FOCUS) == ids[1]
    window.type_keys("k")
    assert window.run(FOCUS) == ids[0]
    folded = window.every(".story", "Boolean(one.querySelector('details'))").index(True)
    window.type_keys("j" * folded + "x")
    window.wait("document.querySelector('.story:focus-within details[open]')")
    why = window.run("return document.querySelector('.story:focus-within .why').innerText")
    assert "%" in why
    window.type_keys("?")
    window.wait("document.querySelector('#keys').open")
    window.type_keys(ESCAPE)
    window.wait("!document.querySelector('#keys').open")
    window.run("window.left = true")
    window.type_keys("v")
    window.wait("!window.left && document.querySelector('.story-page')")
    assert window.url.startswith(f"{home}/story/a_")  # the archive may know an earlier report
    assert window.run("return document.querySelectorAll('.reports li').length") > 1


def test_a_drag_over_the_timeline_chooses_a_time(window, home):
    """The range is in the address; a bar is a link."""
    search(window, home, "climate")
    window.run("window.left = true")
    window.drag("#timeline svg", 0.5, 0.95)
    window.wait(f"!window.left && {FINISHED}")
    assert "from=2" in window.url
    assert "to=2" in window.url
    assert window.run("return document.querySelector('input[name=from]').value")
    window.click("#count a")
    window.wait(FINISHED)
    assert window.url == f"{home}/?q=climate"


def test_a_publisher_is_kept_and_with_shift_dropped(window, home):
    """Only the address changes; no source is asked again."""
    search(window, home, "climate")
    name = window.run("return document.querySelector('.facet a').innerText")
    window.click(".facet a")
    assert window.run("return document.querySelector('.chosen b').innerText") == name
    window.go(f"{home}/?q=climate")
    window.run(
        "window.left = true; document.querySelector('.facet a').dispatchEvent("
        "new MouseEvent('click', {bubbles: true, cancelable: true, shiftKey: true}))"
    )
    window.wait("!window.left && document.querySelector('.chosen')")
    assert "without=" in window.url


def sign_in(window, home, name):
    """Sign in with the form of the page."""
    window.ask("DELETE", "/cookie")
    window.go(f"{home}/me/page")
    window.write("input[name=username]", name)
    window.click("button[value=sign_in]")


def test_a_story_is_saved_with_a_note_by_keys_alone(window, home):
    """`s` saves, `n` writes a note, `.` wants less like this; the page stays as it is."""
    sign_in(window, home, "keys_only")
    search(window, home, "climate")
    window.type_keys("js")
    window.wait("document.querySelector('.story:focus-within .save').innerText === 'Saved'")
    first, second = window.every(".story .open", "one.innerText")[:2]
    window.type_keys("jn")
    window.type_keys("for the train שלום")
    window.type_keys(TAB + ENTER)
    window.wait("document.activeElement.innerText === 'Saved'")
    window.type_keys("j.")
    window.wait("document.querySelector('.story:focus-within .less').innerText === 'Noted'")
    assert window.url == f"{home}/?q=climate"
    window.go(f"{home}/saved")
    assert window.every(".open", "one.innerText") == [second, first]
    assert window.every(".notes", "one.innerText") == ["for the train שלום"]
    window.click("button[value=forget]")
    assert window.every(".open", "one.innerText") == [first]
    window.go(home)
    headings = reload_until(
        window, lambda: window.every(".for-you h2", "one.innerText"), "recommendations"
    )
    assert headings == ["For you"]


def test_a_search_becomes_an_alert_by_one_key(window, home):
    """`a` opens the form with the search; its preview is a drawing; saving shows the feed."""
    sign_in(window, home, "alerted")
    search(window, home, "election")
    window.type_keys("a")
    window.wait("location.pathname === '/alerts'")
    assert window.run("return document.querySelector('#create [name=q]').value") == "election"
    bars = ".alerts .timeline path.bar"
    reload_until(
        window, lambda: len(window.every(bars, "one.getBBox().height > 0")) > 3, "a preview"
    )
    assert " stories" in window.run("return document.querySelector('.count').innerText")
    window.click("button[value=create]")
    assert "/feeds/" in window.run("return document.querySelector('#feed-url').innerText")
    assert window.every("#searches > li > a", "one.innerText") == ["election"]
    window.click("button[value=pause]")
    assert window.every("#searches > li > b", "one.innerText") == ["Paused"]


def save_alert(window, home, hook, words):
    """Save an alert for some words to a webhook, by the form, with later members."""
    window.go(f"{home}/alerts")
    for name, value in (("q", words), ("to", f"{hook}/hook"), ("name", f"My {words} נושא")):
        window.write(f"#create [name={name}]", value)
    window.choose("#create [name=kind]", "webhook")
    window.choose("#create [name=later_members]", "alert again")
    window.click("button[value=create]")
    assert window.run("return document.querySelector('#secret').innerText").startswith("whsec_")
    assert "later publishers too" in window.run(
        "return document.querySelector('#searches').innerText"
    )


def wait_for_log(window, words):
    """Open the log again until it has some words."""
    rows = "#log tbody tr"
    reload_until(
        window,
        lambda: words in " ".join(window.every(rows, "one.innerText")),
        f"a log with {words}",
    )


@pytest.mark.parametrize("scripts", [True, False])
def test_an_alert_has_its_deliveries_in_a_log(window, demo, home, scripts):
    """With each attempt, from a test to a receiver that fails; with and without scripts."""
    words = "vaccine" if scripts else "football"
    sign_in(window, home, f"logged_{scripts}")
    window.control_scripts(scripts)
    try:
        with receiving(200, 500) as receiver:
            save_alert(window, home, receiver.url, words)
            window.click("button[value=test]")
            assert "search=w_" in window.url
            wait_for_log(window, "delivered 200")
            assert receiver.requests[0].path == "/hook"
            demo.search(words)
            wait_for_log(window, "refused 500: HTTP 500")
            assert window.run("return document.querySelectorAll('.alerts > .reports li').length")
            assert "has failed since" in window.text
            window.go(f"{home}/me/page")
            assert window.every("#stopped a", "one.innerText") == [f"My {words} נושא"]
        window.go(f"{home}/alerts?q={words}&language=en")
        assert window.run("return document.querySelectorAll('.alerts svg path.bar').length")
        window.go(f"{home}/alerts?q=-{words}")
        assert "must hold a word" in window.run("return document.querySelector('#fault').innerText")
        window.click("button[value=pause]")
        assert window.every("#searches > li > b", "one.innerText") == ["Paused"]
        window.click("button[value=resume]")
        assert window.every("#searches > li > b", "one.innerText") == []
        window.click("button[name=edit]")
        window.write("#create [name=name]", "Renamed")
        window.click("button[value=change]")
        assert window.every("#searches > li > a[aria-current]", "one.innerText") == ["Renamed"]
        window.click("button[value=delete]")
        assert "No saved searches" in window.text
    finally:
        window.control_scripts(on=True)


def test_matches_come_to_an_open_page(window, demo, home):
    """While it is open, without a reload; each says which search found it."""
    sign_in(window, home, "waiting")
    window.go(f"{home}/alerts")
    window.write("#create [name=q]", "budget")
    window.click("button[value=create]")
    window.go(f"{home}/alerts")
    assert not window.run("return document.querySelector('#arrived').checkVisibility()")
    demo.search("budget")
    window.wait("document.querySelectorAll('#arrived li').length")
    assert set(window.every("#arrived .why", "one.innerText")) == {"budget"}
    assert all(window.every("#arrived a", "one.href.startsWith('http') && one.innerText"))


def test_a_person_takes_a_report_out_of_a_story(window, home):
    """The verdict is this person's own, and can be taken back."""
    sign_in(window, home, "judge")
    search(window, home, "climate")
    story = window.every(".story:has(details)", "one.id")[0]
    window.go(f"{home}/story/{story}")
    before = window.run("return document.querySelectorAll('.reports li').length")
    window.click(".reports button[value=not_same]")
    assert "Not the same story, you said" in window.text
    assert window.run("return document.querySelectorAll('.reports li').length") == before
    window.click("button[value=same]")
    assert "Not the same story, you said" not in window.text


def test_the_archive_marks_what_was_found(window, home):
    """Words of the query are marked in the passages."""
    search(window, home, "climate")
    window.go(f"{home}/search?q=climate")
    reload_until(window, lambda: window.every("mark", "1"), "marked words")
    assert "climate" in window.run("return document.querySelector('mark').innerText").lower()


@pytest.mark.parametrize("path", ["/?q=climate", "/search?q=climate", "/trends", "/docs"])
def test_pages_work_without_scripts(demo, window, home, path):
    """A browser without scripts gets the results, the links and the forms."""
    demo.search("climate")
    demo.search("storm")
    window.control_scripts(False)
    try:
        window.go(f"{home}{path}")
        window.wait("document.querySelector('main h1, main h2')")
        if "?q" in path:
            count_stories = f"return {STORIES}"
            reload_until(window, lambda: window.run(count_stories) > 3, "stories")
            window.write("#q", "storm")
            window.click(".search > button")
            reload_until(window, lambda: window.run(count_stories), "stories of the other words")
            assert "q=storm" in window.url
            window.click(".story .view")
            assert "/story/a_" in window.url
    finally:
        window.control_scripts(True)
