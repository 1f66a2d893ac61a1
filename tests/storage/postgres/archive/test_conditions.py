"""The time to build the SQL of an archive query.

The queries are the longest ones, and the archive has every language.
"""

import pytest

from newsintel.domain.archive.query import build_archive_query
from newsintel.domain.search import matching
from newsintel.domain.text import lexemes, tokens
from newsintel.domain.text.languages import _SNOWBALL, SIMPLE
from newsintel.storage.postgres.archive.conditions import build_condition
from tests.steps import ALLOWED, LONGEST_MS, longest_slice

LANGUAGES = [SIMPLE, *_SNOWBALL]


@pytest.mark.parametrize(
    "q",
    [
        "東京で地震" * 51,
        " OR ".join(
            chr(0x4E00 + number) + chr(0x5000 + number) + chr(0x6000 + number)
            for number in range(36)
        ),
        " ".join(chr(97 + number % 26) + chr(97 + number // 26) for number in range(85)),
        " OR ".join(chr(97 + number % 26) + chr(97 + number // 26) for number in range(42)),
        "".join(f" -{chr(97 + number % 26)}{chr(97 + number // 26)}" for number in range(63)),
        "‘a" * 128,
        "a'" * 128,
        "ก" * 256,
        "\ufdfa" * 14,
        'צה"ל ' * 51,
    ],
)
def test_building_a_query_never_blocks_for_long(q):
    """Each term is analyzed by the rules of every language.

    Without slices this took a tenth of a second.
    """
    query = build_archive_query(q[:256].strip())

    def make():
        for memo in (tokens._exact, tokens._plain):
            memo.clear()
        for cache in (matching._split_term, lexemes.make_lexeme):
            cache.cache_clear()
        return build_condition(query, LANGUAGES)

    longest_ms, found = longest_slice(make)
    assert found.sql
    assert longest_ms < ALLOWED * LONGEST_MS, f"{longest_ms:.1f} ms"
