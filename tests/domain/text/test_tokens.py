"""Where a word begins and ends, independent of where the text is cut.

The boundaries are those of Unicode's segmentation wherever the two agree.
"""

import pytest
import regex
from hypothesis import assume, example, given
from hypothesis import strategies as st

from newsintel.domain.search.matching import build_run
from newsintel.domain.text.folding import fold_exact_word, fold_plain_word
from newsintel.domain.text.parts import cut_at_spaces
from newsintel.domain.text.tokens import (
    MAX_WORD_CHARS,
    is_unspaced,
    split_placed_words,
    split_plain_words,
    split_words,
)
from newsintel.storage.postgres.archive.indexing import SLICE_CHARS

PIECES = st.sampled_from(
    [
        *(
            "a",
            "B",
            "é",
            "ß",
            "ﬁ",
            "½",
            "ﷺ",
            "1",
            "000",
            "1,000",
            "1.000,5",
            "1,00,000",
            "१,०००",
            "א",
            '"',
            "״",
            "ի՞",
            "'",
            "’",
            "ʼ",
            "-",
            "–",
            "—",
            ".",
            "…",
            ",",
            "/",
            "&",
            "+",
            "++",
        ),
        *(
            "#",
            "C++",
            "C#",
            "U.S.",
            "J.K.",
            "l'",
            "s",
            "'s",
            "_",
            "\u00ad",
            "\u200c",
            "\u200d",
            "\u0301",
            "の",
            "東",
            "京",
            "ไ",
            "ทย",
            "가",
        ),
        *("나", "नि", "मो", "\u093f", "أ", "َ", "🏆", "«", "»", "“", "”", "\n"),
    ]
)
TEXTS = st.text(max_size=60) | st.lists(PIECES | st.just(" "), max_size=30).map("".join)


def words(text):
    """The words of a text in their plain form."""
    return [one.word for one in split_words(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Apple’s L’Ukraine O’Brien dell’arte", "apple ukraine o brien arte"),
        ("U.S. J.K. Rowling, Ph.D. e.g.", "us jk rowling ph d eg"),
        (
            "約1,000人 1,000km １，０００円 12,34,567 १,००० Rs.1,500 1,000.50",
            "約 1000 人 1000km 1000 円 1234567 1000 rs 1500 1000 50",
        ),
        ('צה"ל דו״ח דו"חות ב"הארץ"', "צהל דוח דו חות ב הארץ"),
        (
            "1,000 1.000 10’000 1,234,567 3.5 1,00 12,3456",
            "1000 1000 10000 1234567 3 5 1 00 12 3456",
        ),
        ("C++ C# F# C++11 a+b", "c++ c# f# c 11 a b"),
        ("a_b snake_case", "a b snake case"),
        ("東京で地震", "東京 京で で地 地震 震"),
        ("iPhone発売", "iphone 発売 売"),
        ("第3回", "第 3 回"),
        ("ก", "ก"),
        ("ไฟไหม้", "ไฟ ฟไ ไห หม้ ม้"),
        ("½ ﬁn ﷺ", "1 2 fin صلي الله عليه وسلم"),
        (f"x{'y' * 100} {'é' * 100}", f"x{'y' * (MAX_WORD_CHARS - 1)} {'e' * MAX_WORD_CHARS}"),
        ("'s s's 'tis O'", "s s tis o"),
        ("", ""),
        (" … 🏆 —", ""),
    ],
)
def test_words_of_a_text(text, expected):
    """The examples follow the table in the module's docstring."""
    assert words(text) == expected.split()


@given(TEXTS)
def test_a_word_stands_at_its_position(text):
    """Positions are in order. The text at a position has the same word, in the forms of folding."""
    before = 0
    for one in split_words(text):
        assert 0 <= one.start < one.end <= len(text)
        assert one.start >= before
        before = one.start
        assert one.word == fold_plain_word(one.exact)
        assert one.unspaced is is_unspaced(one.word)
        assert (
            one.word in words(text[one.start : one.end]) or not one.word.isalnum() or one.unspaced
        )
        if text.isascii() and one.word.isalnum():
            shown = regex.sub(r"[.,'`]", "", text[one.start : one.end])
            assert shown.lower()[:MAX_WORD_CHARS] == one.word


@given(st.lists(TEXTS, max_size=4))
def test_texts_joined_by_white_space_keep_their_words(texts):
    """White space separates words, whatever stands next to it."""
    assert words("  ".join(texts)) == [word for text in texts for word in words(text)]


@given(st.lists(TEXTS, min_size=1, max_size=8), st.integers(1, 60))
def test_a_text_cut_into_slices_keeps_its_words(texts, times):
    """The archive reads texts in slices.

    White space is made of blanks here, because a slice may end on either side of other white space.
    """
    text = " ".join(" ".join(texts).split()) * times
    assume(all(len(one) < SLICE_CHARS for one in text.split(" ")))
    assert [word for part in cut_at_spaces(text, SLICE_CHARS) for word in words(part)] == words(
        text
    )


LATIN = st.text(st.sampled_from("abcdéßøžĳ αβγδ абвй ёї 0123 \u0301 -–,;!?()«»“”\n\t"), max_size=40)


@given(LATIN)
def test_words_of_spaced_scripts_are_those_of_unicode(text):
    """UAX 29 as the module regex implements it, on letters, marks and digits.

    Our rules differ for apostrophes, dots and signs.
    """
    theirs = [part for part in regex.split(r"(?w)\b", text) if regex.search(r"[\p{L}\p{N}]", part)]
    theirs = [
        piece for part in theirs for piece in regex.findall(r"[\p{L}\p{N}][\p{L}\p{N}\p{M}]*", part)
    ]
    assert [one.exact for one in split_words(text)] == [fold_exact_word(one) for one in theirs]


@given(TEXTS)
def test_a_query_copied_from_a_text_asks_for_words_of_the_text(text):
    """A run has no word that the text does not have."""
    found = build_run(text, "")
    having = words(text)
    assert found is None or all(word in having for word in found.words)
    assert (found is None) is not bool(having)


@pytest.mark.parametrize(
    "script", ["Thai", "Lao", "Myanmar", "Khmer", "Han", "Hiragana", "Katakana", "Hangul"]
)
def test_every_letter_of_a_script_without_spaces_is_unspaced(script):
    """Unicode assigns the letters to the scripts."""
    letters = regex.findall(
        rf"(?V1)[\p{{Script={script}}}&&\p{{Lo}}]", "".join(map(chr, range(0x40000)))
    )
    folded = [(letter, fold_exact_word(letter)) for letter in letters if fold_exact_word(letter)]
    assert [letter for letter, exact in folded if not is_unspaced(exact)] == []


@given(
    st.text(st.characters(max_codepoint=0x7F) | st.sampled_from("aB1,.'`+#-_ "))
    | st.text()
    | st.text(
        st.sampled_from("aBlsS12,.'`+#_ \xa0\u2013\u2014\u2018\u2019\u201c\u201d\u2026\xe9\u05d0")
    )
)
@example("l\u2019all\u2019ABC\u2019s O\u2019Brien it\u2019s")
@example("1\u2019000 1'000")
@example("1\u2018000")
@example("1,000 and 1.000.000")
@example("U.S.\u2026 a\u2026b c++\u2014C#")
@example("\u05d0\u201d\u05d1")
def test_the_fast_path_finds_the_same_words(text):
    """Plain English, as typed or as printed, has a faster reader with the same result."""
    found = [*split_words(text)]
    assert split_plain_words(text) == [token.word for token in found]
    assert [*split_placed_words(text)] == [(token.word, token.start, token.end) for token in found]
