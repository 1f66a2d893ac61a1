"""What groups, exclusions and operators amount to, judged by plain boolean evaluation and by another project's parser."""

import contextlib
import string
import unicodedata

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from luqum import tree as luqum
from luqum.parser import parser as luqum_parser

from newsintel.domain.text.grammar import MAX_ALTERNATIVES, MAX_CHARS, MAX_TOKENS, Token, case_folded, checked, parse
from newsintel.domain.text.spelling import spelled
from newsintel.errors import InvalidParameterError

WORDS = ["a", "b", "c", "d"]
DOCUMENTS = [frozenset(word for at, word in enumerate(WORDS) if number >> at & 1) for number in range(16)]
"""Every document there can be of four words: what agrees on these means the same."""


def tokens(q, fields=(), bounds=()):
    """The alternatives of a text as typed."""
    return [list(one) for one in parse(checked(q), fields, bounds).alternatives]


def holds(alternatives, document):
    """Whether one of the alternatives holds of a document, a set of words."""
    return any(all((token.text in document) != token.excluded for token in each) for each in alternatives)


def test_fields_count_only_where_they_are_named():
    """Without them a colon is part of its word; bounds are set aside."""
    assert tokens("-title:A b:c") == [[Token("title:A", excluded=True), Token("b:c")]]
    assert tokens("-title:A b:c", ("title",)) == [[Token("A", "title", excluded=True), Token("b:c")]]
    parsed = parse("x (after:y OR NOT after:z)", ("after",), ("after",))
    assert parsed.alternatives == ((Token("x"),),)
    assert parsed.bounds == (Token("y", "after"), Token("z", "after", excluded=True))


def test_text_is_tidied_but_stays_as_typed():
    """In NFC, without what nobody sees; the refusal names the parameter."""
    assert checked("  ℌe\u0301\u202e \u3000x") == "ℌé x"
    with pytest.raises(InvalidParameterError, match="publisher must"):
        checked(" ", "publisher")


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
    """And no text that is kept has more than that."""
    if kept is None:
        with pytest.raises(InvalidParameterError) as caught:
            checked(raw)
        assert caught.value.code == "too_long"
    else:
        assert checked(raw) == kept


@pytest.mark.parametrize("marks", ["\u0316\u0301", "\u0f73", "\u0344\u0316"])
def test_marks_beyond_what_a_letter_can_have_go_before_normalising(marks):
    """Normalising is quadratic in a run of marks: no more of one reaches it than the Stream-Safe Text Format allows (30)."""
    kept = checked("x" + marks * 2000)
    assert len(unicodedata.normalize("NFKD", kept)) <= 1 + 30 * max(len(unicodedata.normalize("NFKD", mark)) for mark in marks)
    assert kept == checked("x" + (marks * 30)[:30])


def test_no_character_is_made_of_more_than_four():
    """So a text that is four times too long before normalising is too long afterwards."""
    assert max(len(unicodedata.normalize("NFD", char)) for char in map(chr, range(0x110000))) == 4


# Of a tree of our own: ("and" | "or", parts) | ("not", part) | a word.
trees = st.recursive(
    st.sampled_from(WORDS),
    lambda inner: st.one_of(
        st.tuples(st.sampled_from(["and", "or"]), st.lists(inner, min_size=1, max_size=3)), st.tuples(st.just("not"), inner)
    ),
    max_leaves=8,
)


def true_of(tree, document):
    """A tree's truth by the meaning of the words and, or, not."""
    if isinstance(tree, str):
        return tree in document
    kind, parts = tree
    if kind == "not":
        return not true_of(parts, document)
    return (all if kind == "and" else any)(true_of(part, document) for part in parts)


def typed(tree, draw):
    """A tree as somebody types it: spellings of each operator at random, parentheses wherever they are needed."""
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
    """Groups of any depth, exclusions of groups and of exclusions: on every document there can be."""
    tree = data.draw(trees)
    text = typed(tree, data.draw)
    assume(len(text) <= MAX_CHARS)
    found = tokens(text)
    assert [holds(found, document) for document in DOCUMENTS] == [true_of(tree, document) for document in DOCUMENTS]


@given(trees, st.data())
def test_alternatives_spelled_again_are_the_same(tree, data):
    """In the plain spelling, without groups."""
    found = tokens(typed(tree, data.draw)[:MAX_CHARS].strip() or "a")
    again = " OR ".join(" ".join(("-" if one.excluded else "") + spelled(one.text, quoted=one.phrase) for one in each) for each in found)
    assume(len(again) <= MAX_CHARS)
    assert tokens(again) == found


def by_luqum(node, document):
    """The truth of what luqum, a parser of Lucene's language, read."""
    if isinstance(node, luqum.Word):
        return node.value in document
    if isinstance(node, luqum.Phrase):
        return node.value.strip('"') in document
    if isinstance(node, luqum.Group | luqum.Plus):
        return by_luqum(node.children[0], document)
    if isinstance(node, luqum.Not | luqum.Prohibit):
        return not by_luqum(node.children[0], document)
    assert isinstance(node, luqum.AndOperation | luqum.OrOperation), node
    return (all if isinstance(node, luqum.AndOperation) else any)(by_luqum(child, document) for child in node.children)


@st.composite
def both_languages(draw, depth=3):
    """A query in which Lucene's language and ours agree: each operator written out, since `a b OR c` is a AND (b OR c) to luqum."""
    parts = []
    for _ in range(draw(st.integers(1, 3))):
        sign = draw(st.sampled_from(["", "", "-", "NOT "]))
        nested = depth > 0 and draw(st.booleans())
        parts.append(sign + (f"({draw(both_languages(depth - 1))})" if nested else draw(st.sampled_from([*WORDS, '"a"', '"b"']))))
    text = parts[0]
    for part in parts[1:]:
        text += draw(st.sampled_from([" AND ", " OR "])) + part
    return text


@given(both_languages())
def test_another_parser_reads_the_same(text):
    """AND before OR, NOT and - before one word or group, parentheses: as luqum has it."""
    try:
        found = tokens(text)
    except InvalidParameterError as refusal:
        assert refusal.code in ("too_long", "too_complex")
        return
    tree = luqum_parser.parse(text)
    assert [holds(found, document) for document in DOCUMENTS] == [by_luqum(tree, document) for document in DOCUMENTS]


PIECES = [*'()（）-–"“»‘’ xéﷺ\u0301א', "OR", "AND", "NOT", "title:", "ｔｉｔｌｅ：", ":("]


@given(st.one_of(st.text(max_size=300), st.lists(st.sampled_from(PIECES), max_size=80).map("".join)))
def test_any_text_is_a_query_or_a_refusal(text):
    """And a query is bounded, without an empty alternative or one that comes twice."""
    with contextlib.suppress(InvalidParameterError):
        found = tokens(text, ("title",))
        assert len(found) <= MAX_ALTERNATIVES
        assert sum(map(len, found)) <= MAX_TOKENS
        assert all(found)
        assert all(any(map(str.isalnum, case_folded(token.text))) for each in found for token in each)
        keys = [frozenset((token.field, case_folded(token.text), token.excluded) for token in each) for each in found]
        assert len(set(keys)) == len(keys)
        assert checked(checked(text)) == checked(text)


@given(st.lists(st.sampled_from([*string.ascii_lowercase, "OR", "-", "NOT", '"', " "]), max_size=256).map(" ".join))
def test_without_groups_nothing_is_too_complex(text):
    """Whatever fits into 256 characters."""
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
def test_groups_that_amount_to_too_much_are_refused(text):
    """One clear message, naming q."""
    with pytest.raises(InvalidParameterError) as caught:
        tokens(text)
    assert (caught.value.field, caught.value.code) == ("q", "too_complex")
    assert caught.value.message == "q must have at most 64 alternatives and 128 words once its parentheses are multiplied out."


def test_the_longest_without_groups():
    """As many alternatives, and as many words, as 256 characters hold."""
    letters = string.ascii_lowercase + string.ascii_lowercase.translate({ord("a") + n: chr(ord("а") + n) for n in range(26)})
    assert len(tokens(" OR ".join(letters))) == 52
    assert len(tokens(" ".join(chr(0x4E00 + n) for n in range(128)))[0]) == 128


def test_any_depth_is_read():
    """Without Python's stack having a say."""
    assert tokens("(" * 255 + "a") == [[Token("a")]]
    assert tokens("-(" * 127 + "a") == [[Token("a", excluded=True)]]
