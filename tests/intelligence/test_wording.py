"""Terms are shown as their articles have them, and what need be asked for that is little."""

from hypothesis import given
from hypothesis import strategies as st

from newsintel.intelligence.wording import as_written, spellings


def test_only_words_that_may_be_meant_are_asked_about():
    """In the order of their first occurrence, each spelling once, absent texts passed over; parts of compounds too."""
    found = spellings(["Vaccine makers' VACCINES", None, "A Covid-19 vaccine for U.S. cities"], ["vaccin", "covid-19", "us"])
    assert list(found) == ["Vaccine", "VACCINES", "Covid-19", "Covid", "vaccine"]
    assert list(spellings(["US and usual"], ["us"])) == ["US", "usual"]


def test_a_term_is_the_first_word_that_becomes_it():
    """A compound stands for itself, not for its parts; what is nowhere written stays as it is."""
    becomes = {"Covid-19": ["-19", "covid", "covid-19"], "Vaccines": ["vaccin"], "vaccine": ["vaccin"], "the": []}
    words = ["the", "Covid-19", "Vaccines", "vaccine"]
    assert as_written(words, ["vaccin", "covid-19", "covid", "tide"], becomes) == ("Vaccines", "Covid-19", "covid", "tide")


@given(st.lists(st.none() | st.text(max_size=60), max_size=4), st.lists(st.text(min_size=1, max_size=5), max_size=4))
def test_any_text_has_its_words_found(texts, lexemes):
    """Every word is in one of the texts, and one per lexeme comes out."""
    found = spellings(texts, lexemes)
    assert all(any(word in (text or "") for text in texts) for word in found)
    assert len(as_written(found, lexemes, {word: [word.casefold()] for word in found})) == len(lexemes)
