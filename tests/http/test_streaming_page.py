"""The page of a running search in a real browser; the test plays the sources."""

from contextlib import asynccontextmanager
from functools import partial

import pytest
import trio
from attrs import frozen

from newsintel.domain.search.outcome import Status
from tests.http.newsroom import newsroom
from tests.http.wire import serving
from tests.waiting import PATIENCE_S
from tests.webdriver import Browser, browser

KEYS = {"NEWSINTEL_NEWSAPI_KEY": "newsapi-key"}
HOSTILE = (
    "</title></script><script>document.title = 'owned'</script>",
    '"><img src=x onerror="document.title=\'owned\'">',
    "javascript:alert(1) {{ 7 * 7 }} ${7 * 7} &lt;b&gt;",
    "\u202eevil gnissap \u2066 \u200f עברית و العربية",
    "🙂👩\u200d👩\u200d👧 日本語 ไทย " + "x" * 280,
)
READ_STORIES = "[...document.querySelectorAll('.story h2')].map(one => one.innerText)"
READ_CHIPS = "[...document.querySelectorAll('#chips li')].map(one => one.dataset.status)"
FINISHED = "document.querySelector('#side').children.length"


@pytest.fixture(scope="module")
def window(tmp_path_factory):
    """A browser with an empty profile."""
    with browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@frozen
class Desk:
    """A newsroom, its service and a browser. Each action runs in a thread."""

    room: object
    home: str
    window: Browser

    async def do(self, action, *args, **options):
        """Call a method of the browser."""
        call = partial(getattr(self.window, action), *args, **options)
        return await trio.to_thread.run_sync(call)


@asynccontextmanager
async def opened(window):
    """Serve a newsroom during the block; its pages must not leave a word in the console."""
    async with newsroom() as room, serving(room.world, **KEYS) as served:
        desk = Desk(room, served.url, window)
        await desk.do("read_log")
        yield desk
        assert await desk.do("read_log") == []


async def test_a_page_fills_while_a_source_is_silent(window):
    """What is there is shown at once; what comes later waits until the reader wants it."""
    async with opened(window) as desk:
        await desk.do("go", f"{desk.home}/?q=waters")
        assert await desk.do("run", f"return {READ_CHIPS}") == ["waiting", "waiting"]
        await desk.room.report("newsapi", Status.OK, "Waters rise", "A comet passes")
        await desk.do("wait", "document.querySelectorAll('.story').length === 2")
        assert await desk.do("run", f"return {READ_CHIPS}") == ["ok", "waiting"]
        shown = await desk.do("run", f"return {READ_STORIES}")
        await desk.do("type_keys", "j")  # the reader has begun to read
        await desk.room.report("guardian", Status.OK, "Waters rise", "Waters fall again")
        await desk.do("wait", "!document.querySelector('#fresh').hidden")
        assert await desk.do("run", f"return {READ_STORIES}") == shown
        assert await desk.do("run", "return document.querySelector('#fresh').innerText") == "1 new"
        assert await desk.do("run", f"return {READ_CHIPS}") == ["ok", "ok"]
        await desk.do("wait", FINISHED)
        await desk.do("press", "#fresh", "document.querySelectorAll('.story').length === 3")
        assert (
            await desk.do("run", "return document.activeElement.innerText") in "Waters fall again"
        )
        streamed = await desk.do("run", "return document.querySelector('#stories').innerText")
        await desk.do("go", f"{desk.home}/?q=waters")
        await desk.do("wait", FINISHED)
        reloaded = await desk.do("run", "return document.querySelector('#stories').innerText")
        assert streamed == reloaded
        assert len(await desk.do("run", f"return {READ_STORIES}")) == 3


async def test_nothing_moves_for_people_who_ask_for_less_motion(window):
    """For all others, the dot of a source that has not answered pulses."""
    read = """return [...document.querySelectorAll('*')]
        .flatMap(one => [null, '::before', '::after'].map(part => getComputedStyle(one, part)))
        .flatMap(style => [style.animationName, style.transitionDuration])
        .filter(value => !['none', '0s'].includes(value))"""
    async with opened(window) as desk:
        try:
            for wanted, moving in (("no-preference", ["pulse", "pulse"]), ("reduce", [])):
                await desk.do("emulate", prefers_reduced_motion=wanted)
                await desk.do("go", f"{desk.home}/?q=waters")
                assert await desk.do("run", read) == moving
        finally:
            with trio.move_on_after(PATIENCE_S, shield=True):
                await desk.do("emulate")
        for name in ("newsapi", "guardian"):
            await desk.room.report(name, Status.EMPTY)
        await desk.do("wait", FINISHED)


async def test_the_script_fills_stories_as_the_server_does(window):
    """The list of a running search and the finished list have the same markup."""
    read = """return [...document.querySelectorAll('.story')].map(
        one => one.outerHTML.replace(/\\s+/g, ' ').replace(/> </g, '><'))"""
    async with opened(window) as desk:
        await desk.do("go", f"{desk.home}/?q=budget")
        await desk.room.report("guardian", Status.OK, "Parliament votes on the budget")
        await desk.do("wait", "document.querySelectorAll('.story').length === 1")
        filled = await desk.do("run", read)
        await desk.room.report("newsapi", Status.EMPTY)
        await desk.do("wait", FINISHED)
        assert await desk.do("run", read) == filled


async def test_hostile_text_is_text(window):
    """Nothing of a title runs, while the search streams and afterwards."""
    async with opened(window) as desk:
        await desk.do("go", f"{desk.home}/?q=waters")
        await desk.room.report("newsapi", Status.OK, *HOSTILE)
        await desk.do("wait", f"document.querySelectorAll('.story').length === {len(HOSTILE)}")
        await check_hostile_page(desk)
        await desk.room.report("guardian", Status.EMPTY)
        await desk.do("wait", FINISHED)
        await check_hostile_page(desk)


async def check_hostile_page(desk):
    """The titles are there as they were written, and the page is as wide as its window."""
    titles = "[...document.querySelectorAll('.story h2')].map(one => one.textContent)"
    assert sorted(await desk.do("run", f"return {titles}")) == sorted(HOSTILE)
    assert await desk.do("run", "return document.title") == "waters – newsintel"
    assert await desk.do("run", "return document.querySelectorAll('main img').length") == 0
    width = "return document.documentElement.scrollWidth - innerWidth"
    assert await desk.do("run", width) <= 0


async def test_a_search_that_fails_says_so(window):
    """The chips and the count tell what happened."""
    async with opened(window) as desk:
        await desk.do("go", f"{desk.home}/?q=waters")
        for name in ("newsapi", "guardian"):
            await desk.room.report(name, Status.TIMEOUT)
        await desk.do("wait", "document.querySelector('#count').innerText.startsWith('Every')")
        assert await desk.do("run", f"return {READ_CHIPS}") == ["timeout", "timeout"]


@pytest.fixture
def unscripted(window):
    """The browser, which runs no script of a page during the test."""
    window.control_scripts(False)
    yield window
    window.control_scripts(True)


async def test_without_scripts_the_page_waits_for_its_sources(unscripted):
    """The browser is sent to the same page, which waits; then it shows the results."""
    async with opened(unscripted) as desk:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(desk.do, "go", f"{desk.home}/?q=waters")
            await desk.room.report("newsapi", Status.OK, "Waters rise")
            await desk.room.report("guardian", Status.EMPTY)
        await desk.do("wait", "document.querySelectorAll('.story').length === 1")
        assert await desk.do("run", "return location.search") == "?q=waters&stream=0"
