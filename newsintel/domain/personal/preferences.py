"""A person's preferences: those that searches apply, each with its rule, and others as plain JSON.

A rule takes a value from JSON and returns the value to store. Or it raises an InvalidBodyError for
the member `value` with a message that names the preference. docs/personal.md describes the same
rules for users.
"""

import json
import re
from collections.abc import Callable, Collection, Mapping
from enum import StrEnum
from sys import getsizeof
from typing import Any

from attrs import frozen

from newsintel.domain.search.query_model import Dedupe, Sort
from newsintel.domain.text.grammar import tidy_query as tidy
from newsintel.domain.text.tokens import split_words
from newsintel.errors import InvalidBodyError, InvalidParameterError

KEY = r"[A-Za-z0-9_.:-]{1,100}"
MAX_VALUE_BYTES = 4096
"""Maximum of a value in PostgreSQL's format: UTF-8 with a space after each comma and colon
(contract: 4 KiB)."""
MAX_KEYS = 100
"""Maximum for one person (contract)."""
MAX_TOPICS = 50
"""Maximum of each list. Each topic is looked for in every story of a search."""

OBJECT_BYTES = 140
"""The size of a person's preferences without their lists."""

# PostgreSQL's jsonb cannot store an escaped NUL (after an even number of backslashes) or a
# surrogate.
_UNSTORABLE = re.compile(r"(?<!\\)(?:\\\\)*\\u0000|[\ud800-\udfff]")


@frozen
class Preferences:
    """The preferences that searches apply; None and () = not set.

    Attributes:
        preferred_sources: names of sources.
        topics: words or phrases.
        excluded_topics: words or phrases.
        language: two lower-case letters.
        default_limit: 1 to 100.
        record_history: whether searches go into the history.
    """

    preferred_sources: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    excluded_topics: tuple[str, ...] = ()
    language: str | None = None
    default_limit: int | None = None
    dedupe: Dedupe | None = None
    sort: Sort | None = None
    record_history: bool = True

    @classmethod
    def from_values(cls, kept: Mapping[str, Any]) -> "Preferences":
        """Select the preferences from all values of a person.

        A value that breaks its rule is ignored (another version may have another rule).
        """
        found: dict[str, Any] = {}
        for key in kept.keys() & _RULES.keys():
            try:
                value = _RULES[key](key, kept[key])
            except InvalidParameterError:
                continue
            found[key] = tuple(value) if isinstance(value, list) else value
        return cls(**found)

    @property
    def size_bytes(self) -> int:
        """The size in memory."""
        lists = (self.preferred_sources, self.topics, self.excluded_topics)
        return OBJECT_BYTES + sum(getsizeof(one) + sum(map(getsizeof, one)) for one in lists if one)


def check_preference(key: str, value: Any, sources: Collection[str]) -> Any:
    """Return the value of a preference as it will be stored.

    Args:
        key: matches KEY.
        value: any JSON value.
        sources: the existing sources.

    Raises:
        InvalidBodyError: for the member `value`.
    """
    if rule := _RULES.get(key):
        value = rule(key, value)
    if key == "preferred_sources" and not set(value) <= set(sources):
        raise _invalid_error(key, f"a list of names out of {', '.join(sources)}, each once")
    text = json.dumps(value, ensure_ascii=False)
    if _UNSTORABLE.search(text):
        raise InvalidBodyError(
            "value", "control_character", f"{key} must not hold NUL or halves of characters."
        )
    if len(text.encode()) > MAX_VALUE_BYTES:
        raise too_large_error(key)
    return value


def too_large_error(key: str) -> InvalidBodyError:
    """Return the error for a value above MAX_VALUE_BYTES."""
    return InvalidBodyError(
        "value", "too_large", f"{key} must have at most {MAX_VALUE_BYTES:,} bytes as JSON."
    )


def _check_sources(key: str, value: Any) -> list[str]:
    if (
        not isinstance(value, list)
        or not all(isinstance(one, str) for one in value)
        or len(set(value)) < len(value)
    ):
        raise _invalid_error(key, "a list of names of sources, each once")
    return value


def _check_topics(key: str, value: Any) -> list[str]:
    if (
        not isinstance(value, list)
        or not all(isinstance(one, str) for one in value)
        or len(value) > MAX_TOPICS
    ):
        raise _invalid_error(key, f"a list of at most {MAX_TOPICS} words or runs of words")
    try:
        tidied = [tidy(one, f"{key}[{place}]") for place, one in enumerate(value)]
    except InvalidParameterError as error:
        raise InvalidBodyError("value", error.code, error.message) from None
    if not all(any(split_words(one)) for one in tidied):
        raise _invalid_error(key, "a list of texts that each hold a letter or a digit")
    return list(dict.fromkeys(tidied))


def _check_language(key: str, value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z]{2}", value):
        raise _invalid_error(key, "two letters such as en")
    return value.lower()


def _check_limit(key: str, value: Any) -> int:
    if type(value) is not int or not 1 <= value <= 100:
        raise _invalid_error(key, "a whole number from 1 to 100")
    return value


def _check_flag(key: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise _invalid_error(key, "true or false")
    return value


def _make_word_check(words: type[StrEnum]) -> Callable[[str, Any], StrEnum]:
    def rule(key: str, value: Any) -> StrEnum:
        if not isinstance(value, str) or value not in list(words):
            raise _invalid_error(key, f"one of {', '.join(words)}")
        return words(value)

    return rule


def _invalid_error(key: str, rule: str) -> InvalidBodyError:
    return InvalidBodyError("value", "invalid", f"{key} must be {rule}.")


_RULES: Mapping[str, Callable[[str, Any], Any]] = {
    "preferred_sources": _check_sources,
    "topics": _check_topics,
    "excluded_topics": _check_topics,
    "language": _check_language,
    "default_limit": _check_limit,
    "dedupe": _make_word_check(Dedupe),
    "sort": _make_word_check(Sort),
    "record_history": _check_flag,
}
