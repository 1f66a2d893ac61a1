"""GET /opensearch.xml, compared with the example of the specification, and used as it says."""

from urllib.parse import quote
from xml.etree import ElementTree as ET

import feedparser
import pytest

from newsintel.http.application import create_app
from tests.http.world import World, settings

EXAMPLE = b"""<?xml version="1.0" encoding="UTF-8"?>
<OpenSearchDescription xmlns="http://a9.com/-/spec/opensearch/1.1/">
  <ShortName>Web Search</ShortName>
  <Description>Use Example.com to search the Web.</Description>
  <Tags>example web</Tags>
  <Contact>admin@example.com</Contact>
  <Url type="application/rss+xml"
       template="http://example.com/?q={searchTerms}&amp;pw={startPage?}&amp;format=rss"/>
</OpenSearchDescription>
"""
"""The specification's "example of a simple OpenSearch description document", literally."""


async def read(public_url):
    """Return the description of a service under this address, and a client of the service."""
    world = World(settings=settings(NEWSINTEL_PUBLIC_URL=public_url))
    client = create_app(world.services).test_client()
    response = await client.get("/opensearch.xml", headers={"Host": public_url.split("/")[2]})
    kind = "application/opensearchdescription+xml; charset=utf-8"
    assert (response.status_code, response.headers["Content-Type"]) == (200, kind)
    root = ET.fromstring(await response.get_data())  # noqa: S314 - our own
    return root, client


async def test_the_description_has_the_form_of_the_specifications_example():
    """The same root and namespace, its required elements, and their limits."""
    root, _ = await read("https://news.example.org")
    example = ET.fromstring(EXAMPLE)  # noqa: S314 - a constant
    assert root.tag == example.tag
    names = {child.tag for child in root}
    assert {child.tag for child in example} - names <= {
        example.find(f"{{*}}{optional}").tag for optional in ("Tags", "Contact")
    }
    assert len(root.find("{*}ShortName").text) <= 16
    assert len(root.find("{*}Description").text) <= 1024
    for url in root.findall("{*}Url"):
        assert set(url.attrib) - {"rel"} == set(example.find("{*}Url").attrib)


@pytest.mark.parametrize("public_url", ["https://news.example.org", "http://localhost:8000"])
async def test_the_templates_work(public_url):
    """A program fills in what it searches for, percent-encoded, and gets a feed."""
    root, client = await read(public_url)
    urls = {url.get("type"): url.get("template") for url in root.findall("{*}Url")}
    assert urls["application/opensearchdescription+xml"] == f"{public_url}/opensearch.xml"
    for kind in ("text/html", "application/rss+xml", "application/feed+json"):
        asked = urls[kind].replace("{searchTerms}", quote('"Überflutung & Sturm" -film', safe=""))
        assert asked.startswith(public_url)
        response = await client.get(
            asked.removeprefix(public_url), headers={"Host": public_url.split("/")[2]}
        )
        assert response.status_code == 200
        assert response.content_type.startswith(kind)
        if "rss" in kind:
            feed = feedparser.parse(await response.get_data())
            assert feed.feed.title == 'newsintel: "Überflutung & Sturm" -film'
