"""One form for all spellings of a word, held against Unicode's own rules on every code point that there is."""

import sys
import unicodedata

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from newsintel.domain.search.matching import run, words_of
from newsintel.domain.text.folding import exact_word, plain_name, plain_word
from newsintel.domain.text.languages import SIMPLE

EVERY = [chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code <= 0xDFFF and chr(code) != "\n"]
IGNORED = regex.compile(r"\p{Default_Ignorable_Code_Point}")
APOSTROPHES = regex.compile("[\u02bb-\u02bf]")
OTHERWISE = regex.compile(
    r"[\u055b\u055c\u055e\u0587\p{Block=Hebrew}\p{Block=Arabic}\p{Block=Arabic_Supplement}\p{Block=Arabic_Extended_A}\p{Block=Alphabetic_Presentation_Forms}"
    r"\p{Block=Arabic_Presentation_Forms_A}\p{Block=Arabic_Presentation_Forms_B}]"
)
"""Where newspapers leave marks out or set them within words, or write one letter for another."""


def of_each(function, texts):
    """A function's result for each text, in one call: nothing folds, or is composed, across the end of a line."""
    return function("\n".join(texts)).split("\n")


def nfkc_casefold(text):
    """Unicode's toNFKC_Casefold (3.13, R5): the mapping to its fixed point, the ignorable of the first plane as `regex` knows them."""
    while True:
        seen = IGNORED.sub(lambda char: char[0] * (char[0] > "\uffff"), unicodedata.normalize("NFKC", text).casefold())
        folded = unicodedata.normalize("NFKC", seen)
        if folded == text:
            return regex.sub(r"\p{Nd}", lambda digit: str(unicodedata.decimal(digit[0], digit[0])), folded)
        text = folded


def test_every_code_point_is_folded_as_unicode_says():
    """And digits of every script become 0-9."""
    every = zip(EVERY, of_each(exact_word, EVERY), of_each(nfkc_casefold, EVERY), strict=True)
    differ = [char for char, ours, theirs in every if ours != theirs]
    assert [char for char in differ if not OTHERWISE.match(char)] == []
    assert 100 < len(differ) < 700


def test_folding_twice_is_folding_once():
    """For every code point, in either form."""
    exact = of_each(exact_word, EVERY)
    assert of_each(exact_word, exact) == exact
    plain = of_each(plain_word, exact)
    assert of_each(lambda text: plain_word(exact_word(text)), plain) == plain


@given(st.text(max_size=12))
def test_texts_too(text):
    """Whatever stands side by side; and all normal forms of a text are one."""
    for folded in (exact_word(text), plain_word(exact_word(text))):
        assert plain_word(exact_word(folded)) == plain_word(folded)
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        assert plain_word(exact_word(unicodedata.normalize(form, text))) == plain_word(exact_word(text))


@pytest.mark.parametrize("stride", [10, pytest.param(1, marks=pytest.mark.slow)])
def test_a_text_with_any_letter_or_digit_is_found_by_it(stride):
    """A round trip of Unicode, and of every tenth letter within a word; but for what is nothing once it is folded."""
    alone = [char for char in filter(str.isalnum, EVERY) if any(map(str.isalnum, APOSTROPHES.sub("", exact_word(char))))]
    for spelt in (alone[::stride], [f"x{char}y" for char in alone[:: 10 * stride]]):
        text = words_of(" a ".join(spelt), SIMPLE)
        kept = {word for word in text.plain.split("\0") if word}
        asked = [(one, run(one, SIMPLE)) for one in spelt]
        assert [one for one, found in asked if found is None or not kept.issuperset(found.words)] == []
    nothing = set(filter(str.isalnum, EVERY)) - set(alone)
    assert len(nothing) < 40
    assert {char for char in nothing if run(char, SIMPLE)} == {"\uff9e", "\uff9f"}  # marks of kana, alone


@pytest.mark.parametrize(
    ("exact", "plain"),
    [
        ("Café", "cafe"),
        ("Łódź", "lodz"),
        ("Ødegård", "odegard"),
        ("Þórdís", "thordis"),
        ("Æsir", "aesir"),
        ("ISPARTA ısparta", "isparta isparta"),
        ("İstanbul", "istanbul"),
        ("ΆΈΉ ΐ ΰ ᾳ", "αεη ι υ αι"),
        ("Ёлка, Йод, Їжак", "елка, йод, їжак"),
        ("за́мок", "замок"),
        ("がぎ ガ", "がぎ ガ"),
        ("हिन्दी", "हिन्दी"),
        ("Việt Nam", "viet nam"),
        ("שָׁלוֹם", "שלום"),
        ("مُحَمَّد", "محمد"),
        ("القاهرة علی كتاب", "القاهره علي كتاب"),
        ("१२३ ٤٥٦ ７", "123 456 7"),
        ("Ի՞նչ ԵՐԵՎԱՆ Երևան երեւան", "ինչ երեվան երեվան երեվան"),
    ],
)
def test_marks_go_that_a_hurried_typist_leaves_out(exact, plain):
    """And those stay that make another letter."""
    assert plain_word(exact_word(exact)) == plain


def test_a_name_is_compared_whole():
    """In whatever white space."""
    assert plain_name(" Süddeutsche\u00a0 Zeitung\n") == "suddeutsche zeitung"


def test_a_name_without_letters_is_its_signs():
    """Nothing else tells it from another such name."""
    assert plain_name(" ***  /") == "*** /"


@pytest.mark.parametrize("mark", "'’‘ʼ`´-‐‑–—/&.,:“”„«»")
def test_no_mark_between_its_words_tells_a_name_apart(mark):
    """Which of them a keyboard has differs; so two spellings of one outlet are one."""
    assert plain_name(f"L{mark}Équipe") == plain_name(f"L {mark} Equipe") == "l equipe"


@given(st.text(alphabet=st.characters(categories=["L", "M", "N"]), min_size=1, max_size=8))
def test_a_word_is_found_in_each_of_its_forms(word):
    """Composed or taken apart, as Unicode's four normal forms have it."""
    text = words_of(f"before {word} after", SIMPLE)
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        found = run(unicodedata.normalize(form, word), SIMPLE)
        assert found is None or text.find(found), form
