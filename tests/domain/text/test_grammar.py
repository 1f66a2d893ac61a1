"""The meaning of groups, exclusions and operators.

The judges are boolean evaluation and another project's parser.
"""

import contextlib
import string
import unicodedata

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from luqum import tree as luqum
from luqum.parser import parser as luqum_parser

from newsintel.domain.text.grammar import (
    MAX_ALTERNATIVES,
    MAX_CHARS,
    MAX_TOKENS,
    QueryToken,
    fold_case,
    parse_query,
    tidy_query,
)
from newsintel.domain.text.spelling import write_lexeme
from newsintel.errors import InvalidParameterError

WORDS = ["a", "b", "c", "d"]
DOCUMENTS = [
    frozenset(word for at, word in enumerate(WORDS) if number >> at & 1) for number in range(16)
]
"""Every possible document of four words: two queries that agree on all of these mean the same."""


def tokens(q, fields=(), bounds=()):
    """The alternatives of a text as typed."""
    return [list(one) for one in parse_query(tidy_query(q), fields, bounds).alternatives]


def holds(alternatives, document):
    """Whether a document, given as a set of words, matches one of the alternatives."""
    return any(
        all((token.text in document) != token.excluded for token in each) for each in alternatives
    )


def test_fields_count_only_where_they_are_named():
    """For other names the colon is part of the word. Bounds are collected separately."""
    assert tokens("-title:A b:c") == [[QueryToken("title:A", excluded=True), QueryToken("b:c")]]
    assert tokens("-title:A b:c", ("title",)) == [
        [QueryToken("A", "title", excluded=True), QueryToken("b:c")]
    ]
    parsed = parse_query("x (after:y OR NOT after:z)", ("after",), ("after",))
    assert parsed.alternatives == ((QueryToken("x"),),)
    assert parsed.bounds == (QueryToken("y", "after"), QueryToken("z", "after", excluded=True))


def test_checked_tidies_the_text_and_keeps_its_spelling():
    """The result is in NFC without invisible characters. A refusal names the parameter."""
    assert tidy_query("  ℌe\u0301\u202e \u3000x") == "ℌé x"
    with pytest.raises(InvalidParameterError, match="publisher must"):
        tidy_query(" ", "publisher")


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        ("ﬃ" * 85, "ﬃ" * 85),  # 255 in NFKC
        ("ﬃ" * 86, None),
        ("ﷺ" * 14, "ﷺ" * 14),
        ("ﷺ" * 15, None),
        ("e\u0301" * 513, None),
        ("ｶﾞ" * 128, "ｶﾞ" * 128),
        ("ｶﾞ" * 256, "ガ" * 256),  # longer in NFC than in NFKC
        ("ｶﾞ" * 257, None),
        ("é" * 256, "é" * 256),
        ("e\u0301" * 256, "é" * 256),
    ],
)
def test_the_limit_is_of_code_points_in_nfkc(raw, kept):
    """Each accepted text keeps within the limit."""
    if kept is None:
        with pytest.raises(InvalidParameterError) as caught:
            tidy_query(raw)
        assert caught.value.code == "too_long"
    else:
        assert tidy_query(raw) == kept


@pytest.mark.parametrize("marks", ["\u0316\u0301", "\u0f73", "\u0344\u0316"])
def test_excess_marks_are_removed_before_normalising(marks):
    """Normalising is quadratic in a run of marks.

    At most 30 marks of a run reach it, as in the Stream-Safe Text Format.
    """
    kept = tidy_query("x" + marks * 2000)
    assert len(unicodedata.normalize("NFKD", kept)) <= 1 + 30 * max(
        len(unicodedata.normalize("NFKD", mark)) for mark in marks
    )
    assert kept == tidy_query("x" + (marks * 30)[:30])


def test_no_character_decomposes_into_more_than_four():
    """So a text that is four times too long before normalising is too long afterwards."""
    assert max(len(unicodedata.normalize("NFD", char)) for char in map(chr, range(0x110000))) == 4


# Of a tree of our own: ("and" | "or", parts) | ("not", part) | a word.
trees = st.recursive(
    st.sampled_from(WORDS),
    lambda inner: st.one_of(
        st.tuples(st.sampled_from(["and", "or"]), st.lists(inner, min_size=1, max_size=3)),
        st.tuples(st.just("not"), inner),
    ),
    max_leaves=8,
)


def true_of(tree, document):
    """Evaluate a tree by the usual meaning of the words and, or, not."""
    if isinstance(tree, str):
        return tree in document
    kind, parts = tree
    if kind == "not":
        return not true_of(parts, document)
    return (all if kind == "and" else any)(true_of(part, document) for part in parts)


def typed(tree, draw):
    """A tree as a person might type it.

    Each operator gets a random spelling, and parentheses stand where they are needed.
    """
    if isinstance(tree, str):
        return draw(st.sampled_from([tree, f'"{tree}"', f"“{tree}”", f"({tree})", f"（«{tree}»）"]))
    kind, parts = tree
    if kind == "not":
        inner = typed(parts, draw)
        sign = draw(st.sampled_from(["-", "–", "−", "NOT ", "AND NOT "]))
        return f"{sign}{inner}" if isinstance(parts, str) else f"{sign}({inner})"
    between = st.sampled_from([" ", " AND "]) if kind == "and" else st.just(" OR ")
    text = ""
    for part in parts:
        inner = typed(part, draw)
        whole = isinstance(part, str) or part[0] == "not"
        text += (draw(between) if text else "") + (inner if whole else f"({inner})")
    return text


@given(st.data())
def test_alternatives_mean_what_the_query_means(data):
    """Groups of any depth, exclusions of groups and of exclusions, on every possible document."""
    tree = data.draw(trees)
    text = typed(tree, data.draw)
    assume(len(text) <= MAX_CHARS)
    found = tokens(text)
    assert [holds(found, document) for document in DOCUMENTS] == [
        true_of(tree, document) for document in DOCUMENTS
    ]


@given(trees, st.data())
def test_alternatives_mean_the_same_after_a_round_trip(tree, data):
    """They are written in the plain spelling, without groups, and read again."""
    found = tokens(typed(tree, data.draw)[:MAX_CHARS].strip() or "a")
    again = " OR ".join(
        " ".join(
            ("-" if one.excluded else "") + write_lexeme(one.text, quoted=one.phrase)
            for one in each
        )
        for each in found
    )
    assume(len(again) <= MAX_CHARS)
    assert tokens(again) == found


def by_luqum(node, document):
    """Evaluate what luqum, a parser of Lucene's language, read."""
    if isinstance(node, luqum.Word):
        return node.value in document
    if isinstance(node, luqum.Phrase):
        return node.value.strip('"') in document
    if isinstance(node, luqum.Group | luqum.Plus):
        return by_luqum(node.children[0], document)
    if isinstance(node, luqum.Not | luqum.Prohibit):
        return not by_luqum(node.children[0], document)
    assert isinstance(node, luqum.AndOperation | luqum.OrOperation), node
    return (all if isinstance(node, luqum.AndOperation) else any)(
        by_luqum(child, document) for child in node.children
    )


@st.composite
def both_languages(draw, depth=3):
    """A query in which Lucene's language and ours agree.

    Each operator is written out, because luqum reads `a b OR c` as a AND (b OR c).
    """
    parts = []
    for _ in range(draw(st.integers(1, 3))):
        sign = draw(st.sampled_from(["", "", "-", "NOT "]))
        nested = depth > 0 and draw(st.booleans())
        parts.append(
            sign
            + (
                f"({draw(both_languages(depth - 1))})"
                if nested
                else draw(st.sampled_from([*WORDS, '"a"', '"b"']))
            )
        )
    text = parts[0]
    for part in parts[1:]:
        text += draw(st.sampled_from([" AND ", " OR "])) + part
    return text


@given(both_languages())
def test_luqum_reads_the_same(text):
    """AND binds before OR, NOT and - apply to one word or group, and parentheses group."""
    try:
        found = tokens(text)
    except InvalidParameterError as refusal:
        assert refusal.code in ("too_long", "too_complex")
        return
    tree = luqum_parser.parse(text)
    assert [holds(found, document) for document in DOCUMENTS] == [
        by_luqum(tree, document) for document in DOCUMENTS
    ]


PIECES = [*'()（）-–"“»‘’ xéﷺ\u0301א', "OR", "AND", "NOT", "title:", "ｔｉｔｌｅ：", ":("]


@given(
    st.one_of(st.text(max_size=300), st.lists(st.sampled_from(PIECES), max_size=80).map("".join))
)
def test_any_text_is_a_query_or_a_refusal(text):
    """A query is within the bounds. No alternative is empty, and none occurs twice."""
    with contextlib.suppress(InvalidParameterError):
        found = tokens(text, ("title",))
        assert len(found) <= MAX_ALTERNATIVES
        assert sum(map(len, found)) <= MAX_TOKENS
        assert all(found)
        assert all(any(map(str.isalnum, fold_case(token.text))) for each in found for token in each)
        keys = [
            frozenset((token.field, fold_case(token.text), token.excluded) for token in each)
            for each in found
        ]
        assert len(set(keys)) == len(keys)
        assert tidy_query(tidy_query(text)) == tidy_query(text)


@given(
    st.lists(
        st.sampled_from([*string.ascii_lowercase, "OR", "-", "NOT", '"', " "]), max_size=256
    ).map(" ".join)
)
def test_without_groups_nothing_is_too_complex(text):
    """Any text of up to 256 characters is a query, or blank."""
    try:
        tokens(text[:MAX_CHARS])
    except InvalidParameterError as refusal:
        assert refusal.code == "blank"


@pytest.mark.parametrize(
    "text",
    [
        "(a OR b OR c OR d OR e OR f OR g OR h) (i OR j OR k OR l OR m OR n OR o OR p OR q)",
        " ".join(f"({one} OR {two})" for one, two in zip("abcdefg", "hijklmn", strict=True)),
        "a b c d e f g h i j k l m n o p q r s t u v w x (1 OR 2 OR 3 OR 4 OR 5 OR 6)",
        "-((a b c d e f g h) OR (i j k l m n o p q))",
    ],
)
def test_groups_that_expand_to_too_much_are_refused(text):
    """The message names q and both limits."""
    with pytest.raises(InvalidParameterError) as caught:
        tokens(text)
    assert (caught.value.field, caught.value.code) == ("q", "too_complex")
    assert caught.value.message == (
        "q must have at most 64 alternatives and 128 words once its parentheses are multiplied out."
    )


def test_the_longest_query_without_groups_is_read_whole():
    """256 characters hold at most so many alternatives, or so many words."""
    letters = string.ascii_lowercase + string.ascii_lowercase.translate(
        {ord("a") + n: chr(ord("а") + n) for n in range(26)}
    )
    assert len(tokens(" OR ".join(letters))) == 52
    assert len(tokens(" ".join(chr(0x4E00 + n) for n in range(128)))[0]) == 128


def test_groups_of_any_depth_are_read():
    """The depth is not limited by Python's recursion limit."""
    assert tokens("(" * 255 + "a") == [[QueryToken("a")]]
    assert tokens("-(" * 127 + "a") == [[QueryToken("a", excluded=True)]]
