"""A page as a parser of another project reads it."""

from selectolax.lexbor import LexborHTMLParser


class ParsedPage:
    """A parsed page: its text, and its elements by CSS selector."""

    def __init__(self, markup):
        self.tree = LexborHTMLParser(markup)

    def texts(self, css):
        """The text of each element, with folded spaces."""
        return [" ".join(node.text().split()) for node in self.tree.css(css)]

    def attributes(self, css, name):
        """One attribute of each element."""
        return [node.attributes.get(name) for node in self.tree.css(css)]


async def get_page(client, path, **more):
    """Return the parsed page at a path and its response."""
    response = await client.get(path, **more)
    assert response.content_type == "text/html; charset=utf-8", response.content_type
    return ParsedPage(await response.get_data(as_text=True)), response
