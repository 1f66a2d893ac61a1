"""GET /docs: the description of the API for people, complete and without foreign parts."""

import gzip

import pytest

from newsintel.http.application import create_app
from newsintel.http.routes.pages.docs_page import describe_schema
from tests.http.pages.parsed_page import get_page
from tests.http.world import World


async def test_every_operation_and_body_is_there():
    """What /openapi.json has, by its ids; every link leads somewhere."""
    client = create_app(World().services).test_client()
    page, response = await get_page(client, "/docs")
    document = await (await client.get("/openapi.json")).get_json()
    wanted = {
        one["operationId"] for methods in document["paths"].values() for one in methods.values()
    } | set(document["components"]["schemas"])
    ids = page.attributes("[id]", "id")
    assert wanted <= set(ids)
    assert len(ids) == len(set(ids))
    fragments = {link[1:] for link in page.attributes("main a", "href") if link.startswith("#")}
    assert fragments <= set(ids)
    assert "/articles/stream" in page.texts("summary code")
    assert "trusted-types 'none'" in response.headers["Content-Security-Policy"]


async def test_the_page_is_sent_compressed():
    """It has a hundred kilobytes, and is the same for everybody."""
    client = create_app(World().services).test_client()
    plain = await client.get("/docs")
    packed = await client.get("/docs", headers={"Accept-Encoding": "gzip"})
    assert gzip.decompress(await packed.get_data()) == await plain.get_data()
    assert packed.headers["Content-Security-Policy"] == plain.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"$ref": "#/components/schemas/Article"}, "Article"),
        ({"type": "array", "items": {"type": "string"}}, "list of string"),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, "string or null"),
        ({"type": "integer", "minimum": 1, "maximum": 9}, "integer, 1 to 9"),
        ({"type": "string", "format": "date"}, "string, date"),
        ({"type": "string", "enum": ["a", "b"]}, "a | b"),
        ({"type": "object", "additionalProperties": {"type": "number"}}, "map of number"),
        ({"type": "object", "additionalProperties": False}, "object"),
        ({}, "any JSON"),
    ],
)
def test_a_schema_is_described_in_a_few_words(schema, words):
    """Each kind that our descriptions have."""
    assert describe_schema(schema) == words
