"""Builds deliveries for tests."""

from datetime import timedelta

from newsintel.domain.alerts.channels import ChannelKind
from newsintel.domain.alerts.delivery_model import ClaimedDelivery
from newsintel.domain.alerts.model import Match
from newsintel.domain.alerts.signing import SigningKey, create_secret
from tests.make import NOON, article

WORLD = (
    "Regierung beschließt „Klimapaket“ – Überblick",
    "政府発表、台風12号が上陸へ",
    "الحكومة تعلن عن خطة جديدة للطاقة",
    "ראש הממשלה: “לא ניכנע”",
    "सरकार ने नई नीति की घोषणा की",
    "รัฐบาลประกาศแผนใหม่โดยไม่เว้นวรรค",
    "Новый закон принят в третьем чтении",
    "Η κυβέρνηση ανακοίνωσε μέτρα",
    "정부, 새로운 대책 발표",
    "Thủ tướng công bố gói hỗ trợ",
    "Storm 🌪️ hits coast 👨‍👩‍👧‍👦 evacuated",
    "Cafe\u0301 culture’s “quiet” return",
    "İstanbul’da deprem",
    "政府公布新的经济措施",
    "ରାଜ୍ୟ ସରକାରଙ୍କ ଘୋଷଣା",
    "Ríkisstjórnin kynnir áætlun",
    "ການປະກາດຂອງລັດຖະບານ",
    "Rząd ogłosił „tarczę”",
    "መንግስት አዲስ እቅድ አወጣ",
    "გამოცხადდა ახალი გეგმა",
    "<script>alert(1)</script> & more",
)
"""Titles in twenty languages, with curly quotes, combining marks, RTL, no spaces and emoji."""


def story(name: str = "a", title: str | None = None, *others: str) -> Match:
    """A story, identified by its name."""
    changes = {} if title is None else {"title": title}
    return Match(f"a_{name}", article(name, **changes), NOON, others)


def delivery(kind: ChannelKind = ChannelKind.WEBHOOK, address: str = "", **changes):
    """A claimed delivery with one story."""
    values = {
        "id": "d_abcdefghij0123456789",
        "claimed_until": NOON + timedelta(seconds=120),
        "channel": 7,
        "kind": kind,
        "address": address or "https://receiver.example/hook",
        "keys": (SigningKey(create_secret()),) if kind is ChannelKind.WEBHOOK else (),
        "person": "u_abcdefghij0123456789",
        "search_id": "w_abcdefghij0123456789",
        "search_name": "Storms",
        "attempts": 0,
        "created_at": NOON,
        "is_test": False,
        "stories": (story(),),
        "total": 1,
    }
    return ClaimedDelivery(**(values | changes))
