"""Text that would be SQL, a pattern or a query language is only text, in every field."""

import pytest
from attrs import evolve

from newsintel.domain.archive.model import ArchiveQuery, ArchiveSort
from newsintel.domain.archive.query import build_archive_query
from newsintel.errors import InvalidParameterError
from newsintel.storage.postgres.archive.search import PostgresSearch
from tests.storage.support import NOON, article

HOSTILE = [
    "x'); DROP TABLE articles; --",
    "x' OR '1'='1",
    "$1 $2 %s %(q)s {0} :q",
    "100% _under_ \\ back",
    "a:* & !b | (c <-> d)",
    "E'\\x27' $$; SELECT pg_sleep(9); $$",
    "'' \"\" `` \u2019 \u201c",
    "/* x */ UNION SELECT 1",
]
FIELDS = ("title", "publisher", "author")


@pytest.mark.parametrize("text", HOSTILE)
async def test_asvs_16_hostile_text_is_stored_and_found_as_text(archive, postgres, text):
    """Saved in every field, found by every field and order; nothing else is found or changed."""
    search = PostgresSearch(postgres)
    ours = article("hostile", title=f"word {text}", publisher=text, author=text, description=text)
    other = article("other", title="word of another", publisher="Other", author="Other")
    assert await archive.save_articles([(one, NOON) for one in (ours, other)], []) == 2
    quoted = text.replace('"', " ")
    for q in (quoted, f'"{quoted}"', *(f'{field}:"{quoted}"' for field in FIELDS)):
        for sort in ArchiveSort:
            try:
                query = evolve(build_archive_query(q), sort=sort)
            except InvalidParameterError:
                continue
            page = await search.search(query, 10, None)
            assert {hit.article.external_id for hit in page.hits} <= {"hostile"}
    one = ArchiveQuery((), publisher=text)
    assert [hit.article.title for hit in (await search.search(one, 10, None)).hits] == [ours.title]
    everything = await search.search(ArchiveQuery(()), 10, None)
    assert len(everything.hits) == 2
