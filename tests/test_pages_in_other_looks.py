"""The pages in high contrast, in forced colours, from right to left and on paper, in Chromium.

Contrast is computed as WCAG 2.2 defines it, from the colours that the browser uses.
"""

from contextlib import contextmanager

import pytest

from tests.service import running
from tests.webdriver import browser

pytestmark = pytest.mark.slow

ENOUGH, ENHANCED = 4.5, 7.0
"""Contrast of text: WCAG 2.2, 1.4.3 (AA) and 1.4.6 (AAA)."""

FIND_FAINT = """
    const least = arguments[0];
    const parse = text => text.match(/[\\d.]+/g).map(Number);
    const luminance = ([r, g, b]) => [r, g, b].map(v => v / 255)
        .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
        .reduce((sum, v, at) => sum + v * [0.2126, 0.7152, 0.0722][at], 0);
    const ground = one => {
        for (let at = one; at; at = at.parentElement) {
            const colour = parse(getComputedStyle(at).backgroundColor);
            if (colour.length < 4 || colour[3] === 1) return colour;
        }
        return [255, 255, 255];
    };
    const texts = [...document.querySelectorAll("body *")].filter(one =>
        [...one.childNodes].some(node => node.nodeType === 3 && node.data.trim()) &&
        one.checkVisibility() && !one.closest("svg, .hidden, .skip"));
    const faint = texts.map(one => {
        const [light, dark] = [parse(getComputedStyle(one).color), ground(one)]
            .map(luminance).sort((a, b) => b - a);
        return [(light + 0.05) / (dark + 0.05), one.outerHTML.slice(0, 120)];
    }).filter(([ratio]) => ratio < least);
    return [texts.length, faint];
"""
OWN = "/alerts?q=election"
"""A page that only somebody who is signed in sees: with a saved search, a form and a preview."""
PAGES = ["/", "/?q=climate", "/search?q=climate", "/docs", "/me/page", "/trends", OWN]


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    """A browser, and the address of a demo in which somebody has searched."""
    with (
        running(tmp_path_factory.mktemp("demo"), "demo", RATE_LIMIT="off") as up,
        browser(tmp_path_factory.mktemp("profile")) as window,
    ):
        up.search("climate")
        up.search("election")
        yield window, up.url.replace("127.0.0.1", "localhost")


@pytest.fixture(autouse=True)
def signed_in(opened, request):
    """Somebody is signed in, if the page is one of theirs, and has saved a search."""
    window, home = opened
    if OWN not in request.node.name:
        yield
        return
    window.go(f"{home}/me/page")
    window.write("input[name=username]", "look")
    window.click("button[value=sign_in]")
    window.go(home + OWN)
    window.click("button[value=create]")
    yield
    window.click("button[value=delete]")
    window.ask("DELETE", "/cookie")


@contextmanager
def emulated(window, media="", **features):
    """Let the browser use a medium and media features during the block."""
    wanted = [{"name": name.replace("_", "-"), "value": value} for name, value in features.items()]
    window.control("Emulation.setEmulatedMedia", media=media, features=wanted)
    try:
        yield
    finally:
        window.control("Emulation.setEmulatedMedia", media="", features=[])


def find_faint(window, least):
    """The texts with less contrast than `least`; there are texts."""
    count, faint = window.run(FIND_FAINT, least)
    assert count > 8
    return faint


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("look", ["light", "dark"])
def test_high_contrast_is_the_enhanced_one(opened, path, look):
    """For people who ask their system for more contrast; without it, the usual one."""
    window, home = opened
    with emulated(window, prefers_color_scheme=look, prefers_contrast="more"):
        window.go(home + path)
        assert find_faint(window, ENHANCED) == []
    with emulated(window, prefers_color_scheme=look, prefers_contrast="no-preference"):
        assert find_faint(window, ENOUGH) == []


@pytest.mark.parametrize("path", PAGES)
def test_forced_colours_are_those_of_the_system(opened, path):
    """Text, borders and marks stay visible where a system replaces all colours."""
    window, home = opened
    with emulated(window, forced_colors="active", prefers_color_scheme="dark"):
        window.go(home + path)
        assert window.run("return matchMedia('(forced-colors: active)').matches")
        assert find_faint(window, ENHANCED) == []
        for css in ("button", "input"):
            edges = window.every(
                f"{css}:not([hidden], dialog *)", "getComputedStyle(one).borderStyle"
            )
            assert set(edges) <= {"solid"}
        dots = window.every("#chips li", "getComputedStyle(one, '::before').borderTopWidth")
        assert all(width == "1px" for width in dots)
        assert bool(dots) is (path == "/?q=climate")


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("width", [1000, 400])
def test_right_to_left_mirrors_the_page(opened, path, width):
    """As with `dir=rtl` in a translation: nothing sticks out, and what was left is right."""
    window, home = opened
    window.ask("POST", "/window/rect", width=width, height=700)
    try:
        window.go(home + path)
        edges = "document.querySelector('.brand').getBoundingClientRect()"
        usual = window.run(f"const at = {edges}; return [at.left, innerWidth - at.right]")
        window.run("document.documentElement.dir = 'rtl'")
        mirrored = window.run(f"const at = {edges}; return [innerWidth - at.right, at.left]")
        # A scroll bar, if there is one, may change sides.
        assert mirrored == pytest.approx(usual, abs=20)
        assert (
            window.run(
                "const root = document.documentElement; return root.scrollWidth - root.clientWidth"
            )
            <= 0
        )
        titles = window.every(".story h2 span", "getComputedStyle(one).direction")
        assert set(titles) <= {"ltr"}  # each text keeps its own direction
        assert bool(titles) is (path in ("/?q=climate", "/search?q=climate"))
    finally:
        window.ask("POST", "/window/rect", width=1000, height=700)


@pytest.mark.parametrize("path", [*PAGES, "STORY"])
def test_a_phone_needs_no_scrolling_sideways(opened, path):
    """At 320 pixels (WCAG 2.2, 1.4.10). Wide tables and drawings scroll within the page."""
    window, home = opened
    phone = {"width": 320, "height": 640, "deviceScaleFactor": 2, "mobile": True}
    window.control("Emulation.setDeviceMetricsOverride", **phone)
    try:
        window.go(home + ("/?q=climate" if path == "STORY" else path))
        if path == "STORY":
            window.click(".story .view")
        window.run("document.querySelectorAll('details').forEach(one => { one.open = true; })")
        assert window.run("return [innerWidth, document.documentElement.scrollWidth]") == [320, 320]
    finally:
        window.control("Emulation.clearDeviceMetricsOverride")


def test_the_side_is_on_the_other_side(opened):
    """Facets fold at the end of the line, wherever that is."""
    window, home = opened
    window.go(f"{home}/?q=climate")
    find = "document.querySelector('aside').getBoundingClientRect().left"
    first = "document.querySelector('.story').getBoundingClientRect().left"
    assert window.run(f"return {find} > {first}")
    window.run("document.documentElement.dir = 'rtl'")
    assert window.run(f"return {find} < {first}")


@pytest.mark.parametrize("look", ["light", "dark"])
def test_paper_has_the_stories_and_where_they_are(opened, look):
    """Dark on white in both themes, without what only a screen can use."""
    window, home = opened
    window.go(f"{home}/?q=climate")
    with emulated(window, media="print", prefers_color_scheme=look):
        gone = "nav, .search, .timeline, aside, footer, .foot"
        assert not any(window.every(gone, "one.checkVisibility()"))
        assert all(window.every(".story h2", "one.checkVisibility()"))
        assert find_faint(window, ENOUGH) == []
        assert window.run("return getComputedStyle(document.body).backgroundColor") == (
            "rgb(255, 255, 255)"
        )
        shown = 'getComputedStyle(one, \'::after\').content === `" (" attr(href) ")"`'
        hrefs = "getComputedStyle(one, '::after').content.includes(one.getAttribute('href'))"
        assert all(window.every(".story h2 a", f"{shown} || {hrefs}"))
        page = window.control("Page.printToPDF", printBackground=False)
        assert len(page["data"]) > 10_000
