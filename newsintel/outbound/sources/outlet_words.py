"""The words by which a tail is known as an outlet's name, or as something that is none.

The lists were made by reading the recorded payloads and the titles of the outlets that the tests
name; they are open lists, not a standard.
"""

import re
import unicodedata

from newsintel.domain.text.clean import fold

ARTICLES = frozenset(
    {"the", "la", "le", "les", "il", "el", "o", "der", "die", "das", "de", "het", "al"}
    | {"η", "\u03bf", "το"}
)
_PRESS = (
    # What outlets call themselves,
    "agency associated blatt broadcasting bulletin chronicle club corporation courier dagblad "
    "daily diario dispatch echo evening examiner express gazette giornale group herald "
    "independent inquirer investors journal journalism mail magazine media mirror morning network "
    "news newspaper newswire nieuws noticias observer online post press presse radio service soir "
    "sera standard star sun telegraph television times today tribune tv weekly world zeitung "
    "نيوز قناة صحيفة جريدة وكالة موقع شبكة تلفزيون راديو بوابة خبرگزاری روزنامه شبکه חדשות "
    "новости газета радио журнал агентство новини समाचार न्यूज दैनिक ข่าว báo εφημερίδα "
    # their desks,
    "breaking business economics entertainment finance health info life markets money opinion "
    "politics science sport sports style tech travel weather "
    # their editions,
    "africa afrique america arabic asia australia brasil canada deutsch english español europe "
    "france global hindi india international japan mundo türkçe türk uk urdu us usa 中文 日本語 "
    "코리아 हिंदी عربي عربية فارسی اردو русская служба україна "
    # and the words that connect these.
    "a am an and d da das de dei del della delle dello der des di do du e en et for la le les los "
    "of the und van y"
)
# Who says the headline, or which kind of article it is. "Reuters poll" is not an outlet, though
# Reuters is one.
_SPEECH = (
    "poll polls survey surveys report reports source sources analysis analyst analysts "
    "exclusive interview official officials minister ministry spokesman "
    "spokesperson spokeswoman "
    "says say said saying tells told warns warn warned claims claim claimed confirms confirmed "
    "announces announced denies denied understands understand learns learned sees expects urges "
    "vows calls shows finds suggests hints admits insists argues believes knows asks "
    "umfrage bericht berichte berichten studie quelle quellen insider analyse exklusiv sagt sagte "
    "meldet warnt laut "
    "sondage enquête rapport étude sources analyse exclusif dit affirme selon annonce "
    "encuesta sondeo informe estudio fuente fuentes análisis exclusiva exclusivo dice según afirma "
    "sondaggio rapporto studio fonte fonti analisi esclusiva dice secondo afferma "
    "pesquisa sondagem relatório estudo fontes análise exclusivo diz segundo "
    "peiling onderzoek bronnen bron exclusief zegt volgens undersökning källor säger kilder "
    "sondaż źródła mówi raport průzkum zdroje felmérés források "
    "anket anketi rapor raporu kaynak kaynaklar kaynaklar\u0131 özel aç\u0131klad\u0131 dedi "
    "опрос отчет отчёт доклад источник источники анализ эксклюзив говорит сообщает заявил "
    "опитування звіт джерело джерела ексклюзив "
    "δημοσκόπηση πηγές έκθεση αποκλειστικό "
    "استطلاع تقرير مصدر مصادر تحليل حصري يقول قال گزارش نظرسنجی منابع "
    "סקר דיווח מקורות בלעדי "
    "सर्वे सर्वेक्षण रिपोर्ट सूत्र विश्लेषण โพล แหล่งข่าว nguồn"
)
# In capitals, these are parts of names: Live Science, National Review, Study Finds.
_SPEECH_IN_LOWER_CASE = frozenset({"live", "review", "reviews", "study", "studies", "police"})
# Scripts without spaces: the word ends a longer one.
_SPEECH_ENDINGS = (
    "調査", "调查", "独家", "獨家", "分析", "報道", "报道", "報導", "消息", "関係者", "筋",
    "관계자", "조사", "단독", "보도",
)  # fmt: skip
# Parts of a periodical, which many headlines of one outlet share.
_RUBRICS = (
    "live updates update opinion editorial letters comment column video videos watch photos "
    "pictures gallery podcast explainer explained recap highlights preview results result part "
    "episode chapter season week day forecast quiz obituary trailer vs edition "
    "kommentar meinung leserbriefe liveticker ticker interview bilder "
    "édito éditorial tribune opinions chronique vidéo opinión vídeo fotos directo "
    "opinione commento diretta мнение видео фото онлайн "
    "رأي فيديو صور مباشر 社説 動画 速報 视频 评论 "
    "사설 영상 포토"
)


def split_name(name: str) -> tuple[str, ...]:
    """Return the words of a name, folded: their letters, digits and vowel signs.

    Accents are removed, since hosts have none, and so is the apostrophe of a possessive.
    """
    folded = unicodedata.normalize("NFKD", fold(_POSSESSIVE.sub("", name)))[:_MOST_CHARS]
    bare = (char for char in folded if not unicodedata.combining(char))
    return tuple(
        "".join(
            char if char.isalnum() or unicodedata.category(char)[0] == "M" else " " for char in bare
        ).split()
    )


def is_press(parts: tuple[str, ...]) -> bool:
    """Return whether all words are words of the press, or connect such words."""
    return all(part in PRESS_WORDS for part in parts)


def is_speech(tail: str) -> bool:
    """Return whether a word tells who says the headline, or which kind of article it is."""
    return any(
        part in _SPEECH_WORDS or part.endswith(_ENDINGS) for part in split_name(tail)
    ) or not _SPEECH_IN_LOWER_CASE.isdisjoint(tail.split())


def is_rubric(parts: tuple[str, ...]) -> bool:
    """Return whether a word names a part of a periodical, a series or a year."""
    return any(part in _RUBRIC_WORDS or _YEAR.fullmatch(part) for part in parts)


def is_lower_case(text: str) -> bool:
    """Return whether a text of a script with capitals has none.

    Georgian has capitals that nobody uses in names: its letters are their own title case.
    """
    return not any(map(str.isupper, text)) and any(
        char.islower() and char.title() != char for char in text
    )


def _split_list(words: str) -> frozenset[str]:
    return frozenset(part for word in words.split() for part in split_name(word))


_MOST_CHARS = 400
"""Characters of a name that are read, after folding: a ligature may become 18 characters."""
_POSSESSIVE = re.compile("['\u2019\u02bc\uff07](?=[sS]\\b)")
_YEAR = re.compile(r"(?:19|20)\d\d")
PRESS_WORDS = _split_list(_PRESS)
_SPEECH_WORDS = _split_list(_SPEECH)
_ENDINGS = tuple("".join(split_name(word)) for word in _SPEECH_ENDINGS)
_RUBRIC_WORDS = _split_list(_RUBRICS)
