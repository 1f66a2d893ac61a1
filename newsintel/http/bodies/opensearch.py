"""The OpenSearch description document (OpenSearch 1.1 Draft 6)."""

from xml.etree.ElementTree import Element, SubElement, tostring

from newsintel.http.bodies.formats import MEDIA_TYPES, Format

OPENSEARCH_TYPE = "application/opensearchdescription+xml"
NAMESPACE = "http://a9.com/-/spec/opensearch/1.1/"
FEEDS = (Format.RSS, Format.JSON_FEED)


def build_description(page_url: str, search_url: str, own_url: str) -> bytes:
    """Return the document.

    Only `searchTerms` is in the templates: a program replaces an optional parameter that it does
    not know by nothing, and our parameters have no empty values.

    Args:
        page_url: the address of the page that shows results to people, without parameters.
        search_url: the address of the search, without parameters.
        own_url: the address of this document.
    """
    root = Element("OpenSearchDescription", xmlns=NAMESPACE)
    SubElement(root, "ShortName").text = "newsintel"  # at most 16 characters
    SubElement(root, "Description").text = "Search every news source at once."
    SubElement(root, "Url", type="text/html", template=f"{page_url}?q={{searchTerms}}")
    for one in FEEDS:
        template = f"{search_url}?q={{searchTerms}}&format={one}"
        kind = MEDIA_TYPES[one].partition(";")[0]
        SubElement(root, "Url", type=kind, template=template)
    SubElement(root, "Url", type=OPENSEARCH_TYPE, rel="self", template=own_url)
    for name in ("OutputEncoding", "InputEncoding"):
        SubElement(root, name).text = "UTF-8"
    document: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return document
