"""Names of authors, as upstreams send them."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from newsintel.domain.search.article import MAX_NAME
from newsintel.domain.text.clean import to_plain_text
from newsintel.domain.text.markup import read_escaped
from newsintel.outbound.sources.bylines import read_byline
from tests.outbound.sources.replies import recorded_bodies
from tests.shared import needs_shared


@pytest.mark.parametrize(
    ("raw", "publisher", "byline"),
    [
        (
            "David Phelan, Senior Contributor, David Phelan https://www.forbes.com/sites/x/",
            "Forbes",
            "David Phelan",
        ),
        ("Sherman Lee, Contributor", "Forbes", "Sherman Lee"),
        ("Jane Doe, Forbes Staff", "Forbes", "Jane Doe"),
        ("Jane Doe, Former Contributor", "Forbes", "Jane Doe"),
        ("news@x.example (Jane Doe)", "X", "Jane Doe"),
        ("news@x.example (Doe, Jane)", "X", "Doe, Jane"),
        ("invalid@x.example (mmm-new), mmm-new", "X", "mmm-new"),
        ("Jane Doe | jdoe@x.example", "X", "Jane Doe"),
        ("Jane Doe <jdoe@x.example>", "X", "Jane Doe"),
        ("Jane Doe (@janedoe)", "X", "Jane Doe"),
        ("Jane Doe @janedoe", "X", "Jane Doe"),
        ("By Jane Doe", "X", "Jane Doe"),
        ("BY JANE DOE, John Roe", "X", "JANE DOE, John Roe"),
        ("By: Jane Doe", "X", "Jane Doe"),
        ("Jane Doe, USA TODAY", "USA Today", "Jane Doe"),
        ("Jane Doe, CFA, The Motley Fool", "Motley Fool", "Jane Doe"),
        ("Jan Ozer, Jan Ozer", "X", "Jan Ozer"),
        ("Jane Doe; John Roe", "X", "Jane Doe; John Roe"),
        ("Jane Doe and John Roe", "X", "Jane Doe and John Roe"),
        ("Von Miller", "X", "Von Miller"),
        ("Bylsma", "X", "Bylsma"),
        ("山田太郎", "朝日新聞", "山田太郎"),
        ("أحمد علي، محرر", "X", "أحمد علي، محرر"),
        ("Reuters Staff", "Reuters", "Reuters Staff"),
        ("Reuters", "Reuters", "Reuters"),
        ("Staff Writer", "X", "Staff Writer"),
        ("aol.com", "Biztoc.com", "aol.com"),
        ("Jane O'Neil-Roe, M.D.", "X", "Jane O'Neil-Roe"),
        ("https://www.facebook.com/bugle", "X", None),
        ("www.bugle.example", "X", None),
        ("@libero_official", "X", None),
        ("jane@x.example", "X", None),
        ('[{"name": "X"}]', "X", None),
        ("(Deleted account)", "X", None),
        ("x@y.example ()", "X", None),
        (",", "X", None),
    ],
)
def test_a_byline_is_names(raw: str, publisher: str, byline: str | None) -> None:
    """Roles, addresses, handles, the outlet and repeated names go; two authors stay two."""
    assert read_byline(raw, publisher) == byline


PIECES = st.sampled_from(
    [
        "Jane Doe",
        "By ",
        "by",
        ", ",
        "; ",
        "|",
        "x@y.example",
        " (",
        ")",
        "<",
        ">",
        "@z",
        "https://x",
    ]
    + [" ", "Staff", "Contributor", "CFA", "X", "é", "東", "{", "www."]
)


@given(st.lists(PIECES, max_size=10).map("".join))
@example(")www.By www.")
@example("By:www.example.org")
@example("By <www.example.org> By Jane")
def test_reading_a_byline_again_changes_nothing(raw: str) -> None:
    """And no address is left in it."""
    byline = read_byline(" ".join(raw.split()), "X")
    assert byline is None or (read_byline(byline, "X") == byline and byline.strip() == byline)
    assert "@" not in (byline or "")
    assert "://" not in (byline or "")


@needs_shared
def test_recorded_bylines_lose_only_what_is_no_name() -> None:
    """A person read all that change: addresses, handles, roles, outlets, names given twice."""
    changed = set()
    for _, body in recorded_bodies("newsapi"):
        for row in body["articles"]:
            author = to_plain_text(row["author"] or "", MAX_NAME, read_escaped)
            byline = read_byline(author, row["source"]["name"])
            if byline != author and byline is not None:
                changed.add(byline)
    assert changed == {
        "Matt Stahl",
        "Sarah Elbeshbishi",
        "Jennifer Sor",
        "Simply Wall St",
        "Theron Mohamed",
        "Parkev Tatevosian",
        "Sherman Lee",
        "Jan Ozer",
        "TechHeadKeta",
        "deafeningsylence",
        "mmm-new",
    }
