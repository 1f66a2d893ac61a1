"""What a person has read is dimmed on the pages, for this person alone."""

import pytest

from newsintel.domain.archive.model import Hit
from newsintel.http.application import create_app
from tests.fakes.accounts import browser
from tests.fakes.basics import MemorySearch
from tests.http.pages.parsed_page import get_page
from tests.http.world import NOW, World, article

HITS = [Hit(article(number), NOW, NOW) for number in (1, 2, 3)]


@pytest.mark.parametrize("path", ["/?q=trains&stream=0", "/search?q=title"])
async def test_read_articles_are_dimmed_for_their_reader_alone(path):
    """Another person and everybody else see them as ever; so does everybody without the marks."""
    world = World(archive=MemorySearch(HITS))
    alice, bob = await browser(world), await browser(world, "bob")
    account = await world.accounts.sign_in("dev", "alice", "alice", NOW)
    await world.read_marks.mark_read(account.id, [article(2).id], NOW)
    client = create_app(world.services).test_client(use_cookies=False)
    seen = []
    for headers in (alice, bob, {}):
        page, _ = await get_page(client, path, headers=headers)
        seen.append(page.attributes(".story.read", "id"))
        assert len(page.attributes(".story", "id")) == 3
    assert seen == [[article(2).id], [], []]
    world.read_marks.away = True
    page, _ = await get_page(client, path, headers=alice)
    assert page.attributes(".story.read", "id") == []
