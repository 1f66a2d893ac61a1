"""The tokens of the links in mails."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsintel.config.values import Secret
from newsintel.domain.alerts.mail_tokens import PURPOSE, MailAction, is_signed, sign_link
from newsintel.domain.security.keys import Signer

OLD, NEW = Secret("o" * 43), Secret("n" * 43)
SIGNER = Signer([NEW], PURPOSE)
END = MailAction.UNSUBSCRIBE


def test_a_token_is_good_for_its_channel_alone():
    """And for its action."""
    token = sign_link(SIGNER, END, 7)
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", token)
    assert is_signed(SIGNER, END, 7, token)
    assert not is_signed(SIGNER, END, 8, token)
    assert not is_signed(SIGNER, MailAction.CONFIRM, 7, token)


def test_a_token_outlives_a_rotation_of_keys():
    """While its key is still among SECRET_KEYS."""
    token = sign_link(Signer([OLD], PURPOSE), END, 7)
    assert is_signed(Signer([NEW, OLD], PURPOSE), END, 7, token)
    assert not is_signed(SIGNER, END, 7, token)


@pytest.mark.parametrize("token", ["", "x", "=", "ü" * 43, "A" * 43, "A" * 4000, "\0" * 43])
def test_other_texts_are_no_tokens(token):
    """Whatever their length or letters."""
    assert not is_signed(SIGNER, END, 7, token)


@given(st.text(max_size=60))
def test_no_text_is_a_token_by_accident(text):
    """And none crashes."""
    assert not is_signed(SIGNER, END, 7, text)
