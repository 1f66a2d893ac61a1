"""SMTP_URL and SMTP_FROM."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsintel.config.smtp_url import SmtpServer, check_smtp_url, parse_sender, read_smtp_url


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.example.org", SmtpServer("mail.example.org", 587, False)),
        ("smtps://mail.example.org", SmtpServer("mail.example.org", 465, True)),
        ("smtp://127.0.0.1:1025/", SmtpServer("127.0.0.1", 1025, False)),
        ("smtp://[::1]:25", SmtpServer("::1", 25, False)),
        (
            "smtps://a%40b.org:p%3Aw%2F%20@mail.example.org:2465",
            SmtpServer("mail.example.org", 2465, True, "a@b.org", "p:w/ "),
        ),
    ],
)
def test_addresses_of_servers(url, server):
    """Both schemes with their ports, and an escaped name and password."""
    assert read_smtp_url(url) == server
    assert check_smtp_url(f" {url} ").reveal() == url


@pytest.mark.parametrize(
    "url",
    ["", "mail.example.org", "http://mail.example.org", "smtp://", "smtp://[::1", "smtp://m:99999",
     "smtp://m:0", "smtp://m/path", "smtp://m?x=1", "smtp://m#x", "smtp://name@m", "smtp://a b",
     "smtp://ma\u0131l.example.org"],
)  # fmt: skip
def test_other_texts_are_none(url):
    """The message states the rule."""
    with pytest.raises(ValueError, match="must"):
        check_smtp_url(url)


@given(st.text(max_size=80))
def test_no_text_crashes_the_reader(text):
    """Each text is an address or has its message."""
    for wanted in (text, f"smtp://{text}"):
        try:
            check_smtp_url(wanted)
        except ValueError as error:
            assert str(error).startswith("must")


def test_only_this_machine_may_get_mail_in_the_clear():
    """A private network is not this machine."""
    assert not read_smtp_url("smtp://localhost").needs_tls
    assert not read_smtp_url("smtp://127.0.0.1").needs_tls
    assert read_smtp_url("smtp://10.0.0.1").needs_tls


@pytest.mark.parametrize(
    "sender",
    [
        "alerts@example.org",
        "News <alerts@example.org>",
        '"News, daily" <alerts@example.org>',
        "Zeitung für alle <a@b.org>",
    ],
)
def test_senders(sender):
    """An address alone, or with a name in any script."""
    assert parse_sender(f" {sender} ") == sender


@pytest.mark.parametrize(
    "sender",
    [
        "",
        "alerts",
        "alerts@",
        "@example.org",
        "alerts@localhost",
        "News <alerts>",
        "a@b.org\nBcc: c@d.org",
        "ä@example.org",
    ],
)
def test_other_texts_are_no_senders(sender):
    """Nor can they add a header."""
    with pytest.raises(ValueError, match="must be a sender"):
        parse_sender(sender)


@given(st.text(max_size=80))
def test_no_text_crashes_the_senders_reader(text):
    """Each text is a sender or has the message."""
    try:
        parse_sender(text)
    except ValueError as error:
        assert str(error).startswith("must be a sender")
