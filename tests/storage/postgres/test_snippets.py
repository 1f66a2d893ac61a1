"""Marks become offsets."""

import pytest

from newsintel.archive_model import Snippet
from newsintel.storage.postgres.snippets import snippet


@pytest.mark.parametrize(
    ("passages", "expected"),
    [
        (("a \x02cat\x03 and \x02dogs\x03",), Snippet("a cat and dogs", ((2, 5), (10, 14)))),
        (("\x02cat\x03\x02s\x03",), Snippet("cats", ((0, 3), (3, 4)))),
        (("👩‍👩‍👧 \x02é\x03",), Snippet("👩‍👩‍👧 é", ((6, 7),))),
        (("no match", "a \x02cat\x03"), Snippet("a cat", ((2, 5),))),
        (("<b>\x02cat\x03</b> &amp;",), Snippet("<b>cat</b> &amp;", ((3, 6),))),
        (("no match", None), None),
        (("", ""), None),
    ],
)
def test_marks_become_offsets_in_code_points(passages, expected):
    """The first passage with a match counts; everything but the marks is text."""
    assert snippet(passages) == expected
