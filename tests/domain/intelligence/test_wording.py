"""Terms are shown as their articles spell them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsintel.domain.intelligence.wording import find_spellings
from newsintel.domain.text.lexemes import make_lexeme
from newsintel.domain.text.tokens import split_words


@pytest.mark.parametrize(
    ("texts", "language", "lexemes", "expected"),
    [
        (["Vaccine makers", "VACCINES"], "en", ["en:vaccin", "en:maker"], ("Vaccine", "makers")),
        (
            [None, "", "A Covid-19 vaccine in the U.S."],
            "en",
            ["en:us", "19", "en:covid"],
            ("U.S", "19", "Covid"),
        ),
        (["Café, cafe"], "fr", ["fr:caf"], ("Café",)),
        (["Apple’s L’Ukraine"], "en", ["en:appl", "en:ukrain"], ("Apple", "Ukraine")),
        (["東京で地震"], "", ["地震", "震"], ("地震",)),
        (["東京の強い地震で", "地震"], "", ["い地", "地震", "東京", "強い"], ("強い地震", "東京")),
        (["ไฟไหม้โรงงานในกรุงเทพ"], "", ["กรุ", "งา", "รง", "โร"], ("กรุ", "งา", "โรง")),
        (["the tide"], "en", ["en:elect", "tide"], ("elect", "tide")),
        ([], "en", ["en:x:y"], ("y",)),
    ],
)
def test_a_term_is_shown_as_the_first_word_with_its_lexeme(texts, language, lexemes, expected):
    """Absent texts are skipped. A term that no text has is shown without its language."""
    assert find_spellings(texts, lexemes, language) == expected


@given(
    st.lists(st.none() | st.text(max_size=60), max_size=4), st.sampled_from(["", "en", "fr", "ru"])
)
def test_every_word_is_shown_as_some_text_spells_it(texts, language):
    """No word is shown twice. In a script without spaces, overlapping terms become one word."""
    lexemes = list(
        {make_lexeme(one.word, language) for text in texts for one in split_words(text or "")}
    )
    shown = find_spellings(texts, lexemes, language)
    assert len(shown) == len(set(shown)) <= len(lexemes)
    assert all(any(word in (text or "") for text in texts) for word in shown)
