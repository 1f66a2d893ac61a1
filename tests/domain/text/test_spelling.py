"""Queries as people around the world type them.

A table has the spellings; Unicode's lists of quotation marks and dashes are the judge.
"""

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from newsintel.domain.text.grammar import parse_query, tidy_query
from newsintel.domain.text.spelling import DASHES, Lexeme, LexemeKind, split_lexemes, write_lexeme

FIELDS = ("title", "author")


def shown(q, fields=FIELDS):
    """The alternatives of a query in one line.

    Terms stand in brackets, - marks an exclusion, and | separates alternatives.
    """
    parsed = parse_query(tidy_query(q), fields)
    return " | ".join(" ".join(map(_shown, tokens)) for tokens in parsed.alternatives)


def _shown(token):
    return (
        ("-" if token.excluded else "")
        + (f"{token.field}:" if token.field else "")
        + f"[{token.text}]"
    )


QUOTES = [
    ('"climate change" law', "[climate change] [law]"),
    ("“climate change” law", "[climate change] [law]"),
    ("”climate change” law", "[climate change] [law]"),  # Swedish, Finnish
    ("„heiße Luft“ Gesetz", "[heiße Luft] [Gesetz]"),
    ("„zmiany klimatu” prawo", "[zmiany klimatu] [prawo]"),  # Polish
    ('„heiße Luft" Gesetz', "[heiße Luft] [Gesetz]"),
    ('"climate change” law', "[climate change] [law]"),
    ("“climate change“ law", "[climate change] [law]"),
    ("«réchauffement climatique» loi", "[réchauffement climatique] [loi]"),
    ("« réchauffement climatique » loi", "[réchauffement climatique] [loi]"),
    ("«\u202floi climat\u202f» x", "[loi climat] [x]"),
    ("»heiße Luft« Gesetz", "[heiße Luft] [Gesetz]"),
    ("»ilmaston muutos» laki", "[ilmaston muutos] [laki]"),  # Finnish
    ("‹heiße Luft› x", "[heiße Luft] [x]"),
    ("＂a b＂ c", "[a b] [c]"),
    ("「津波 警報」 東京", "[津波 警報] [東京]"),
    ("『津波 警報』東京", "[津波 警報] [東京]"),
    ("｢津波 警報｣ 東京", "[津波 警報] [東京]"),
    ("『鬼滅の刃「無限 城」編』 映画", "[鬼滅の刃 無限 城 編] [映画]"),
    ("〝a b〟 c", "[a b] [c]"),
    ('"he said “yes” now" x', "[he said yes now] [x]"),
    ('«он сказал "да"» x', "[он сказал да] [x]"),
    ("‘climate change’ law", "[climate change] [law]"),
    ("‚heiße Luft‘ Gesetz", "[heiße Luft] [Gesetz]"),
    ("(‘climate change’ OR heat)", "[climate change] | [heat]"),
    ("“open ended", "[open ended]"),
    ("«open ended", "[open ended]"),
    ("stray” b", "[stray] [b]"),
    ("地震」津波", "[地震] [津波]"),
    ("x“a b”y", "[x] [a b] [y]"),
    ('"" “ ” «»', ""),
]

APOSTROPHES = [
    ("Kyiv’s mayor", "[Kyiv’s] [mayor]"),
    ("L'Ukraine d’abord", "[L'Ukraine] [d’abord]"),
    ("O‘Neill Hawai‘i", "[O‘Neill] [Hawai‘i]"),
    ("‘tis the season", "[‘tis] [the] [season]"),
    ("‘90s girls’ fashion", "[‘90s] [girls’] [fashion]"),
    ("rock ‘n’ roll", "[rock] [n] [roll]"),
    ("'climate change'", "['climate] [change']"),
    ("dogs’ home", "[dogs’] [home]"),
    ('צה"ל הודיע', '[צה"ל] [הודיע]'),
    ("צה”ל דו״ח", "[צה”ל] [דו״ח]"),
    ('דו"חות', '[דו"חות]'),
    ('"דו"ח מבקר" x', '[דו"ח מבקר] [x]'),
    ('ב"ניו יורק"', "[ב] [ניו יורק]"),
]

EXCLUSIONS = [
    ("a -b", "[a] -[b]"),
    ("a ‐b –c —d −e －f", "[a] -[b] -[c] -[d] -[e] -[f]"),
    ("a –“b c”", "[a] -[b c]"),
    ("a −«b c» —„d e“", "[a] -[b c] -[d e]"),
    ("a --b", "[a] -[b]"),
    ("COVID-19 Spider-Man Jean‑Luc 2024–25", "[COVID-19] [Spider-Man] [Jean‑Luc] [2024–25]"),
    ("a – b — c - d", "[a] [b] [c] [d]"),
    ("“Hormuz”—the strait", "[Hormuz] [the] [strait]"),
    ('"Spider"-Man', "[Spider] [Man]"),
    ("a NOT b", "[a] -[b]"),
    ("a AND NOT “b c”", "[a] -[b c]"),
    ("NOT a", "-[a]"),
    ("not a and b or c", "[not] [a] [and] [b] [or] [c]"),
    ('"NOT" "OR"', "[NOT] [OR]"),
    ("-NOT x", "-[NOT] [x]"),
    ("a NOT", "[a]"),
    ("a NOT OR b", "[a] | [b]"),
    ("a NOT AND b", "[a] -[b]"),
    ("NOT NOT a", "[a]"),
    ("ａ ＯＲ ｂ ＮＯＴ ｃ", "[ａ] | [ｂ] -[ｃ]"),
]

GROUPS = [
    ("(a OR b) c", "[a] [c] | [b] [c]"),
    ("a (b OR c)", "[a] [b] | [a] [c]"),
    ("a -(b OR c)", "[a] -[b] -[c]"),
    ("NOT (a b)", "-[a] | -[b]"),
    ("a –(b c)", "[a] -[b] | [a] -[c]"),
    ("NOT(a OR b) c", "-[a] -[b] [c]"),
    ("((a))", "[a]"),
    ("(a OR (b c)) d", "[a] [d] | [b] [c] [d]"),
    ("-(a -(b OR c))", "-[a] | [b] | [c]"),
    ("(a OR b)(c OR d)", "[a] [c] | [a] [d] | [b] [c] | [b] [d]"),
    ("(a OR b) (b OR a)", "[a] [b] | [a] | [b]"),
    ("（地震 OR 津波）東京", "[地震] [東京] | [津波] [東京]"),
    ("地震（東京 OR 大阪）", "[地震] [東京] | [地震] [大阪]"),
    ("climate(change OR crisis)", "[climate] [change] | [climate] [crisis]"),
    ("f(x) C(2) 東京（日本） g(f(x))", "[f(x)] [C(2)] [東京（日本）] [g(f(x))]"),
    ("a) b", "[a] [b]"),
    ("(a (b OR c", "[a] [b] | [a] [c]"),
    ("() a (OR) -() ( AND )", "[a]"),
    ("sad :( news OR x :-)", "[sad] [news] | [x]"),
    ('"(a" b', "[(a] [b]"),
    ("(a OR) b", "[a] [b]"),
    ("(a NOT) b", "[a] [b]"),
]

WORDS = [
    ("Straße İstanbul CO₂ ＮＨＫ ½", "[Straße] [İstanbul] [CO₂] [ＮＨＫ] [½]"),
    ("The The IT it", "[The] [IT]"),
    ("Πρωθυπουργός ΠΡΩΘΥΠΟΥΡΓΌΣ", "[Πρωθυπουργός]"),
    ("Cafe\u0301 C++ AT&T U.S./China", "[Café] [C++] [AT&T] [U.S./China]"),
    ("زلزال تركيا", "[زلزال] [تركيا]"),
    ("हिन्दी “नई दिल्ली” –चुनाव", "[हिन्दी] [नई दिल्ली] -[चुनाव]"),
    ("แผ่นดินไหว OR สึนามิ", "[แผ่นดินไหว] | [สึนามิ]"),
    ("지진 OR 쓰나미 -서울", "[지진] | [쓰나미] -[서울]"),
    ("сеча «зелена енергія» НЕ", "[сеча] [зелена енергія] [НЕ]"),
]

NAMED = [
    ("title:(a OR b) c", "title:[a] [c] | title:[b] [c]"),
    ("-title:(a OR author:b)", "-title:[a] -author:[b]"),
    ("title：“x y” AUTHOR:Weiß", "title:[x y] author:[Weiß]"),
    ("–title:„x y“", "-title:[x y]"),
    ("title:-x", "-title:[x]"),
    ("title: x", "[title:] [x]"),
    ("http://a.org covid: 東京：地震", "[http://a.org] [covid:] [東京：地震]"),
    ("title:NOT", "title:[NOT]"),
]


@pytest.mark.parametrize(
    ("typed", "meant"), QUOTES + APOSTROPHES + EXCLUSIONS + GROUPS + WORDS + NAMED
)
def test_what_people_type_means_what_they_mean(typed, meant):
    """In many scripts, keyboards and habits."""
    assert shown(typed) == meant


ALL = "".join(chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000)


def test_every_quotation_mark_of_unicode_starts_a_phrase():
    """By the property Quotation_Mark, except apostrophes and marks that only close."""
    marks = regex.findall(r"\p{Quotation_Mark}", ALL)
    assert len(marks) >= 30
    apostrophes = {"'", "‘", "’", "‚", "‛", "＇"}
    opening = [mark for mark in marks if mark not in apostrophes and mark not in "」｣﹂』﹄〞〟"]
    assert len(opening) >= 17
    for mark in opening:
        assert shown(f"{mark}a b") == "[a b]", mark


def test_our_dashes_are_dashes_in_unicode():
    """By the property Dash.

    Some are left out, because nobody types a wave dash or a vertical dash for an exclusion.
    """
    dashes = set(regex.findall(r"\p{Dash}", ALL))
    assert set(DASHES) <= dashes
    assert dashes - set(DASHES) >= {"〜", "〰", "゠"}
    for dash in DASHES:
        assert shown(f"a {dash}b") == "[a] -[b]"
        assert shown(f"a{dash}b") == f"[a{dash}b]"
        assert shown(f"a {dash} b") == "[a] [b]"


PIECES = [*"\"“”„«»‘’'()（-– abאב", "OR", "NOT", "AND", ":)", "title:"]


@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
def test_what_is_read_survives_being_spelled_and_read_again(text):
    """Each word and phrase reads as itself, alone and before another.

    It holds no mark that could end it early.
    """
    for lexeme in split_lexemes(" ".join(text.split())):
        if lexeme.kind is LexemeKind.WORD:
            again = [*split_lexemes(f"{write_lexeme(lexeme.text)} x’")]
            assert again[1:] == [Lexeme(LexemeKind.WORD, "x’")]
            assert again[0].kind is LexemeKind.WORD
            assert again[0].text == lexeme.text
