# ruff: noqa: S608 - our own texts, quoted
"""The index of a text, read by PostgreSQL.

Every letter is found, and stems are PostgreSQL's own.
"""

import json
import sys
import unicodedata
from random import Random

from newsintel.domain.search.matching import build_run
from newsintel.domain.text import languages
from newsintel.domain.text.languages import FUNCTION_WORDS, SIMPLE, stem_word
from newsintel.domain.text.lexemes import AUTHOR, EXACT, MARKED, make_lexeme
from newsintel.domain.text.parts import cut_at_spaces
from newsintel.domain.text.tokens import is_unspaced, split_words
from newsintel.storage.postgres.archive.conditions import _build_phrase_query
from newsintel.storage.postgres.archive.indexing import (
    GAP,
    MOST_PLACES,
    SLICE_CHARS,
    Texts,
    index_articles,
)
from tests.printed_words import ROWS
from tests.storage.support import NOON, article


def literal(text):
    """A string literal of SQL."""
    return "'" + text.replace("'", "''") + "'"


async def test_sampled_letters_and_digits_are_found(bridge, fetch):
    """Each is a separate word in a title of its own."""
    every = [
        chr(code)
        for code in range(sys.maxunicode + 1)
        if chr(code).isalnum() and unicodedata.category(chr(code)) != "Lm"
    ]
    sample = Random(1).sample(every, 3_000)
    lane = bridge.add_lane("read", 1)

    async def vectors():
        texts = [Texts(f"a {one} b", None, None, None, "P", "ja") for one in sample]
        return [search for search, _, _ in await index_articles(texts)]

    asked = [build_run(one, SIMPLE) for one in sample]
    assert [one for one, found in zip(sample, asked, strict=True) if found is None] == []
    pairs = ", ".join(
        f"({literal(one)}, {literal(vector)}, {literal(_build_phrase_query(found, ''))})"
        for one, vector, found in zip(sample, await lane.run(vectors), asked, strict=True)
    )
    lost = await fetch(
        f"SELECT one FROM (VALUES {pairs}) AS each (one, vector, query)"
        " WHERE NOT vector::tsvector @@ query::tsquery"
    )
    assert lost == []


async def test_index_equals_what_the_rules_say(bridge):
    """Each text's words are indexed as `tokens` and `lexemes` say, whatever is cached of it."""
    random = Random(4)
    titles = [row.title for row in ROWS]
    texts = [
        Texts(
            " ".join(random.sample(titles, random.randrange(3)))[:300],
            random.choice([None, *titles]),
            " ".join(random.choices(titles, k=random.choice([0, 1, 90]))) or None,
            random.choice([None, *titles]),
            random.choice(titles),
            random.choice([None, *languages.FUNCTION_WORDS, "xx"]),
        )
        for _ in range(300)
    ]
    texts.append(Texts("a " * 300, "the " * 300, None, None, "P", None))
    lane = bridge.add_lane("index", 1)
    for _ in ("new", "known"):
        found = await lane.run(index_articles, texts)
        assert [search for search, _, _ in found] == [
            index_by_rules(one, language)
            for one, (_, language, _) in zip(texts, found, strict=True)
        ]


def index_by_rules(texts, language):
    """A tsvector, from the words of each field in turn. Long texts are read in parts."""
    vector, place = {}, 0
    for text, weight in ((texts.title, "A"), (texts.description, "B"), (texts.content, "C")):
        for part in cut_at_spaces(text or "", SLICE_CHARS):
            for token in split_words(part):
                place += 1
                vector.setdefault(make_lexeme(token.word, language), []).append(f"{place}{weight}")
                if token.exact != token.word:
                    vector.setdefault(EXACT + token.exact, [])
                    vector.setdefault(MARKED + token.word, [])
        place += GAP
    for number, token in enumerate(split_words(texts.author or ""), 1):
        vector.setdefault(AUTHOR + token.word, []).append(f"{number}")
    return " ".join(
        f"'{some}':{','.join(places[:MOST_PLACES])}" if places else f"'{some}'"
        for some, places in vector.items()
    )


async def test_stems_equal_those_of_postgresql(fetch):
    """The languages are those that both have; the words are some thousand real and invented ones.

    Releases of Snowball differ in one word of a hundred: since 3.0 the stem of English `university`
    is `universiti`, no longer that of `universe`. Dutch has another stemmer since then.
    """
    random = Random(2)
    theirs = {
        name
        for (name,) in await fetch("SELECT dictname FROM pg_ts_dict WHERE dictname LIKE '%\\_stem'")
    }
    both = {code: name for code, name in languages._SNOWBALL.items() if f"{name}_stem" in theirs}
    assert len(both) > 20
    printed = {
        one.word
        for row in ROWS
        for one in split_words(f"{row.title} {row.q}")
        if one.word.isalpha() and not is_unspaced(one.word)
    }
    differ = {}
    for code, name in both.items():
        real = printed | FUNCTION_WORDS.get(code, frozenset())
        parts = [
            word[at:] for word in sorted(real) for at in range(len(word)) if word[at:].isalpha()
        ]
        words = sorted(real | {"".join(random.choices(parts, k=2)) for _ in range(300)})
        kept = ", ".join(f"({place}, {literal(word)})" for place, word in enumerate(words))
        rows = await fetch(
            f"SELECT (ts_lexize('{name}_stem', word))[1]"
            f" FROM (VALUES {kept}) AS each (place, word) ORDER BY place"
        )
        pairs = [
            (word, stem_word(code, word), found)
            for word, (found,) in zip(words, rows, strict=True)
            if found is not None
        ]  # None is a stop word
        assert len(pairs) > 300
        differ[code] = [pair for pair in pairs if pair[1] != pair[2]]
    assert {code: pairs for code, pairs in differ.items() if len(pairs) > 15}.keys() == {"nl"}


async def test_words_of_a_long_article_are_stored_in_its_row(archive, fetch):
    """Ranking reads the words of hundreds of articles, and none of the texts.

    So PostgreSQL stores the texts elsewhere.
    """
    random = Random(3)
    text = " ".join("".join(random.choices("bcdfghklmnprst", k=9)) for _ in range(120))
    await archive.save_articles([(article("long", content=text), NOON)], [])
    assert await blocks_read(fetch, "length(search)") == 1
    assert await blocks_read(fetch, "length(content)") > 1


async def blocks_read(fetch, column):
    """Blocks read for a column of all articles, in the table and in its separate storage."""
    ((plan,),) = await fetch(
        f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) SELECT {column} FROM articles"
    )
    found = json.loads(plan)[0]["Plan"]
    return found["Shared Hit Blocks"] + found["Shared Read Blocks"]
