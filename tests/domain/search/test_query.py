"""The query grammar: what it accepts, what it refuses, and which searches are equal."""

import contextlib
import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from luqum import tree as luqum
from luqum.parser import parser

from newsintel.domain.search.matching import PreparedQuery
from newsintel.domain.search.query import build_query, translate_clauses
from newsintel.domain.search.query_model import Clause, Query, Sort, Term
from newsintel.domain.text.grammar import MAX_CHARS, fold_case
from newsintel.errors import InvalidParameterError

SOURCES = ("newsapi", "guardian")


def parse(q: str) -> Query:
    """A search of both sources, without bounds."""
    return build_query(q, sources=SOURCES)


def clause(wanted: str, unwanted: str = "") -> Clause:
    """A clause of terms that are separated by commas."""
    yes, no = (
        tuple(Term(text, phrase=" " in text) for text in side.split(",") if text)
        for side in (wanted, unwanted)
    )
    return Clause(yes, no)


@pytest.mark.parametrize(
    ("q", "clauses"),
    [
        ("climate", [clause("climate")]),
        ("Climate  CHANGE", [clause("Climate,CHANGE")]),
        ('"climate change" law', [clause("climate change,law")]),
        ("climate -hoax", [clause("climate", "hoax")]),
        ('climate -"hot air" --x', [clause("climate", "hot air,x")]),
        ("a b OR c -d OR e", [clause("a,b"), clause("c", "d"), clause("e")]),
        ("a or b", [clause("a,or,b")]),
        ("a AND b", [clause("a,b")]),
        ("-AND -OR x", [clause("x", "AND,OR")]),
        ('"OR"', [Clause((Term("OR", phrase=True),))]),
        ('"flood" "it"', [Clause((Term("flood"), Term("it", phrase=True)))]),
        ("OR a OR OR b OR", [clause("a"), clause("b")]),
        ('a "b c', [clause("a,b c")]),
        ('a"b c"d', [clause("a,b c,d")]),
        ('a - & "" ?!', [clause("a")]),
        ("a a -b -b", [clause("a", "b")]),
        ("covid-19 C++ AT&T", [clause("covid-19,C++,AT&T")]),
        ("\uff46\uff55\uff4c\uff4c Straße", [clause("\uff46\uff55\uff4c\uff4c,Straße")]),
        ("zero\u200bwidth", [clause("zerowidth")]),
    ],
)
def test_grammar_of_words_phrases_operators_and_exclusions(q: str, clauses: list[Clause]) -> None:
    """AND is the default, and OR binds loosest. Odd quotes and dangling operators are accepted."""
    assert list(parse(q).clauses) == clauses


@pytest.mark.parametrize(
    ("q", "code"),
    [
        ("", "blank"),
        (" \u00a0\n", "blank"),
        ("\u200b", "blank"),
        ('"" - &', "no_words"),
        ("OR", "no_words"),
        ("-a", "only_exclusions"),
        ("a OR -b", "only_exclusions"),
        ("a\x00b", "control_character"),
        ("a\x85b", "control_character"),
        ("a\ud800", "control_character"),
        ("a" * 257, "too_long"),
        ("ﷺ" * 20, "too_long"),
        (" " * 5000 + "a", "too_long"),
    ],
)
def test_queries_without_a_searchable_term_are_refused(q: str, code: str) -> None:
    """The refusal has a code for each reason."""
    with pytest.raises(InvalidParameterError) as caught:
        parse(q)
    assert (caught.value.field, caught.value.code) == ("q", code)
    assert caught.value.message.startswith("q must")


def test_text_is_tidied_and_keeps_its_case() -> None:
    """The text shown is NFC with single spaces. It may have exactly 256 characters."""
    assert parse("  Big\t\uff2eews Cafe\u0301 ").text == "Big \uff2eews Café"
    assert len(parse("é" * MAX_CHARS).text) == MAX_CHARS


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Climate Change", " climate\u00a0 change "),
        ("a AND b", "a b"),
        ('"flood"', "flood"),
        ('a "b c', 'a "B  c"'),
        ("a OR", "a"),
        ("STRASSE", "straße"),
        ("CO₂ ＮＨＫ", "co2 nhk"),
        ("“a b” –c", '"A B" NOT c'),
        ("a -(b OR c)", "a -b -c"),
        ("(a OR b) c", "a c OR b c"),
    ],
)
def test_searches_with_the_same_meaning_have_one_key(one: str, other: str) -> None:
    """Searches that differ in case, spaces or meaningless punctuation share one harvest."""
    assert parse(one).key == parse(other).key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a or b", "a OR b"),
        ('"a b"', "a b"),
        ('"it"', "it"),
        ("a -b", "a b"),
        ("a b", "b a"),
        ('a "and" b', "a b"),
        ("IT news", "it news"),
        ("it", "It"),
        ("It", "IT"),
    ],
)
def test_searches_with_another_meaning_have_another_key(one: str, other: str) -> None:
    """The order of words counts, because sources rank by it."""
    assert parse(one).key != parse(other).key


WORDS = (
    "it IT It iT us US more More who WHO straße STRASSE Strasse "
    "storm Storm STORM ｓｔｏｒｍ ＳＴＯＲＭ CO₂ co2 co₂ a A"
)
words = st.sampled_from(WORDS.split())


@given(st.lists(words, min_size=1, max_size=3), st.lists(words, min_size=1, max_size=3))
def test_searches_with_one_key_ask_the_same(one: list[str], other: list[str]) -> None:
    """They send the sources the same words, apart from case and compatibility forms.

    They also match the same texts.
    """
    asked, asked_too = (parse(" ".join(some)) for some in (one, other))
    if asked.key != asked_too.key:
        return
    assert fold_case(translate_clauses(asked.clauses)) == fold_case(
        translate_clauses(asked_too.clauses)
    )
    for language in ("en", "de"):
        assert PreparedQuery(asked.clauses).get_alternatives(language) == PreparedQuery(
            asked_too.clauses
        ).get_alternatives(language)


def test_every_part_of_the_fetch_is_in_the_key() -> None:
    """Sources, dates, language and sort change what is fetched, so they change the key."""
    day = datetime(2026, 1, 1, tzinfo=UTC)
    queries = [
        parse("a"),
        build_query("a", sources=("guardian", "newsapi")),
        build_query("a", sources=SOURCES, start=day),
        build_query("a", sources=SOURCES, end=day),
        build_query("a", sources=SOURCES, language="en"),
        build_query("a", sources=SOURCES, sort=Sort.NEWEST),
    ]
    assert len({query.key for query in queries}) == len(queries)
    assert all(len(query.key) == 32 for query in queries)


def test_the_same_moment_in_another_zone_gives_the_same_key() -> None:
    """Bounds are stored in UTC."""
    utc = datetime(2026, 1, 1, 12, tzinfo=UTC)
    paris = utc.astimezone(timezone(timedelta(hours=1)))
    query = build_query("a", sources=SOURCES, start=paris)
    assert query.key == build_query("a", sources=SOURCES, start=utc).key
    assert query.start is not None
    assert query.start.tzinfo is UTC


@pytest.mark.parametrize(
    ("q", "expected"),
    [
        ("a b", "a AND b"),
        ('a "b c" -d -"e f"', 'a AND "b c" NOT d NOT "e f"'),
        ("a OR b c", "a OR (b AND c)"),
        ("node.js C++ covid-19", '"node.js" AND "C++" AND "covid-19"'),
        ("not and or", '"not" AND "and" AND "or"'),
        ('"NOT" Straße İstanbul CO₂ NHK', '"NOT" AND Straße AND İstanbul AND CO₂ AND NHK'),
        ("(flood OR storm) coast -rain", "coast AND (flood OR storm) NOT rain"),
        ("coast (flood OR storm surge)", "coast AND (flood OR (storm AND surge))"),
        ("coast OR coast flood", "coast OR (coast AND flood)"),
        ("(a OR b c) –“d e”", '(a OR (b AND c)) NOT "d e"'),
        ("a -(b “c d”)", '(a NOT b) OR (a NOT "c d")'),
        ("f(x) :) (y", '"f(x)" AND y'),
        ('צה"ל AC\\DC\\', '"צה״ל" AND "AC DC "'),
    ],
)
def test_translate_writes_explicit_operators(q: str, expected: str) -> None:
    """It quotes everything that a source could misread."""
    assert translate_clauses(parse(q).clauses) == expected


def test_translate_uses_the_operators_of_the_source() -> None:
    """Each source names its own."""
    assert translate_clauses(parse("a b -c").clauses, without=" -") == "a AND b -c"
    assert (
        translate_clauses(parse("(a OR b) -c -“d e”").clauses, without=" AND NOT ")
        == '(a OR b) AND NOT c AND NOT "d e"'
    )


def test_translate_shortens_to_a_limit() -> None:
    """It drops alternatives first, then wanted words, and exclusions last, each from the end."""
    assert (
        translate_clauses(parse("aaaa bbbb OR cccc OR dddd").clauses, max_chars=30)
        == "(aaaa AND bbbb) OR cccc"
    )
    assert (
        translate_clauses(parse("aaaa bbbb cccc -d").clauses, max_chars=20) == "aaaa AND bbbb NOT d"
    )
    assert translate_clauses(parse("aaaa -b -c").clauses, max_chars=12) == "aaaa NOT b"


def by_luqum(node: luqum.Item, document: frozenset[str]) -> bool:
    """Evaluate what luqum, a parser of Lucene's language, read.

    In luqum, words in a row are all wanted, and bind loosest.
    """
    if isinstance(node, luqum.Word):
        return node.value in document
    if isinstance(node, luqum.Phrase):
        return node.value.strip('"') in document
    if isinstance(node, luqum.Group):
        return by_luqum(node.children[0], document)
    if isinstance(node, luqum.Not):
        return not by_luqum(node.children[0], document)
    return (any if isinstance(node, luqum.OrOperation) else all)(
        by_luqum(child, document) for child in node.children
    )


terms = st.lists(st.sampled_from(["a", "b", "c d", "or"]), max_size=3, unique=True).map(
    lambda texts: tuple(Term(text) for text in texts)
)


@given(
    st.lists(st.builds(Clause, terms.filter(bool), terms), min_size=1, max_size=4),
    st.sampled_from([" NOT ", " AND NOT "]),
)
def test_a_translated_query_means_what_was_asked(clauses: list[Clause], without: str) -> None:
    """On every possible document. Another project's parser reads groups, exclusions and quotes."""
    tree = parser.parse(translate_clauses(clauses, without=without))
    for number in range(16):
        document = frozenset(
            text for at, text in enumerate(["a", "b", "c d", "or"]) if number >> at & 1
        )
        wanted = any(
            all(term.text in document for term in each.wanted)
            and not any(term.text in document for term in each.unwanted)
            for each in clauses
        )
        assert by_luqum(tree, document) == wanted


pieces = st.sampled_from([*'ab()"“-–\\', " ", " OR ", " NOT ", 'דו"ח'])


@given(st.one_of(st.text(max_size=300), st.lists(pieces, max_size=60).map("".join)))
def test_build_gives_a_query_or_a_refusal(q: str) -> None:
    """A query fits every source, and its quotes and parentheses are balanced when sent."""
    with contextlib.suppress(InvalidParameterError):
        query = parse(q)
        assert all(item.wanted for item in query.clauses)
        sent = translate_clauses(query.clauses, max_chars=500)
        assert len(sent) <= 500
        assert sent.count('"') % 2 == 0
        assert "\\" not in sent
        bare = re.sub('"[^"]*"', "", sent)
        assert bare.count("(") == bare.count(")")
        assert parse(query.text).key == query.key
