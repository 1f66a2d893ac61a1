"""Which preferences can be stored.

Each known one has a rule. Any other may be any JSON within the size limit.
"""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsintel.domain.personal.preferences import (
    MAX_TOPICS,
    MAX_VALUE_BYTES,
    Preferences,
    check_preference,
)
from newsintel.errors import InvalidBodyError

SOURCES = ("newsapi", "guardian", "reddit")


@pytest.mark.parametrize(
    ("key", "value", "kept"),
    [
        ("preferred_sources", ["guardian", "newsapi"], ["guardian", "newsapi"]),
        ("preferred_sources", [], []),
        ("topics", ["  Climate   change ", "Climate change", "AI"], ["Climate change", "AI"]),
        ("excluded_topics", ["football"], ["football"]),
        ("language", "EN", "en"),
        ("default_limit", 100, 100),
        ("dedupe", "strict", "strict"),
        ("sort", "newest", "newest"),
        ("record_history", False, False),
        ("theme", {"dark": [1, 2.5, None, "é"]}, {"dark": [1, 2.5, None, "é"]}),
        ("theme", None, None),
    ],
)
def test_a_valid_value_is_accepted(key, value, kept):
    """Topics and languages are normalized. Other values stay unchanged."""
    assert check_preference(key, value, SOURCES) == kept


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("preferred_sources", "guardian"),
        ("preferred_sources", ["guardian", "bbc"]),
        ("preferred_sources", ["guardian", "guardian"]),
        ("preferred_sources", [1]),
        ("topics", "climate"),
        ("topics", [["climate"]]),
        ("topics", [" "]),
        ("topics", ["..."]),
        ("topics", ["a\0b"]),
        ("topics", ["x" * 257]),
        ("topics", [f"topic {number}" for number in range(MAX_TOPICS + 1)]),
        ("language", "english"),
        ("language", "e1"),
        ("language", None),
        ("default_limit", 0),
        ("default_limit", 101),
        ("default_limit", True),
        ("default_limit", "20"),
        ("default_limit", 20.0),
        ("dedupe", "loose"),
        ("dedupe", ["strict"]),
        ("sort", "oldest"),
        ("record_history", 0),
        ("theme", "a\0b"),
        ("theme", {"a\0b": 1}),
        ("theme", "\ud800"),
        ("theme", "x" * MAX_VALUE_BYTES),
    ],
)
def test_an_invalid_value_is_refused_by_name(key, value):
    """The field is `value`, and the message begins with the preference's name."""
    with pytest.raises(InvalidBodyError) as refused:
        check_preference(key, value, SOURCES)
    assert refused.value.field == "value"
    assert refused.value.message.startswith(key)


@pytest.mark.parametrize("character", ["x", "é", "\n", '"'])
def test_the_size_limit_counts_the_bytes_of_the_json(character):
    """The limit is exact in every script: one more character is refused."""
    room = (MAX_VALUE_BYTES - 2) // len(json.dumps(character, ensure_ascii=False)[1:-1].encode())
    check_preference("theme", character * room, SOURCES)
    with pytest.raises(InvalidBodyError) as refused:
        check_preference("theme", character * (room + 1), SOURCES)
    assert refused.value.code == "too_large"


def test_an_escaped_nul_as_text_is_accepted():
    r"""The six characters \u0000 are text like any other."""
    assert check_preference("theme", r"\u0000", SOURCES) == r"\u0000"
    with pytest.raises(InvalidBodyError):
        check_preference("theme", "\\\0", SOURCES)


def test_preferences_are_read_from_stored_values():
    """Unknown ones are ignored, and missing ones have their default."""
    kept = {
        "topics": ["AI"],
        "default_limit": 5,
        "sort": "newest",
        "record_history": False,
        "theme": "dark",
    }
    assert Preferences.from_values(kept) == Preferences(
        topics=("AI",), default_limit=5, sort="newest", record_history=False
    )
    assert Preferences.from_values({}) == Preferences()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
KNOWN = st.sampled_from([*Preferences.__attrs_attrs__]).map(lambda field: field.name)


@given(st.dictionaries(KNOWN, JSON))
def test_stored_values_that_break_a_rule_are_ignored(kept):
    """Reading never raises. The other preferences are read."""
    preferences = Preferences.from_values(kept)
    assert preferences.default_limit is None or 1 <= preferences.default_limit <= 100
    assert isinstance(preferences.record_history, bool)


@given(KNOWN, JSON)
def test_what_checked_accepts_is_read(key, value):
    """Every value that `check_preference` returns is read; checking it again changes nothing."""
    try:
        kept = check_preference(key, value, SOURCES)
    except InvalidBodyError:
        return
    assert check_preference(key, kept, SOURCES) == kept
    read = getattr(Preferences.from_values({key: kept}), key)
    assert read == (tuple(kept) if isinstance(kept, list) else kept)
