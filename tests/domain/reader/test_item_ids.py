"""Item ids of Google Reader."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsintel.domain.reader.item_ids import (
    ALPHABET,
    MOST,
    PATTERN,
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
    forms = write_long(number), f"{number:016x}", str(number)
    assert {parse_item_id(form) for form in forms} == {number}
    assert all(re.fullmatch(PATTERN, form) for form in forms[:2])
    assert number >= 10**18 or re.fullmatch(PATTERN, forms[2])


@given(st.integers(-2, 2) | st.integers(10**17, 10**19) | st.integers(MOST - 2, MOST + 2))
def test_decimal_numbers_up_to_the_greatest_are_ids(number):
    """No other number is one, and the pattern allows no other."""
    try:
        accepted = parse_item_id(str(number)) == number
    except ValueError:
        accepted = False
    assert accepted is (0 <= number <= MOST)
    assert accepted or not re.fullmatch(PATTERN, str(number))


def test_sixteen_digits_are_decimal_unless_they_begin_with_zero():
    """So FreshRSS reads them; a hexadecimal id of ours always begins with 0."""
    assert parse_item_id("1234567890123456") == 1234567890123456
    assert parse_item_id("0234567890123456") == 0x234567890123456


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
