"""Whether a text matches a query.

Queries are runs of lexemes by the rules of the text's language. An exact spelling matches best.
"""

import pytest

from newsintel.domain.search.matching import (
    NEAR_MATCH,
    PreparedQuery,
    PreparedTopics,
    build_run,
    build_runs,
    choose_article_language,
    has_only_function_words,
    is_function_word_term,
    prepare_text,
    select_essential,
)
from newsintel.domain.search.query_model import Clause, Term
from tests.make import article


def finds(text, typed, language="en"):
    """How well a text matches what was typed."""
    return prepare_text(text, language).match_run(build_run(typed, language))


@pytest.mark.parametrize(
    ("text", "typed", "how_well"),
    [
        ("Café in town", "café", 1.0),
        ("Café in town", "cafe", NEAR_MATCH),
        ("Cafe in town", "café", NEAR_MATCH),
        ("Cafe in town", "cafe", 1.0),
        ("Café or cafe", "cafe", 1.0),
        ("Cafe or café", "café", 1.0),
        ("Café, elections", "election", 1.0),
        ("Cafés in town", "cafe", 1.0),
        ("Tea in town", "café", 0.0),
        ("Climate changes", "climate change", 1.0),
        ("Climate does change", "climate change", 0.0),
        ("El Niño is back", "el nino", NEAR_MATCH),
        ("東京で地震", "地震", 1.0),
        ("東京で地震", "京で地", 1.0),
        ("東京で地震", "震", 1.0),
        ("東京で地震", "地", 1.0),
        ("東京で地震", "震地", 0.0),
        ("東京 地震", "京地", 0.0),
        ("iPhone発売", "iphone 発", 1.0),
        ("発売 iPhone", "発売 iphone", 1.0),
    ],
)
def test_how_well_a_text_matches_what_was_typed(text, typed, how_well):
    """Different marks lower the value a little.

    They are not compared if the words differ in more than marks.
    """
    assert finds(text, typed) == how_well


def test_a_term_without_a_word_has_no_run():
    """Among other terms it is left out."""
    assert build_run("!?", "en") is None
    assert [one.words for one in build_runs([Term("!?"), Term("a b", phrase=True)], "en")] == [
        ("a", "b")
    ]


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        (["the", "economy"], ["economy"]),
        (["The", "economy"], ["economy"]),
        (["IT", "outage"], ["IT", "outage"]),
        (["The", "Who"], ["The", "Who"]),
        (["the", "who"], []),
        (["More"], ["More"]),
        (["the end", "of"], ["the end"]),
        (["o'er", "the"], ["o'er"]),
        ([], []),
    ],
)
def test_function_words_are_ignored_beside_other_words(typed, kept):
    """Alone they count if one of them has a capital letter, or if they are a phrase."""
    terms = [Term(one, " " in one) for one in typed]
    assert [one.text for one in select_essential(terms, "en")] == kept
    assert has_only_function_words(terms) is (bool(typed) and not kept)


def test_a_function_word_of_one_language_is_a_word_in_another():
    """`die` is an article in German and a verb in English."""
    assert is_function_word_term(Term("die"), "de")
    assert not is_function_word_term(Term("die"), "en")
    assert not is_function_word_term(Term("die Welt", phrase=True), "de")


def test_alternatives_are_read_by_the_rules_of_each_language():
    """An alternative without wanted words in a language matches no text.

    One of exclusions alone matches every text without them.
    """
    asked = PreparedQuery((Clause((Term("die"),)), Clause((Term("cats"),), (Term("dog"),))))
    assert asked.matches([prepare_text("They die", "en")], "en")
    assert not asked.matches([prepare_text("Die Katze", "de")], "de")
    assert asked.matches([prepare_text("A cat", "en"), prepare_text("and mice", "en")], "en")
    assert not asked.matches([prepare_text("A cat", "en"), prepare_text("and dogs", "en")], "en")
    assert asked.get_alternatives("en") is asked.get_alternatives("en")
    assert PreparedQuery((Clause((), (Term("dog"),)),)).matches([prepare_text("A cat", "en")], "en")


def test_topics_are_looked_for_in_title_description_and_section():
    """By the rules of the article's language, given or guessed.

    Without topics, no article matches.
    """
    topics = PreparedTopics(("elections", "été"))
    assert topics.matches(article(title="An election"))
    assert topics.matches(article(description="The election is over"))
    assert topics.matches(article(section="Election"))
    assert topics.matches(article(title="Un ete sans eau", language="fr"))
    assert not topics.matches(article(title="Selections"))
    assert not PreparedTopics(()).matches(article())


@pytest.mark.parametrize(
    ("changes", "language"),
    [
        ({"language": "de", "title": "The end"}, "de"),
        ({"language": None, "title": "Die Frau und das Meer"}, "de"),
        ({"language": None, "title": "Meer", "description": "Die Frau und das Meer"}, "de"),
        ({"language": None, "title": "Meer"}, "en"),
        ({"language": "ja", "title": "海"}, ""),
    ],
)
def test_the_language_of_an_article_is_given_or_guessed(changes, language):
    """The source may name it. Otherwise it is guessed from title and description."""
    assert choose_article_language(article(**changes)) == language
