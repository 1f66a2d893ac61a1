"""Item ids of Google Reader."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsintel.domain.reader.item_ids import (
    ALPHABET,
    compute_number,
    parse_item_id,
    restore_prefix,
    write_long,
)

ARTICLE_IDS = st.text(ALPHABET, min_size=20, max_size=20).map("a_".__add__)


@given(ARTICLE_IDS)
def test_every_form_leads_back_to_the_article(article_id):
    """The number fits into 63 bits, and its prefix is the beginning of the article's id."""
    number = compute_number(article_id)
    assert 0 <= number < 1 << 63
    assert article_id.startswith(restore_prefix(number))
    assert {parse_item_id(form) for form in (write_long(number), f"{number:016x}")} == {number}
    assert len(str(number)) == 16 or parse_item_id(str(number)) == number


def test_the_forms_of_the_documentation():
    """The examples of feedhq.readthedocs.io/en/latest/api/terminology.html, in all three forms."""
    long_form = "tag:google.com,2005:reader/item/000000000000001F"
    assert {parse_item_id(form) for form in (long_form, "000000000000001F", "31")} == {31}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "-1",
        "tag:google.com,2005:reader/item/",
        "tag:google.com,2005:reader/item/0000000000000001F",
        "ffffffffffffffff",
        "99999999999999999999",
        "１２",
        "12 ",
    ],
)
def test_other_texts_are_refused(text):
    """Also ids of 64 bits that no article of ours can have."""
    with pytest.raises(ValueError, match=r"item"):
        parse_item_id(text)
