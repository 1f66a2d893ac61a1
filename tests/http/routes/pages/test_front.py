"""GET /: the search box, the results, and the page of a search that still runs."""

import json

import pytest
from attrs import evolve

from newsintel.domain.search.article import Group, Member, Rule
from newsintel.domain.search.harvest import Merge, Ranked, ScoreParts, Via
from newsintel.domain.search.outcome import Status
from newsintel.domain.search.query_model import Dedupe
from newsintel.http.application import create_app
from newsintel.runtime.search.flight import Flight
from tests.fakes.accounts import browser
from tests.http.pages.parsed_page import ParsedPage, get_page
from tests.http.world import NOW, Desk, World, answer, article, outcome, settings, stale
from tests.make import query
from tests.samples import read_counter

HOSTILE = "\"><script>alert(1)</script><b>\u202e\u2066 🙂 '&amp;"


def story(number, publisher="The Guardian", *others, **changes):
    """A story that a publisher and others report."""
    members = [Member(evolve(article(number), publisher=publisher, **changes))]
    for place, name in enumerate(others, start=1):
        other = evolve(article(number * 10 + place), publisher=name)
        members.append(Member(other, Rule.NEAR_TITLE, 0.93))
    parts = ScoreParts(0.3, 0.1, 0.05, 0.05, 0.0, 0.0)
    return Ranked(Group(tuple(members), members[0].article), parts)


def world_of(*stories, **more):
    """A world whose search finds these stories."""

    def made_by(query):
        return evolve(answer(query, articles=0), merge=Merge(Dedupe.NORMAL, stories))

    return World(desk=Desk(made_by=made_by), **more)


def running():
    """A search that still runs."""
    return Flight(query(), 10.0, on_answer=lambda *_: None)


def client_of(world):
    """A client without cookies of its own."""
    return create_app(world.services).test_client(use_cookies=False)


async def test_the_first_page_is_a_search_box():
    """Caches keep it; the next request needs no route. It names the search to browsers."""
    client = client_of(World())
    page, response = await get_page(client, "/")
    assert page.attributes("form[role=search]", "action") == ["./"]
    assert page.attributes("input[type=search]", "name") == ["q"]
    assert page.attributes("link[rel=search]", "href") == ["./opensearch.xml"]
    assert response.headers["Cache-Control"] == "public, max-age=300"
    again = await client.get("/")
    assert again.headers["Cache-Status"].startswith("newsintel; hit")
    assert again.headers["Content-Security-Policy"] == response.headers["Content-Security-Policy"]
    held = await client.get("/", headers={"If-None-Match": response.headers["ETag"]})
    assert held.status_code == 304


async def test_the_policy_allows_only_files_of_this_service():
    """Nothing inline, no markup from text, nothing from other origins, in no frame."""
    page, response = await get_page(client_of(World()), "/?q=flood")
    policy = dict(
        part.strip().split(" ", 1)
        for part in response.headers["Content-Security-Policy"].split(";")
    )
    for name in ("default-src", "base-uri", "frame-ancestors", "trusted-types"):
        assert policy.pop(name) == "'none'"
    assert policy.pop("require-trusted-types-for") == "'script'"
    assert set(policy.values()) == {"'self'"}
    assert page.attributes("script:not([src])", "type") == []
    assert page.texts("style") == []
    for node in page.tree.css("*"):
        assert not any(name == "style" or name.startswith("on") for name in node.attributes)


async def test_results_show_each_story_with_its_reports():
    """The reason of each merge stands beside it; links open the article and the story."""
    world = world_of(story(1, "Le Monde", "BBC News", section="World"), story(2))
    page, response = await get_page(client_of(world), "/?q=flood")
    assert response.status_code == 200
    assert page.texts(".story h2") == ["Title 1", "Title 2"]
    assert page.texts(".story .section") == ["World"]
    assert page.texts(".story summary") == ["1 more report"]
    assert page.texts(".reports .who") == ["BBC News"]
    assert page.texts(".why") == ["similar headline, 93 %"]
    assert page.attributes(".story .open", "href") == [article(1).url, article(2).url]
    assert page.attributes(".story .view", "href") == [f"./story/{article(n).id}" for n in (1, 2)]
    assert page.texts("#chips li") == ["NewsAPI off", "The Guardian answered, 312 ms"]
    assert page.texts("#count") == ["2 stories"]
    assert page.attributes("link[rel=alternate]", "href") == [
        "./articles?q=flood&format=rss",
        "./articles?q=flood&format=jsonfeed",
    ]
    assert page.texts("#timeline title") == [
        "1 Mar 2026, 10:00: 1 story",
        "1 Mar 2026, 11:00: 1 story",
    ]
    assert page.attributes("#timeline a", "href")[0] == (
        "?q=flood&from=2026-03-01T10:00:00Z&to=2026-03-01T10:59:59Z"
    )


async def test_the_links_of_a_page_keep_its_search():
    """A reader that subscribes gets what the page shows; archive and alerts know its filters."""
    world = world_of(story(1))
    client = client_of(world)
    kept = "q=flood&sources=guardian&from=2026-02-01&to=2026-02-28&language=en"
    view = "sort=newest&dedupe=off&limit=5"
    page, _ = await get_page(client, f"/?{kept}&{view}&page=2&publisher=BBC&explain=1&stream=0")
    feeds = page.attributes("link[rel=alternate]", "href")
    assert feeds == [f"./articles?{kept}&{view}&format={one}" for one in ("rss", "jsonfeed")]
    archive = "q=flood&sources=guardian&publisher=BBC&from=2026-02-01&to=2026-02-28&language=en"
    alert = "q=flood&sources=guardian&publisher=BBC&language=en"
    assert page.attributes(".more a", "href") == [f"./alerts?{alert}", f"./search?{archive}"]
    for href in (*feeds, f"./search?{archive}"):
        assert (await client.get(href.removeprefix("."))).status_code == 200
    assert len(set(world.desk.asked)) == 1


async def test_foreign_text_stays_text():
    """Titles, names and the query itself are written by strangers."""
    world = world_of(
        story(1, HOSTILE, HOSTILE, title=HOSTILE, description=HOSTILE, section=HOSTILE)
    )
    page, _ = await get_page(client_of(world), "/", query_string={"q": HOSTILE})
    assert page.texts(".story h2") == [" ".join(HOSTILE.split())]
    assert page.attributes("#q", "value") == [HOSTILE.translate({0x202E: None, 0x2066: None})]
    assert page.tree.css("main script, main b:not([dir]):not(.chips b)") == []
    assert page.tree.css("[onclick], [onerror]") == []
    for css in (".story h2 span", ".about", ".section", ".reports .who"):
        assert page.attributes(css, "dir") == ["auto"]


async def test_a_repeat_is_answered_from_memory_and_recorded():
    """As for /articles: the same headers for caches, one record per person and minute."""
    world = world_of(story(1))
    client = client_of(world)
    first = await client.get("/?q=flood")
    again = await client.get("/?q=flood")
    assert len(world.desk.asked) == 1
    assert await again.get_data() == await first.get_data()
    assert again.headers["Cache-Status"] == "newsintel; hit; ttl=300"
    assert first.headers["Cache-Control"].startswith("public, max-age=300, stale-while-revalidate")
    assert again.headers["Content-Security-Policy"] == first.headers["Content-Security-Policy"]
    held = await client.get("/?q=flood", headers={"If-None-Match": first.headers["ETag"]})
    assert held.status_code == 304
    assert world.inbox[1].receive_nowait().query == "flood"
    assert world.inbox[1].statistics().current_buffer_used == 0


async def test_the_tags_of_page_and_json_differ():
    """They are different answers, and so are two choices of publishers."""
    client = client_of(world_of(story(1)))
    paths = ("/articles?q=flood", "/?q=flood", "/?q=flood&publisher=The+Guardian")
    tags = {(await client.get(path)).headers["ETag"] for path in paths}
    assert len(tags) == 3


async def test_a_person_sees_their_name_and_no_cache_keeps_it():
    """The page for everybody stays without a name."""
    world = world_of(story(1))
    client = client_of(world)
    await client.get("/?q=flood")
    page, response = await get_page(client, "/?q=flood", headers=await browser(world, "alice"))
    assert "alice" in page.texts("nav a")
    assert response.headers["Cache-Control"] == "private, no-store"
    assert "ETag" not in response.headers
    page, _ = await get_page(client, "/?q=flood")
    assert "Sign in" in page.texts("nav a")


async def test_publishers_are_kept_and_dropped():
    """The choice is in the address; the counts stay those of all stories."""
    client = client_of(world_of(story(1, "A"), story(2, "B"), story(3, "A", "B")))
    page, _ = await get_page(client, "/?q=flood&publisher=B")
    assert page.texts(".story h2") == ["Title 2", "Title 3"]
    assert page.texts(".facet li") == ["A 2", "B 2"]
    page, _ = await get_page(client, "/?q=flood&without=A&publisher=")
    assert page.texts(".story h2") == ["Title 2", "Title 3"]
    assert "?q=flood&publisher=A" in page.attributes(".facet a", "href")
    page, _ = await get_page(client, "/?q=flood&publisher=nobody")
    assert "Nothing found with this choice" in page.texts(".empty")[0]


async def test_pages_follow_each_other():
    """Links lead to the next and the previous page of the same search."""
    client = client_of(world_of(*(story(number) for number in range(1, 6))))
    page, _ = await get_page(client, "/?q=flood&limit=2&page=2")
    assert page.texts(".story h2") == ["Title 3", "Title 4"]
    assert page.attributes("#pages a", "href") == [
        "?q=flood&limit=2&page=1",
        "?q=flood&limit=2&page=3",
    ]
    assert page.attributes("#stories", "start") == ["3"]


async def test_a_running_search_is_sent_at_once():
    """The script follows the stream; without scripts, the browser asks for the waiting page."""
    world = World()
    world.desk.flight = running()
    page, response = await get_page(client_of(world), "/?q=flood&language=de")
    assert response.headers["Cache-Control"] == "no-store"
    assert page.texts("#chips li") == ["NewsAPI off", "The Guardian waiting"]
    [stream], [finished] = (
        page.attributes("#stories", f"data-{name}") for name in ("stream", "page")
    )
    assert stream == "./articles/stream?q=flood&language=de"
    assert finished == "?q=flood&language=de&stream=0"
    [refresh] = page.attributes("noscript meta", "content") or [None]
    assert refresh in (None, f"0; url={finished}")  # a parser may read noscript as text
    assert f"0; url={finished}".replace("&", "&amp;") in await response.get_data(as_text=True)
    words = json.loads(page.attributes("#stories", "data-words")[0])
    assert words["statuses"]["timeout"] == "too late"
    assert world.inbox[1].statistics().current_buffer_used == 0  # the stream records the search
    page, _ = await get_page(client_of(world), finished.replace("?", "/?", 1))
    assert page.texts(".story h2") == ["Title 1", "Title 2", "Title 3"]


async def test_the_scripts_template_has_every_part_of_a_story():
    """The script fills a copy of the same markup that the server fills."""
    world = World()
    world.desk.flight = running()
    _, response = await get_page(client_of(world), "/?q=flood")
    markup = await response.get_data(as_text=True)
    blank = ParsedPage(markup.partition('<template id="blank">')[2].partition("</template>")[0])
    full = story(1, "A", "B", section="World", description="Text", language="en", engagement=None)
    shown, _ = await get_page(client_of(world_of(full)), "/?q=flood")
    parts = {node.attributes["class"] for node in shown.tree.css(".story [class]")}
    assert parts <= {node.attributes["class"] for node in blank.tree.css("[class]")}
    assert {"talk", "about", "section", "why"} <= {
        node.attributes["class"] for node in blank.tree.css("[class]")
    }


@pytest.mark.parametrize(
    ("status", "expected"),
    [(Status.TIMEOUT, 504), (Status.UNREACHABLE, 502), (Status.OVERLOADED, 503)],
)
async def test_a_search_without_answer_is_a_page_with_the_status(status, expected):
    """It shows what became of each source, and counts as a failed search."""

    def made_by(query):
        return answer(query, outcome(status), articles=0)

    world = World(desk=Desk(made_by=made_by))
    page, response = await get_page(client_of(world), "/?q=flood")
    assert response.status_code == expected
    assert response.headers["Cache-Control"] == "no-store"
    assert page.attributes("#chips li", "data-status") == [status]
    assert page.attributes("#q", "value") == ["flood"]
    assert ("Retry-After" in response.headers) == (expected == 503)
    assert read_counter(world.metrics, "searches", via="failed") == 1


async def test_an_older_answer_says_so():
    """The sources' state is that of the failed refresh."""
    world = World(desk=Desk(made_by=lambda query: stale(query, Status.TIMEOUT)))
    page, _ = await get_page(client_of(world), "/?q=flood")
    assert "from an earlier search" in page.texts("#count")[0]
    assert page.attributes("#chips li", "data-status") == ["timeout"]


@pytest.mark.parametrize("written", ["limit=0&q=a", "q=a&nonsense=1", "q=a&q=b", "q=%22"])
async def test_a_wrong_address_is_explained_on_a_page(written):
    """With the status of the API; programs that want JSON use /articles."""
    page, response = await get_page(client_of(World()), f"/?{written}")
    assert response.status_code == 400
    assert page.texts("h1") == ["Invalid parameter"]


async def test_empty_fields_of_a_form_are_absent():
    """A browser without scripts sends them. An unknown field is wrong even if it is empty."""
    client = client_of(World())
    _, response = await get_page(client, "/?q=flood&from=&to=&language=")
    assert response.status_code == 200
    _, response = await get_page(client, "/?q=flood&nonsense=")
    assert response.status_code == 400


async def test_no_source_is_said_on_the_first_page():
    """The settings that turn sources on are named."""
    world = World(settings=settings(NEWSINTEL_GUARDIAN_KEY=""))
    page, _ = await get_page(client_of(world), "/")
    assert "NEWSINTEL_GUARDIAN_KEY" in page.texts(".notice")[0]


async def test_no_source_is_said_while_a_search_runs_too():
    """It ends without news, and the script adds only stories to this page."""
    world = World(settings=settings(NEWSINTEL_GUARDIAN_KEY=""))
    world.desk.flight = running()
    page, _ = await get_page(client_of(world), "/?q=flood")
    assert page.texts("#count") == ["Asking the sources …"]
    assert "NEWSINTEL_GUARDIAN_KEY" in page.texts(".notice")[0]


async def test_hits_while_a_renewal_runs_are_sent_too():
    """A page older than its lifetime is served while the desk renews it."""
    world = world_of(story(1))
    client = client_of(world)
    await client.get("/?q=flood")
    world.desk.renews, world.now = True, NOW.replace(hour=13)
    response = await client.get("/?q=flood")
    assert response.status_code == 200
    assert len(world.desk.asked) == 1
    assert read_counter(world.metrics, "searches", via=Via.REVALIDATED) == 1
