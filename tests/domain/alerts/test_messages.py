"""What each kind of channel is sent."""

import json
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from html import escape

import pytest
from attrs import evolve
from hypothesis import assume, example, given
from hypothesis import strategies as st

from newsintel.domain.alerts.channels import ChannelKind, find_address_fault
from newsintel.domain.alerts.mail import MailLinks, build_confirmation, build_mail
from newsintel.domain.alerts.messages import (
    MAX_NTFY_BYTES,
    build_apprise,
    build_ntfy,
    build_text,
    build_title,
    build_webhook,
    describe_story,
)
from newsintel.domain.alerts.model import MOST_PUBLISHERS
from newsintel.http.bodies.search import summarize_article
from tests.domain.alerts.made import WORLD, delivery, story
from tests.make import article

PAGE = "https://news.example/alerts"
LINKS = MailLinks(
    PAGE,
    "https://news.example/unsubscribe/7/token",
    "https://news.example/confirm/7/token",
    "news.example",
)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=400)


def test_a_webhook_is_the_contracts_json():
    """With who else tells the story, and how many there are."""
    sent = delivery(stories=(story("a", "Storm", "BBC", "The Example"),), total=3)
    assert json.loads(build_webhook(sent, summarize_article)) == {
        "type": "story.matched",
        "timestamp": "2026-03-14T12:00:00.000Z",
        "data": {
            "search": {"id": "w_abcdefghij0123456789", "name": "Storms"},
            "articles": [
                summarize_article(article("a", title="Storm"))
                | {
                    "group_id": "a_a",
                    "publishers": ["BBC", "The Example"],
                    "later_member_of": None,
                }
            ],
            "total": 3,
        },
    }


def test_a_test_says_so():
    """In each form."""
    sent = delivery(is_test=True, stories=(), total=0)
    body = json.loads(build_webhook(sent, summarize_article))
    assert (body["data"]["test"], body["data"]["articles"]) == (True, [])
    assert build_title(sent) == "Storms: test"
    assert build_text(sent, PAGE) == "This is a test. Alerts of this search arrive here."


def test_who_else_tells_a_story():
    """Its own publisher is named once, of many others three."""
    assert describe_story(story("a", "Storm")) == "Storm (The Example)"
    assert describe_story(story("a", "Storm", "BBC", "The Example")) == "Storm (The Example, BBC)"
    many = ("A", "B", "C", "D", "E")
    assert describe_story(story("a", "Storm", *many)) == "Storm (The Example, A, B, C and 2 more)"
    all_listed = map(str, range(MOST_PUBLISHERS))  # and perhaps others
    assert describe_story(story("a", "Storm", *all_listed)) == (
        "Storm (The Example, 0, 1, 2 and many more)"
    )
    nobody = evolve(story(), article=article(title="Storm", publisher=None))
    assert describe_story(nobody) == "Storm"


def send_later(title, first):
    """The article in the webhook about a later member."""
    later = evolve(story("b", title), is_later=True, first_title=first)
    body = json.loads(build_webhook(delivery(stories=(later,)), summarize_article))
    (told,) = body["data"]["articles"]
    return told


def test_a_webhook_says_of_which_story_a_later_member_is():
    """By the group's id and the title that alerted first; its own title stays."""
    told = send_later("Storm", "Flood")
    assert told["later_member_of"] == {"group_id": "a_b", "title": "Flood"}
    assert (told["group_id"], told["title"]) == ("a_b", "Storm")
    assert send_later("Storm", None)["later_member_of"] == {"group_id": "a_b", "title": None}


@pytest.mark.parametrize("first", WORLD)
@pytest.mark.parametrize("title", WORLD[:3])
def test_texts_say_of_which_story_a_later_member_is(first, title):
    """In titles, notifications and both parts of a mail, in any language."""
    later = evolve(story("b", title), is_later=True, first_title=first)
    shown = f"Later report of “{first}”: {title}"
    sent = delivery(ChannelKind.EMAIL, "a@example.org", stories=(later,))
    assert build_title(sent) == f"Storms: {shown}"
    assert describe_story(later) == f"{shown} (The Example)"
    for body in (build_ntfy(sent, PAGE), build_apprise(sent, PAGE)):
        assert json.loads(body)["title"] == f"Storms: {shown}"
    mail = read_mail(sent)
    assert mail["Subject"] == f"Storms: {shown}"
    text, html = (part.get_content() for part in mail.iter_parts())
    assert f"{shown} (The Example)\n" in text
    assert escape(shown) in html


def test_a_story_whose_first_article_was_deleted_has_no_title():
    """The later member still says that it is one."""
    later = evolve(story("b", "Storm"), is_later=True)
    assert describe_story(later) == "Later report: Storm (The Example)"


def test_titles_and_texts():
    """One story by its title, more by their number."""
    one, two = story("a", "Storm"), story("b", "Flood")
    assert build_title(delivery(stories=(one,))) == "Storms: Storm"
    both = delivery(stories=(one, two), total=9)
    assert build_title(both) == "Storms: 9 stories"
    assert build_text(both, PAGE) == (
        "Storm (The Example)\nhttps://news.example/a\n\n"
        "Flood (The Example)\nhttps://news.example/b\n\n"
        f"And 7 more: {PAGE}"
    )


def test_ntfy_takes_what_its_docs_show():
    """docs.ntfy.sh, "Publish as JSON": at the root of the server, with the topic inside."""
    sent = delivery(ChannelKind.NTFY, "https://ntfy.sh/mytopic", stories=(story("a", "Storm"),))
    assert json.loads(build_ntfy(sent, PAGE)) == {
        "topic": "mytopic",
        "title": "Storms: Storm",
        "message": "Storm (The Example)\nhttps://news.example/a",
        "click": "https://news.example/a",
        "tags": ["newspaper"],
    }
    assert json.loads(build_ntfy(evolve(sent, total=2), PAGE))["click"] == PAGE


@given(st.lists(TEXTS, max_size=50), TEXTS)
def test_ntfy_messages_fit(titles, name):
    """Cut at a line's end, unless the first line is too long."""
    stories = tuple(story(str(at), title) for at, title in enumerate(titles))
    sent = delivery(
        ChannelKind.NTFY,
        "https://ntfy.sh/t",
        search_name=name,
        stories=stories,
        total=len(stories),
    )
    message = json.loads(build_ntfy(sent, PAGE))["message"]
    assert len(message.encode()) <= MAX_NTFY_BYTES
    assert build_text(sent, PAGE).startswith(message)


def test_a_long_first_line_is_cut_within_a_character():
    """The rest of the character is dropped."""
    sent = delivery(stories=(story("a", "ü" * 5000),))
    message = json.loads(build_ntfy(sent, PAGE))["message"]
    assert message == "ü" * (MAX_NTFY_BYTES // 2)


def test_apprise_takes_what_its_docs_show():
    """The Apprise API: `body` is required, `title`, `type` and `format` are optional."""
    sent = delivery(ChannelKind.APPRISE, "https://x.example/notify/k")
    assert json.loads(build_apprise(sent, PAGE)) == {
        "title": "Storms: Title of a",
        "body": "Title of a (The Example)\nhttps://news.example/a",
        "type": "info",
        "format": "text",
    }


def read_mail(sent, sender="News <alerts@news.example>"):
    """A mail as its receiver parses it."""
    return message_from_bytes(build_mail(sent, sender, LINKS).as_bytes(), policy=policy.default)


def test_a_mail_can_be_ended_with_one_click():
    """RFC 8058, 3.1: both headers, and an https address."""
    mail = read_mail(delivery(ChannelKind.EMAIL, "alice@example.org"))
    assert mail["List-Unsubscribe"] == "<https://news.example/unsubscribe/7/token>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail["Message-ID"] == "<d_abcdefghij0123456789@news.example>"
    assert (mail["From"], mail["To"]) == ("News <alerts@news.example>", "alice@example.org")
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Date"].datetime.isoformat() == "2026-03-14T12:00:00+00:00"


@pytest.mark.parametrize("title", WORLD)
def test_mails_carry_the_worlds_titles(title):
    """In the subject and in both parts, exactly; and HTML is escaped."""
    sent = delivery(ChannelKind.EMAIL, "a@example.org", stories=(story("a", title),))
    mail = read_mail(sent)
    assert mail["Subject"] == f"Storms: {title}"
    text, html = (part.get_content() for part in mail.iter_parts())
    assert f"{title} (The Example)\nhttps://news.example/a\n" in text
    assert "<script>" not in html
    for body in (build_ntfy(sent, PAGE), build_apprise(sent, PAGE)):
        assert json.loads(body)["title"] == f"Storms: {title}"


@given(TEXTS, TEXTS)
def test_no_text_breaks_a_mail(name, title):
    """A name or a title with line breaks adds no header."""
    sent = delivery(
        ChannelKind.EMAIL, "a@example.org", search_name=name, stories=(story("a", title),)
    )
    mail = read_mail(sent)
    plain = read_mail(delivery(ChannelKind.EMAIL, "a@example.org"))
    assert sorted(mail.keys()) == sorted(plain.keys())
    assert mail["To"] == "a@example.org"


def test_a_digest_says_what_it_leaves_out():
    """Also in HTML."""
    sent = delivery(ChannelKind.EMAIL, "a@example.org", stories=(story("a"),), total=80)
    _, html = (part.get_content() for part in read_mail(sent).iter_parts())
    assert "And 79 more." in html
    test = evolve(sent, is_test=True)
    assert "This is a test." in [part.get_content() for part in read_mail(test).iter_parts()][1]


def test_a_confirmation_has_no_word_of_the_person_who_entered_the_address():
    """It would carry their message to anybody."""
    sent = delivery(
        ChannelKind.EMAIL,
        "a@example.org",
        search_name="Buy pills",
        stories=(story("a", "Cheap pills"),),
        confirmed=False,
    )
    mail = build_confirmation(sent, "News <alerts@news.example>", LINKS)
    assert "pills" not in mail.as_string().lower()
    assert "https://news.example/confirm/7/token" in mail.get_content()
    assert mail["Subject"] == "Confirm alerts of news.example"


@given(
    st.from_regex(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[a-z0-9.-]{3,40}\.org", fullmatch=True)
)
def test_every_address_that_a_channel_takes_can_be_written_to(address):
    """With its local part as it is."""
    assume(find_address_fault(ChannelKind.EMAIL, address) is None)
    mail = read_mail(delivery(ChannelKind.EMAIL, address))
    (to,) = mail["To"].addresses
    assert to.addr_spec == address


@pytest.mark.parametrize(
    "hostile",
    [
        "=?utf-8?q?news=0d=0aBcc:_x@evil.example?=",
        "=?utf-8?b?bmV3cwpCY2M6IHhAZXZpbC5leGFtcGxl?=",
        "=?unicode_escape?q?=5cn?= Reply-To: x@evil.example",
        "=?utf-7?q?+2AA-?=",
        "=?undefined?q?news?= =?x?q?=00?= =??=",
    ],
)
@pytest.mark.parametrize("is_name", [True, False])
def test_encoded_words_in_a_subject_are_text(hostile, is_name):
    """Decoded, they were further headers, or no mail could be made and the channel ended."""
    name, title = (hostile, "Storm") if is_name else ("Storms", hostile)
    sent = delivery(
        ChannelKind.EMAIL, "a@b.example", search_name=name, stories=(story("a", title),)
    )
    read = message_from_bytes(build_mail(sent, "n@us.example", LINKS).as_bytes())
    assert set(read.keys()) == {
        *("From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "List-Id"),
        *("List-Unsubscribe", "List-Unsubscribe-Post", "MIME-Version", "Content-Type"),
    }
    shown = f"{name}: {title}".replace("=?", "= ?")
    assert " ".join(read["Subject"].split()) == shown[:200]


@given(
    st.lists(st.sampled_from([word for title in WORLD for word in title.split()]), min_size=1),
    st.sampled_from([policy.default, policy.compat32]),
)
@example(["<script>alert(1)</script>"] * 3, policy.compat32)  # in ASCII alone
def test_long_subjects_keep_each_space(words, reader):
    """Also where a line ends, for both parsers of the library."""
    sent = delivery(ChannelKind.EMAIL, "a@b.example", stories=(story("a", " ".join(words)),))
    read = message_from_bytes(build_mail(sent, "n@us.example", LINKS).as_bytes(), policy=reader)
    unfolded = read["Subject"].replace("\n", "")  # compat32 leaves that to us
    assert str(make_header(decode_header(unfolded))) == build_title(sent)
    written = build_mail(sent, "n@us.example", LINKS).as_bytes()
    assert max(map(len, written.partition(b"\n\n")[0].split(b"\n"))) <= 78  # RFC 5322, 2.1.1


@given(TEXTS, TEXTS)
def test_any_subject_can_be_written_and_read(name, title):
    """By the library's parser for mails, in one line."""
    sent = delivery(
        ChannelKind.EMAIL, "a@b.example", search_name=name, stories=(story("a", title),)
    )
    written = build_mail(sent, "n@us.example", LINKS).as_bytes()
    read = message_from_bytes(written, policy=policy.SMTP)
    assert len(read.keys()) == 11
    assert not read.defects
