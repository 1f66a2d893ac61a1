"""The tokens under both grammars; what they mean is tested with each grammar."""

import pytest

from newsintel.errors import InvalidParameterError
from newsintel.grammar import Token, alternatives, checked


def test_fields_count_only_where_they_are_named():
    """Without them a colon is part of its word."""
    assert alternatives("-title:A b:c") == [[Token("title:a", excluded=True), Token("b:c")]]
    assert alternatives("-title:A b:c", ("title",)) == [[Token("a", "title", excluded=True), Token("b:c")]]


def test_an_alternative_may_be_empty():
    """A dangling OR leaves one behind for the caller to judge."""
    assert alternatives("OR a") == [[], [Token("a")]]


def test_text_is_tidied_in_the_form_asked_for():
    """NFKC for words, NFC for names; the refusal names the parameter."""
    assert checked("  ℌe\u0301  x") == "Hé x"
    assert checked("  ℌe\u0301  x", "publisher", "NFC") == "ℌé x"
    with pytest.raises(InvalidParameterError, match="publisher must say"):
        checked(" ", "publisher")
