"""Joiners and selectors.

The judges are the text of the Unicode Standard and another project's copy of its data.
"""

import pytest
import regex
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from newsintel.domain.text import joiners
from newsintel.domain.text.clean import remove_invisible, to_plain_text
from newsintel.domain.text.joiners import remove_stray_joiners

# UAX #31, revision 41, section 2.3: "Layout and Format Control Characters". The rules are written
# as there, except for the name of the character itself.
A1 = (
    r"[\p{Joining_Type=D}\p{Joining_Type=L}]\p{Joining_Type=T}*\u200c"
    r"\p{Joining_Type=T}*[\p{Joining_Type=D}\p{Joining_Type=R}]"
)
A2 = r"(?V1)\p{L}\p{Mn}*\p{ccc=9}[\p{Mn}--\p{ccc=0}]*\u200c[\p{Mn}--\p{ccc=0}]*\p{L}"
B = (
    r"(?V1)\p{L}\p{Mn}*\p{ccc=9}[\p{Mn}--\p{ccc=0}]*\u200d"
    r"(?!\p{Indic_Syllabic_Category=Vowel_Dependent})"
)

KEPT = {
    # The examples of UAX #31: Farsi "name" + "letter"; Malayalam "eyewitness"; Sinhala "Sri Lanka"
    "uax a1": "\u0646\u0627\u0645\u0647\u200c\u0627\u06cc",
    "uax a2": "\u0d26\u0d43\u0d15\u0d4d\u200c\u0d38\u0d3e\u0d15\u0d4d\u0d37\u0d3f",
    "uax b": "\u0dc1\u0dca\u200d\u0dbb\u0dd3 \u0dbd\u0d82\u0d9a\u0dcf",
    "persian": "می\u200cخواهم",
    "persian plural": "کتاب\u200cها",
    "persian with a vowel mark": "مِی\u0650\u200c\u0651خواهم",
    "urdu": "ہم\u200cوطن",
    "kurdish": "ده\u200cبێت",
    "syriac": "\u0712\u200c\u0712",
    "mongolian": "\u1820\u200c\u1820",
    "hindi": "क्\u200dष",
    "hindi, no ligature": "क्\u200cष",
    "hindi with a nukta": "क़्\u200cष",
    "marathi eyelash": "दर्\u200dया",
    "nepali": "गर्\u200dयो",
    "bengali": "র\u200d্যাব",
    "bengali, older": "র\u200c্যাব",
    "telugu": "హైదరాబాద్\u200cలో",
    "kannada": "ಕಾರ\u200d್ಯ",
    "tamil": "க்\u200cஷ",
    "malayalam chillu": "അവന്\u200d വന്നു",
    "sinhala": "ප්\u200dරකාශ",
    "sinhala, touching": "බුද\u200d්ධ",
    "arabic, initial form": "۱۴۰۰ ه\u200d.ش",
    "family": "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "rainbow flag": "\U0001f3f3\ufe0f\u200d\U0001f308",
    "heart on fire": "\u2764\ufe0f\u200d\U0001f525",
    "skin and sex": "\U0001f469\U0001f3fd\u200d\u2695\ufe0f",
    "broken chain": "\u26d3\ufe0f\u200d\U0001f4a5",
    "black cat": "\U0001f408\u200d\u2b1b",
    "scotland": "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
    "keycap": "1\ufe0f\u20e3",
    "heart": "\u2764\ufe0f",
    "kanji of a name": "葛\U000e0100城市",
    "mongolian variant": "\u1820\u180b",
    "mongolian vowel": "\u1828\u180e\u1820",
}
GONE = {
    "latin": ("pay\u200dpal", "paypal"),
    "latin, non-joiner": ("Auf\u200clage", "Auflage"),
    "cyrillic": ("пу\u200dть", "путь"),
    "greek": ("α\u200cβ", "αβ"),
    "hebrew": ("של\u200dום", "שלום"),
    "thai": ("กา\u200cร", "การ"),
    "japanese": ("地\u200d震", "地震"),
    "korean": ("지\u200c진", "지진"),
    "digits": ("1\u200d2", "12"),
    "at the start": ("\u200cمی\u200cخواهم", "می\u200cخواهم"),
    "at the end": ("می\u200c", "می"),
    "at a word's end": ("می\u200c خواهم", "می خواهم"),
    "doubled": ("می\u200c\u200cخواهم", "می\u200cخواهم"),
    "doubled and mixed": ("ශ\u0dca\u200d\u200cර\u0dd3", "ශ\u0dca\u200dර\u0dd3"),
    "after a letter that does not join": ("دو\u200cر", "دور"),
    "telugu, at a word's end": ("హైదరాబాద్\u200c లో", "హైదరాబాద్ లో"),
    "an indic letter without virama": ("क\u200dष", "कष"),
    "before a vowel sign": ("क्\u200dि", "क्ि"),
    "emoji and text": ("\U0001f468\u200da", "\U0001f468a"),
    "a selector in a word": ("pay\ufe0fpal", "paypal"),
    "selectors that carry a message": (
        "a\U000e0101\U000e0154\U000e0155b\U0001f600\U000e0141\U000e0142",
        "ab\U0001f600",
    ),
    "a second selector": ("\u2764\ufe0f\ufe0e", "\u2764\ufe0f"),
    "tags that carry a message": ("a\U000e0068\U000e0069", "a"),
    "a flag of nowhere": ("\U0001f3f4\U000e0078\U000e0079\U000e007a\U000e007f", "\U0001f3f4"),
    "bidi": ("\u202egnp.exe\u202c \u2066x\u2069\u200e\u200f\u061c", "gnp.exe x"),
    "hangul fillers": ("a\u3164b\uffa0c\u115fd\u1160", "abcd"),
    "khmer's invisible vowels": ("\u1780\u17b4\u17b5", "\u1780"),
    "grapheme joiner": ("a\u034fb", "ab"),
    "annotations": ("a\ufff9b\ufffac\ufffb", "abc"),
    "zero-width space": ("ភាសា\u200bខ្មែរ", "ភាសាខ្មែរ"),
}


@pytest.mark.parametrize("text", KEPT.values(), ids=KEPT)
def test_characters_that_carry_meaning_stay(text: str) -> None:
    """In every script that uses them, also inside a longer text and at its limit."""
    assert remove_invisible(text) == text
    assert to_plain_text(f"x {text} x", 300) == f"x {to_plain_text(text, 300)} x"


@pytest.mark.parametrize(("text", "expected"), GONE.values(), ids=GONE)
def test_characters_that_only_spoof_are_removed(text: str, expected: str) -> None:
    """Two texts that look the same become equal."""
    assert remove_invisible(text) == expected
    assert remove_invisible(expected) == expected


@pytest.mark.parametrize(
    ("table", "classes"),
    [
        (joiners._JOINS_NEXT, r"[\p{Joining_Type=D}\p{Joining_Type=L}]"),
        (joiners._JOINS_LAST, r"[\p{Joining_Type=D}\p{Joining_Type=R}]"),
    ],
)
def test_the_tables_are_those_of_unicode(table, classes: str) -> None:
    """A character is in our table exactly if it is in another project's copy of Unicode's data."""
    theirs = regex.compile(classes)
    every = [chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000]
    assert [char for char in every if table.match(char)] == [
        char for char in every if theirs.match(char)
    ]


def test_every_ignorable_character_is_removed_between_latin_letters() -> None:
    """Also at an end or alone. The list is Unicode's Default_Ignorable_Code_Point."""
    ignorable = regex.compile(r"\p{Default_Ignorable_Code_Point}")
    for char in (chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000):
        if ignorable.match(char):
            assert (
                char,
                remove_invisible(f"a{char}b"),
                remove_invisible(char + "a"),
                remove_invisible("a" + char),
                remove_invisible(char),
            ) == (char, "ab", "a", "a", "")


LETTERS = "بدوهaя漢क्ष়়রযක්රගිಾ്നാ़ِّ\u0301\u200c\u200d"
JOINED = st.text(st.sampled_from(LETTERS), max_size=8)


def stays_where_uax_31_lets_it(before: str, joiner: str, after: str) -> None:
    """A joiner stays in the three contexts of UAX #31, or where the module adds a context.

    The third context holds only if no mark follows. The module adds a joiner before a virama, and
    one that keeps an Arabic letter's form.
    """
    before, after = (side.replace("\u200c", "").replace("\u200d", "") for side in (before, after))
    text = before + joiner + after
    assume(len(regex.findall(r"\p{ccc=9}", text)) <= 1)  # no spelling has two viramas
    at = len(before)
    allowed = any(
        match.start() < at < match.end() - 1
        for rule in (A1, A2)
        for match in regex.finditer(rule, text, overlapped=True)
    ) or (regex.search(B + r"\Z", before + joiner) is not None and not regex.match(r"\p{M}", after))
    stays = joiner in remove_stray_joiners(text)
    signs = r"[\p{Mn}\p{Me}]*"
    joins_last = regex.match(signs + r"[\p{Joining_Type=D}\p{Joining_Type=R}]", after)
    arabic = (
        joiner == "\u200d"
        and regex.search(rf"[\p{{Joining_Type=D}}\p{{Joining_Type=L}}]{signs}\Z", before)
        and not joins_last
    )
    ours = bool(arabic) or bool(
        regex.match(rf"\p{{ccc=9}}{signs}\p{{L}}", after)
        and regex.search(rf"\p{{L}}{signs}\Z", before)
    )
    assert stays == allowed or ours


@settings(max_examples=300)
@given(JOINED, st.sampled_from("\u200c\u200d"), JOINED)
def test_a_joiner_stays_where_uax_31_lets_it(before: str, joiner: str, after: str) -> None:
    """It is removed in every other place."""
    stays_where_uax_31_lets_it(before, joiner, after)


@pytest.mark.slow
@settings(max_examples=5000)
@given(JOINED, st.sampled_from("\u200c\u200d"), JOINED)
def test_a_joiner_stays_where_uax_31_lets_it_among_far_more_letters(
    before: str, joiner: str, after: str
) -> None:
    """More examples, so that rare neighbours occur."""
    stays_where_uax_31_lets_it(before, joiner, after)


@given(st.text(st.sampled_from(LETTERS + "\ufe0f\u180b\U000e0100\U0001f468\u2764 x1"), max_size=20))
def test_visible_is_idempotent_and_removes_only_joiners_and_selectors(text: str) -> None:
    """Cleaning a text again changes nothing."""
    once = remove_invisible(text)
    assert remove_invisible(once) == once
    joined = regex.compile("[\u200c\u200d\ufe0f\u180b\U000e0100]")
    assert joined.sub("", once) == joined.sub("", text)


def test_excessive_joiners_are_removed() -> None:
    """A joiner that needs a second check counts against a limit.

    A joiner whose context is plain does not.
    """
    assert remove_stray_joiners("क़्\u200cष" * 600).count("\u200c") == 100
    assert remove_stray_joiners("ب\u200cب" * 2000).count("\u200c") == 2000
