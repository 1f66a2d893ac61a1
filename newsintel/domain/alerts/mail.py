"""Alerts as e-mail: one message with plain text and HTML, and a one-click unsubscribe. Pure."""

from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime, parseaddr
from html import escape

from attrs import frozen

from newsintel.domain.alerts.delivery_model import ClaimedDelivery
from newsintel.domain.alerts.messages import build_text, build_title, describe_story


class _MailPolicy(EmailPolicy):
    """Writes subjects beyond ASCII with the library's older class.

    The newer one loses a space where two encoded words (RFC 2047) of a long subject meet.
    """

    def fold(self, name: str, value: str) -> str:
        """Return a header in lines of its own."""
        if name != "Subject" or value.isascii():
            folded: str = super().fold(name, value)
            return folded
        written = Header(str(value), "utf-8", header_name=name).encode(linesep=self.linesep)
        return f"{name}: {written}{self.linesep}"

    def fold_binary(self, name: str, value: str) -> bytes:
        """Return the same as bytes."""
        return self.fold(name, value).encode("ascii", "surrogateescape")


@frozen
class MailLinks:
    """Addresses of this service in a mail.

    Attributes:
        page: where all matches can be seen.
        unsubscribe: ends the channel, by POST and without sign-in (RFC 8058).
        confirm: confirms the address, without sign-in.
        host: of this service, for the message's id.
    """

    page: str
    unsubscribe: str
    confirm: str
    host: str


def build_mail(delivery: ClaimedDelivery, sender: str, links: MailLinks) -> EmailMessage:
    """Return the mail for a delivery.

    Its Message-ID is made from the delivery's, so that a mailbox can see that a repeat is one.

    Args:
        delivery: its address is the recipient.
        sender: the setting SMTP_FROM: an address, or a name and `<address>`.
        links: addresses of this service.
    """
    mail = _begin_mail(delivery, sender, links.host, build_title(delivery))
    mail["List-Id"] = f"<{delivery.search_id}.{links.host}>"
    mail["List-Unsubscribe"] = f"<{links.unsubscribe}>"
    mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    end = f"All stories: {links.page}\nUnsubscribe: {links.unsubscribe}"
    mail.set_content(f"{build_text(delivery, links.page)}\n\n-- \n{end}\n")
    mail.add_alternative(_build_html(delivery, links), subtype="html")
    return mail


def build_confirmation(delivery: ClaimedDelivery, sender: str, links: MailLinks) -> EmailMessage:
    """Return the mail that asks an address's owner whether alerts shall be sent.

    It has no word of the person who entered the address, so it cannot carry a message of theirs.
    """
    mail = _begin_mail(delivery, sender, links.host, f"Confirm alerts of {links.host}")
    mail.set_content(
        f"Somebody asked {links.host} to send news alerts to this address.\n\n"
        f"If you want them, open this page and confirm:\n{links.confirm}\n\n"
        "If not, ignore this mail: nothing more is sent.\n"
    )
    return mail


def _begin_mail(delivery: ClaimedDelivery, sender: str, host: str, subject: str) -> EmailMessage:
    mail = EmailMessage(_MailPolicy())
    name, address = parseaddr(sender)
    mail["From"] = Address(name, addr_spec=address)
    mail["To"] = Address(addr_spec=delivery.address)
    mail["Subject"] = _disarm(subject)
    mail["Date"] = format_datetime(delivery.created_at)
    mail["Message-ID"] = f"<{delivery.id}@{host}>"
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office replies
    return mail


def _disarm(subject: str) -> str:
    """Return a subject without encoded words (RFC 2047), each of which begins with `=?`.

    The library decodes them and writes what they hold: a headline such as `=?utf-8?q?=0d=0aBcc:...`
    would be a line of its own in the mail, and one in UTF-7 could not be written at all.
    """
    return subject.replace("=?", "= ?")


def _build_html(delivery: ClaimedDelivery, links: MailLinks) -> str:
    items = "".join(
        f'<li dir="auto"><a href="{escape(story.article.url)}">{escape(describe_story(story))}</a>'
        "</li>"
        for story in delivery.stories
    )
    test = "<p>This is a test. Alerts of this search arrive here.</p>" if delivery.is_test else ""
    more = delivery.total - len(delivery.stories)
    rest = f"<p>And {more} more.</p>" if more > 0 else ""
    return (
        '<!doctype html><meta charset="utf-8">'
        f"<title>{escape(build_title(delivery))}</title>{test}<ul>{items}</ul>{rest}"
        f'<p><a href="{escape(links.page)}">All stories</a> · '
        f'<a href="{escape(links.unsubscribe)}">Unsubscribe</a></p>\n'
    )
