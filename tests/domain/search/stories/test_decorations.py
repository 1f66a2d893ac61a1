"""What outlets add to a title is cut, and never more."""

import pytest
from hypothesis import given

from newsintel.domain.search.stories.decorations import cut_decorations
from newsintel.domain.search.stories.parsed_title import parse_title
from newsintel.domain.text.clean import fold
from tests.values import titles, unhurried


@pytest.mark.parametrize(
    "title",
    [
        "live:",
        "(video)",
        "live: (video)",
        "update",
        "live",
        "opening bell 10 march | asian markets slump",
        "well-lived: a life",
        "unemployment falls to its lowest level since 1990 - reuters poll",
        "\u2026",
    ],
)
def test_a_title_keeps_what_only_looks_like_a_decoration(title):
    """Cutting never empties a title and never removes what belongs to it."""
    assert cut_decorations(title) in {title, "(video)"}


@pytest.mark.parametrize(
    ("title", "bare"),
    [
        ("UPDATE 2-Toyota recalls two million cars", "Toyota recalls two million cars"),
        ("EXCLUSIVE-UPDATE 1-Toyota recalls cars", "Toyota recalls cars"),
        ("BREAKING: Toyota recalls cars (video)", "Toyota recalls cars"),
        (
            "Toyota recalls two million cars over airbags - BBC News",
            "Toyota recalls two million cars over airbags",
        ),
        (
            "Toyota recalls two million cars over airbags | The Verge",
            "Toyota recalls two million cars over airbags",
        ),
    ],
)
def test_decorations_are_cut(title, bare):
    """In front and at the end."""
    assert cut_decorations(title) == bare


@unhurried
@given(titles)
def test_cutting_leaves_some_text(title):
    """A title with text never becomes empty."""
    assert bool(parse_title(title).folded) == bool(fold(title))
