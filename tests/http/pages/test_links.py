"""The addresses on pages are relative, and change single parameters."""

import pytest

from newsintel.http.pages.links import PageLinks


@pytest.mark.parametrize(
    ("path", "root"), [("/", "./"), ("/search", "./"), ("/story/a_1", "../"), ("/me/page", "../")]
)
def test_the_root_is_relative_to_the_page(path, root):
    """So pages also work behind a path prefix."""
    links = PageLinks(path, {})
    assert links.root == root
    assert links.to("articles", q="a & b", language=None) == f"{root}articles?q=a+%26+b"


def test_another_page_gets_what_it_takes():
    """The rest stays behind: each page refuses parameters that it does not know."""
    links = PageLinks.of("/search", b"q=a+%26+b&publisher=Le+Monde&cursor=x&sort=")
    assert links.same("archive", "q", "sort", "publisher", format="rss") == (
        "./archive?q=a+%26+b&publisher=Le+Monde&format=rss"
    )
    assert links.same("", "language") == "./"


def test_a_change_keeps_the_other_parameters():
    """A link to other results forgets the place in the old ones."""
    links = PageLinks.of("/", b"q=%F0%9F%99%82+a&from=&page=3&stream=0&sort=newest")
    assert links.change(publisher="Le Monde") == "?q=%F0%9F%99%82+a&sort=newest&publisher=Le+Monde"
    assert links.change(page="4", sort=None) == "?q=%F0%9F%99%82+a&page=4"
