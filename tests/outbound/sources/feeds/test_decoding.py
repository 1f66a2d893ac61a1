"""Bytes become text by the rules of RFC 7303."""

import codecs

import pytest

from newsintel.domain.bounds.slices import run_all
from newsintel.outbound.sources.feeds.decoding import decode_document

TEXT = "<?xml version='1.0' encoding='{}'?><a>Ünï 東</a>"


def decode(body: bytes, content_type: str = "") -> str:
    """The text of a document."""
    return run_all(decode_document(body, content_type))


@pytest.mark.parametrize(
    "charset", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be"]
)
def test_unicode_is_recognised_without_help(charset):
    """By its mark, or by the zeros beside the first character."""
    assert decode(TEXT.encode(charset)) == TEXT


@pytest.mark.parametrize(
    ("charset", "text"),
    [
        ("shift_jis", "東京"),
        ("euc-jp", "東京"),
        ("gb2312", "北京€"),
        ("big5", "臺北"),
        ("euc-kr", "서울 똠"),
        ("koi8-r", "Москва"),
        ("windows-1251", "Москва"),
        ("iso-8859-1", "“café” €"),
        ("us-ascii", "café"),
        ("windows-1256", "القاهرة"),
        ("iso-8859-9", "İstanbul"),
    ],
)
def test_a_charset_is_what_the_web_means_by_its_name(charset, text):
    """In the declaration, or in the Content-Type, which counts more."""
    python = {"gb2312": "gb18030", "euc-kr": "cp949", "iso-8859-1": "cp1252", "us-ascii": "cp1252"}
    written = f"<?xml version='1.0' encoding='{charset}'?><a>{text}</a>"
    body = written.encode(python.get(charset, charset))
    assert decode(body) == written
    wrong = body.replace(charset.encode(), b"koi8-u")
    assert text in decode(wrong, f'text/xml; charset="{charset}"')


def test_a_mark_counts_more_than_the_content_type():
    """RFC 7303, 3."""
    assert decode(codecs.BOM_UTF8 + "é".encode(), "text/xml; charset=iso-8859-1") == "é"


@pytest.mark.parametrize("name", ["nope", "hex", "idna", "utf-7", "unicode_escape", "rot13"])
def test_an_unknown_or_foreign_charset_does_not_count(name):
    """Python has codecs that no document is in."""
    assert decode("é".encode(), f"text/xml; charset={name}") == "é"


def test_what_is_not_utf_8_is_windows_1252():
    """What it does not have becomes U+FFFD."""
    assert decode(b"caf\xe9 \x81") == "café \ufffd"
    assert decode(b"caf\xe9", "text/xml; charset=utf-8") == "café"


def test_a_character_may_lie_across_two_pieces():
    """Documents are decoded in pieces."""
    text = "x" * 65_535 + "東" * 30_000
    assert decode(text.encode()) == text
