"""Which headlines are one story and which are not: all kinds, in many languages and scripts."""

import pytest

from newsintel.domain.search.stories.judging import Judgement, Told, judge_titles
from newsintel.domain.search.stories.parsed_title import parse_title
from newsintel.domain.search.stories.vetoes import Veto

TWO_STORIES = {
    Veto.NUMBER: [
        (
            "Magnitude 6.1 earthquake strikes central Italy",
            "Magnitude 5.2 earthquake strikes central Italy",
        ),
        (
            "Arsenal beat Chelsea 2-1 at Stamford Bridge",
            "Arsenal beat Chelsea 1-2 at Stamford Bridge",
        ),
        (
            "EU agrees 12th sanctions package against Russia",
            "EU agrees 13th sanctions package against Russia",
        ),
        ("Two hikers killed by avalanche in Tyrol", "Five hikers killed by avalanche in Tyrol"),
        (
            "Airbus wins order for 100 jets from IndiGo",
            "Airbus wins order for 250 jets from IndiGo",
        ),
        (
            "Startup Nimbus raises $5 million for solar drones",
            "Startup Nimbus raises $5 billion for solar drones",
        ),
        (
            "Number of measles cases reaches 1,200 in Texas",
            "Number of measles cases reaches 1,400 in Texas",
        ),
        ("花蓮發生規模6.1地震 台北有感", "花蓮發生規模5.2地震 台北有感"),
        ("能登半島で震度5弱の地震", "能登半島で震度3の地震"),
        (
            "В Турции произошло землетрясение магнитудой 6,1",
            "В Турции произошло землетрясение магнитудой 5,2",
        ),
        ("زلزال بقوة 6.1 درجات يضرب شرق المدينة", "زلزال بقوة 5.2 درجات يضرب شرق المدينة"),
        (
            "Σεισμός 6,1 Ρίχτερ στην Κρήτη ταρακούνησε το Ηράκλειο",
            "Σεισμός 5,2 Ρίχτερ στην Κρήτη ταρακούνησε το Ηράκλειο",
        ),
        ("असम में 6.1 तीव्रता का भूकंप, लोग घरों से निकले", "असम में 5.2 तीव्रता का भूकंप, लोग घरों से निकले"),
    ],
    Veto.DATE: [
        (
            "Parliament of Tonga to vote on budget on May 5",
            "Parliament of Tonga to vote on budget on May 9",
        ),
        (
            "Gold closing prices in Zurich market 5/2/24",
            "Gold closing prices in Zurich market 5/1/24",
        ),
        (
            "Best films of 2013 according to critics of Cannes",
            "Best films of 2014 according to critics of Cannes",
        ),
        (
            "Polls in Tonga open at 7 a.m. after storm delay",
            "Polls in Tonga open at 9:30 after storm delay",
        ),
        ("东京股市5月2日收盘行情与汇率报告", "东京股市5月1日收盘行情与汇率报告"),
        (
            "Курс рубля к доллару на 5 мая опубликован Центробанком",
            "Курс рубля к доллару на 9 мая опубликован Центробанком",
        ),
    ],
    Veto.WEEKDAY: [
        ("New bridge over the Danube opens Thursday", "New bridge over the Danube opens Wednesday"),
        (
            "Warnstreik der Lokführer beginnt am Montag",
            "Warnstreik der Lokführer beginnt am Freitag",
        ),
        (
            "Забастовка машинистов метро начнется в понедельник",
            "Забастовка машинистов метро начнется в пятницу",
        ),
    ],
    Veto.PLACE: [
        (
            "Thousands march against pension reform in Paris",
            "Thousands march against pension reform in Lyon",
        ),
        (
            "Heavy fighting reported in Aleppo suburbs",
            "Heavy fighting reported in Damascus suburbs",
        ),
        (
            "Foreign minister of Norway visits flood victims",
            "Foreign minister of Kenya visits flood victims",
        ),
        ("東京で大規模停電、鉄道に影響", "京都で大規模停電、鉄道に影響"),
        ("北京暴雨导致航班大面积延误", "上海暴雨导致航班大面积延误"),
        ("Взрыв прогремел на рынке в Москве", "Взрыв прогремел на рынке в Киеве"),
        (
            "انفجار كبير في سوق شعبي في بغداد القديمة لندن",
            "انفجار كبير في سوق شعبي في بغداد القديمة باريس",
        ),
        ("Διαδήλωση αγροτών με τρακτέρ στην Αθήνα", "Διαδήλωση αγροτών με τρακτέρ στη Θεσσαλονίκη"),
        ("दिल्ली में भारी बारिश से जनजीवन अस्त-व्यस्त", "मुंबई में भारी बारिश से जनजीवन अस्त-व्यस्त"),
    ],
    Veto.OPPOSITE: [
        ("Senate passes bill on border wall funding", "Senate blocks bill on border wall funding"),
        (
            "Riksbank raises interest rates by quarter point",
            "Riksbank cuts interest rates by quarter point",
        ),
        (
            "FAA lifts ban on flights to Haiti capital",
            "FAA extends ban on flights to Haiti capital",
        ),
        (
            "Oil prices rise after OPEC meeting in Vienna",
            "Oil prices fall after OPEC meeting in Vienna",
        ),
        (
            "Jury finds senator guilty of bribery in casino case",
            "Jury acquits senator of bribery in casino case",
        ),
        ("Famous zoo in Hanover opens its doors", "Famous zoo in Hanover closes its doors"),
        ("Pupils flee fire at mosque in Leeds", "Pupils flee fire at church in Leeds"),
        ("央行宣布加息25个基点", "央行宣布降息25个基点"),
        ("議会が予算案を可決、首相が表明", "議会が予算案を否決、首相が表明"),
        ("Центробанк повысил ключевую ставку", "Центробанк понизил ключевую ставку"),
        ("البنك المركزي رفع سعر الفائدة اليوم", "البنك المركزي خفض سعر الفائدة اليوم"),
        (
            "Η κεντρική τράπεζα αυξάνει τα επιτόκια καταθέσεων",
            "Η κεντρική τράπεζα μειώνει τα επιτόκια καταθέσεων",
        ),
        ("रिजर्व बैंक ने रेपो दर बढ़ाई", "रिजर्व बैंक ने रेपो दर घटाई"),
        ("한국은행 기준금리 0.25%p 인상 결정", "한국은행 기준금리 0.25%p 인하 결정"),
    ],
    Veto.NAME: [
        (
            "Court hears fraud case of banker Jonas Keller in October",
            "Court hears fraud case of banker Peter Amsel in October",
        ),
        (
            "Mayor asks Nordwerk to repair the tram line",
            "Mayor asks Calvetti to repair the tram line",
        ),
    ],
    Veto.ACTOR: [
        ("Israel attacks Iran after border incident", "Iran attacks Israel after border incident"),
        (
            "Germany beats Spain in final of handball cup",
            "Spain beats Germany in final of handball cup",
        ),
        (
            "Россия обвинила Украину в срыве переговоров",
            "Украина обвинила Россию в срыве переговоров",
        ),
    ],
}
NOT_SIMILAR = [
    ("News Today 5/2/24", "News Today 5/1/24"),
    ("3 Must-Buy Solar Stocks", "3 Must-Buy Restaurant Stocks"),
    ("Morning briefing: what we know on Monday", "Morning briefing: what we know on Tuesday"),
    ("Live updates", "Live update"),
    ("Weather forecast for the north of Spain", "Weather forecast for the north of France"),
    ("Man dies", "Man killed"),
    ("Parliament debates pension reform", "Actor wins film prize in Venice"),
    ("Прогноз погоды на завтра в области", "Прогноз погоды на сегодня в области"),
    ("", ""),
    ("!!!", "???"),
]
ONE_STORY = [
    ("Magnitude 6.1 earthquake strikes central Italy", "6.1-magnitude quake hits central Italy"),
    (
        "UPDATE 1-Toyota recalls 2 million cars over airbags",
        "Toyota recalls two million cars over airbags",
    ),
    ("BREAKING: Pope Adrian dies in Rome aged 91", "Pope Adrian dead at 91 in Rome"),
    ("U.S. Senate confirms Maria Lund as Fed chair", "US Senate confirms Lund as Fed chair"),
    (
        "Mohamed Morsi sworn in as president of Egypt",
        "Mohammed Mursi sworn in as Egyptian president",
    ),
    ("General Motors recalls trucks over faulty brakes", "GM recalls trucks over faulty brakes"),
    ("Flood kills 12 in northern Nepal", "Twelve dead in floods in north Nepal"),
    (
        "Japan's PM resigns over funding scandal",
        "Japanese prime minister quits over funding scandal",
    ),
    ("北京暴雨导致航班大面积延误", "北京暴雨致航班大面积延误"),
    ("東京で大規模停電、鉄道に影響", "東京で大規模な停電、鉄道に影響"),
    ("Центробанк повысил ключевую ставку до 9%", "ЦБ повысил ключевую ставку до 9%"),
    ("Σεισμός 6,1 Ρίχτερ στην Κρήτη", "Σεισμός 6,1 Ρίχτερ ταρακούνησε την Κρήτη"),
    ("زلزال بقوة 6.1 يضرب شرق تركيا", "زلزال بقوة 6.1 درجات يضرب تركيا"),
    ("असम में 6.1 तीव्रता का भूकंप", "असम में भूकंप, तीव्रता 6.1"),
]


def judge(one: str, other: str) -> Judgement:
    """How two titles compare, of unknown publishers and times."""
    return judge_titles(Told(parse_title(one)), Told(parse_title(other)))


@pytest.mark.parametrize(
    ("veto", "one", "other"),
    [(veto, *pair) for veto, pairs in TWO_STORIES.items() for pair in pairs],
)
def test_similar_titles_of_two_stories_are_kept_apart_by_name(veto, one, other):
    """The name of the veto is reported, in both orders."""
    found = judge(one, other)
    assert found.similar, found
    assert found.veto is veto
    assert judge(other, one) == found


@pytest.mark.parametrize(("one", "other"), NOT_SIMILAR)
def test_titles_that_say_little_or_other_things_are_not_similar(one, other):
    """They merge only if they are equal."""
    assert not judge(one, other).similar
    assert not judge(other, one).similar


@pytest.mark.parametrize(("one", "other"), ONE_STORY)
def test_titles_of_one_story_match(one, other):
    """Other words, spellings and orders of the same facts."""
    assert judge(one, other).same, judge(one, other)
    assert judge(one, other) == judge(other, one)


def test_a_place_is_written_with_a_capital():
    """In a title that has any: without one, each word of its name stands for itself."""
    written = parse_title("Cable cars of San Francisco stop")
    plain = parse_title("Cable cars of san francisco stop")
    assert written.cities == {"san_francisco"}
    assert plain.cities == frozenset()
    assert {"san", "francisco"} <= {step.word for step in plain.steps}
    assert parse_title("cable cars of san francisco stop").cities == {"san_francisco"}


def test_us_in_capitals_is_the_country():
    """Otherwise it is a pronoun."""
    assert parse_title("Senate of the US votes").countries == {"usa"}
    assert parse_title("U.S. Senate votes").countries == {"usa"}
    assert parse_title("Senate tells us of votes").countries == frozenset()
