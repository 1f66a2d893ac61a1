"""Webhooks' signatures, judged by the library of the specification's authors."""

import base64
import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from newsintel.domain.alerts.signing import (
    ROTATION,
    SigningKey,
    create_secret,
    read_keys,
    rotate_keys,
    sign_webhook,
    write_keys,
)

NAME = "d_abcdefghij0123456789"


def now() -> datetime:
    """The library compares with its own clock."""
    return datetime.now(UTC)


@given(st.dictionaries(st.text(), st.text()), st.binary(min_size=24, max_size=64))
def test_the_authors_library_verifies_any_body(data, key):
    """With keys of all lengths that the specification allows."""
    secret, body = "whsec_" + base64.b64encode(key).decode(), json.dumps(data).encode()
    headers = sign_webhook([SigningKey(secret)], NAME, now(), body)
    assert Webhook(secret).verify(body, dict(headers)) == data


def test_another_key_or_body_is_refused():
    """And another id or time."""
    secret, body = create_secret(), b'{"a":1}'
    headers = dict(sign_webhook([SigningKey(secret)], NAME, now(), body))
    assert Webhook(secret).verify(body, headers) == {"a": 1}
    for known, sent, changed in (
        (create_secret(), body, {}),
        (secret, b'{"a":2}', {}),
        (secret, body, {"webhook-id": "d_other"}),
        (secret, body, {"webhook-timestamp": str(int(headers["webhook-timestamp"]) + 1)}),
    ):
        with pytest.raises(WebhookVerificationError):
            Webhook(known).verify(sent, headers | changed)


def test_an_old_attempt_is_refused():
    """So the time of signing is that of the attempt."""
    secret = create_secret()
    headers = sign_webhook([SigningKey(secret)], NAME, now() - timedelta(minutes=6), b"{}")
    with pytest.raises(WebhookVerificationError, match="too old"):
        Webhook(secret).verify(b"{}", dict(headers))


def test_the_headers_are_those_of_the_librarys_own_signature():
    """Its documented vector: the same key, id, time and body."""
    secret, at = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", datetime(2021, 2, 25, 15, 2, tzinfo=UTC)
    body = '{"test": 2432232314}'
    headers = sign_webhook([SigningKey(secret)], "msg_p5jXN8AQM9LWM0D4loKWxJek", at, body.encode())
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign("msg_p5jXN8AQM9LWM0D4loKWxJek", at, body),
    }


def test_rotation_signs_with_both_keys_for_a_day():
    """A receiver that knows either key accepts; after the day only the new one signs."""
    first, second = create_secret(), create_secret()
    at = now()
    keys = rotate_keys([SigningKey(first)], second, at)
    headers = dict(sign_webhook(keys, NAME, at, b"{}"))
    assert re.fullmatch(r"v1,\S+ v1,\S+", headers["webhook-signature"])
    assert Webhook(first).verify(b"{}", headers) == Webhook(second).verify(b"{}", headers) == {}
    later = sign_webhook(keys, NAME, at + ROTATION, b"{}")
    assert later["webhook-signature"].count("v1,") == 1
    assert [key.secret for key in rotate_keys(keys, create_secret(), at)][1:] == [second]


def test_secrets_have_256_bits_and_a_prefix():
    """Each is another."""
    secret = create_secret()
    assert re.fullmatch(r"whsec_[A-Za-z0-9+/]{43}=", secret)
    assert secret != create_secret()


def test_keys_can_be_sealed_as_text():
    """With their ends."""
    at = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)
    keys = rotate_keys([SigningKey(create_secret())], create_secret(), at)
    assert read_keys(write_keys(keys)) == keys
    assert read_keys(write_keys(())) == ()
