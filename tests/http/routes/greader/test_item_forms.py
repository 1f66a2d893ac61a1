"""The forms in which clients of Google Reader write item ids, in bodies as they send them."""

from urllib.parse import quote

import pytest
from jsonschema import Draft202012Validator

from newsintel.domain.reader.item_ids import MOST, compute_number
from newsintel.http.application import create_app
from tests.http.routes.greader.reader_client import API, FORM, STATE, Reader, make_world, numbered
from tests.http.world import World

ONE, TWO, THREE = numbered(1), numbered(2), numbered(3)


def write_forms(hit):
    """Every form of an article's item id."""
    number = compute_number(hit.article.id)
    long_form = f"tag:google.com,2005:reader/item/{number:016x}"
    return str(number), f"{number:016x}", f"{number:016X}", long_form, quote(long_form, safe="")


@pytest.mark.parametrize("media_type", [FORM, f"{FORM}; charset=UTF-8", FORM.upper()])
@pytest.mark.parametrize("style", range(5))
async def test_several_items_are_marked_at_once(style, media_type):
    """The others stay unread, and no token is needed."""
    reader = await Reader.of(await make_world(ONE, TWO, THREE))
    items = "&".join(f"i={write_forms(hit)[style]}" for hit in (ONE, THREE))
    form = f"{items}&a={STATE}read&ac=edit-tags&T="
    answer = await reader.ask(f"{API}/edit-tag", form=form, **{"Content-Type": media_type})
    assert (answer.status_code, await answer.get_data()) == (200, b"OK")
    left = await reader.get(f"{API}/stream/items/ids?s={STATE}reading-list&xt={STATE}read")
    assert [one["id"] for one in left["itemRefs"]] == [str(compute_number(TWO.article.id))]


@pytest.mark.parametrize("path", ["/edit-tag", "/stream/items/contents"])
@pytest.mark.parametrize(
    "value",
    [0, 5, MOST, MOST + 1, -1, 1.5, True, "0", "5", "05", "x", "", f"{5:016x}", f"a{5:015x}"],
)
async def test_an_item_id_is_described_as_it_is_read(path, value):
    """A form does not say whether 5 is a number or a text. jsonschema decides what is described."""
    client = create_app(World().services).test_client()
    document = await (await client.get("/openapi.json")).get_json()
    content = document["paths"][API + path]["post"]["requestBody"]["content"]
    described = Draft202012Validator(content[FORM]["schema"]["properties"]["i"]).is_valid([value])
    reader = await Reader.of(await make_world(ONE))
    answer = await reader.ask(API + path, form=f"i={value}")
    assert (answer.status_code == 200) is described
