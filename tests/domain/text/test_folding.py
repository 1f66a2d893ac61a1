"""One form for all spellings of a word, compared with Unicode's own rules on every code point."""

import sys
import unicodedata

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from newsintel.domain.search.matching import build_run, prepare_text
from newsintel.domain.text.folding import fold_exact_word, fold_plain_name, fold_plain_word
from newsintel.domain.text.languages import SIMPLE

EVERY = [
    chr(code)
    for code in range(sys.maxunicode + 1)
    if not 0xD800 <= code <= 0xDFFF and chr(code) != "\n"
]
IGNORED = regex.compile(r"\p{Default_Ignorable_Code_Point}")
APOSTROPHES = regex.compile("[\u02bb-\u02bf]")
OTHERWISE = regex.compile(
    r"[\u055b\u055c\u055e\u0587\p{Block=Hebrew}\p{Block=Arabic}\p{Block=Arabic_Supplement}\p{Block=Arabic_Extended_A}\p{Block=Alphabetic_Presentation_Forms}"
    r"\p{Block=Arabic_Presentation_Forms_A}\p{Block=Arabic_Presentation_Forms_B}]"
)
"""Where newspapers leave marks out, set them within words, or write one letter for another."""


def of_each(function, texts):
    """Apply a function to all texts in one call.

    No folding and no composition crosses the end of a line.
    """
    return function("\n".join(texts)).split("\n")


def nfkc_casefold(text):
    """Unicode's toNFKC_Casefold (3.13, R5), repeated until nothing changes.

    The ignorable characters of the first plane are those of `regex`.
    """
    while True:
        seen = IGNORED.sub(
            lambda char: char[0] * (char[0] > "\uffff"),
            unicodedata.normalize("NFKC", text).casefold(),
        )
        folded = unicodedata.normalize("NFKC", seen)
        if folded == text:
            return regex.sub(
                r"\p{Nd}", lambda digit: str(unicodedata.decimal(digit[0], digit[0])), folded
            )
        text = folded


@pytest.mark.slow
def test_every_code_point_is_folded_as_unicode_says():
    """In addition, digits of every script become 0-9."""
    every = zip(EVERY, of_each(fold_exact_word, EVERY), of_each(nfkc_casefold, EVERY), strict=True)
    differ = [char for char, ours, theirs in every if ours != theirs]
    assert [char for char in differ if not OTHERWISE.match(char)] == []
    assert 100 < len(differ) < 700


@pytest.mark.slow
def test_folding_is_idempotent_for_every_code_point():
    """In the exact and in the plain form."""
    exact = of_each(fold_exact_word, EVERY)
    assert of_each(fold_exact_word, exact) == exact
    plain = of_each(fold_plain_word, exact)
    assert of_each(lambda text: fold_plain_word(fold_exact_word(text)), plain) == plain


@given(st.text(max_size=12))
def test_folding_is_idempotent_for_texts(text):
    """Any characters may stand next to each other. All normal forms of a text fold to one text."""
    for folded in (fold_exact_word(text), fold_plain_word(fold_exact_word(text))):
        assert fold_plain_word(fold_exact_word(folded)) == fold_plain_word(folded)
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        assert fold_plain_word(
            fold_exact_word(unicodedata.normalize(form, text))
        ) == fold_plain_word(fold_exact_word(text))


@pytest.mark.parametrize("stride", [10, pytest.param(1, marks=pytest.mark.slow)])
def test_a_text_with_any_letter_or_digit_is_found_by_it(stride):
    """Index every letter and digit alone, and every tenth one within a word, then search for each.

    Characters that fold to nothing are excluded.
    """
    alone = [
        char
        for char in filter(str.isalnum, EVERY)
        if any(map(str.isalnum, APOSTROPHES.sub("", fold_exact_word(char))))
    ]
    for spelt in (alone[::stride], [f"x{char}y" for char in alone[:: 10 * stride]]):
        text = prepare_text(" a ".join(spelt), SIMPLE)
        kept = {word for word in text.plain.split("\0") if word}
        asked = [(one, build_run(one, SIMPLE)) for one in spelt]
        assert [
            one for one, found in asked if found is None or not kept.issuperset(found.words)
        ] == []
    nothing = set(filter(str.isalnum, EVERY)) - set(alone)
    assert len(nothing) < 40
    # The halfwidth voicing marks of kana, alone.
    assert {char for char in nothing if build_run(char, SIMPLE)} == {"\uff9e", "\uff9f"}


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
def test_optional_marks_are_removed(exact, plain):
    """Marks that make a different letter stay."""
    assert fold_plain_word(fold_exact_word(exact)) == plain


def test_a_name_is_folded_as_a_whole():
    """White space of any kind becomes single spaces."""
    assert fold_plain_name(" Süddeutsche\u00a0 Zeitung\n") == "suddeutsche zeitung"


def test_a_name_without_letters_is_compared_by_its_signs():
    """Only the signs distinguish it from another such name."""
    assert fold_plain_name(" ***  /") == "*** /"


@pytest.mark.parametrize("mark", "'’‘ʼ`´-‐‑–—/&.,:“”„«»")
def test_punctuation_between_words_does_not_distinguish_names(mark):
    """Keyboards differ in these marks, so both spellings name one outlet."""
    assert fold_plain_name(f"L{mark}Équipe") == fold_plain_name(f"L {mark} Equipe") == "l equipe"


@given(st.text(alphabet=st.characters(categories=["L", "M", "N"]), min_size=1, max_size=8))
def test_a_word_is_found_in_each_of_its_forms(word):
    """Composed or decomposed, in each of Unicode's four normal forms."""
    text = prepare_text(f"before {word} after", SIMPLE)
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        found = build_run(unicodedata.normalize(form, word), SIMPLE)
        assert found is None or text.match_run(found), form
