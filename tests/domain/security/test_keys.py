"""A key for each purpose, and signatures that stay valid during a rotation."""

import hashlib
import hmac

from newsintel.config.values import Secret
from newsintel.domain.security.keys import Signer, derive_key

OLD, NEW = Secret("A" * 43), Secret("-_" + "b" * 41)


def test_derivation_is_rfc_5869():
    """Extract with an empty salt, then one round of expand: 32 bytes."""
    extracted = hmac.digest(bytes(32), bytes(32), hashlib.sha256)
    assert derive_key(OLD, "some purpose") == hmac.digest(
        extracted, b"some purpose\x01", hashlib.sha256
    )


def test_each_key_and_purpose_derives_another_key():
    """So a signature for one purpose is invalid for another."""
    assert len({derive_key(key, purpose) for key in (OLD, NEW) for purpose in ("a", "b")}) == 4
    assert not Signer([OLD], "a").verify(b"x", Signer([OLD], "b").sign(b"x"))


def test_a_signature_covers_its_message():
    """A changed message or a shortened signature is invalid."""
    signer = Signer([OLD], "a")
    signature = signer.sign(b"x")
    assert len(signature) == 32
    assert signer.verify(b"x", signature)
    assert not signer.verify(b"y", signature)
    assert not signer.verify(b"x", signature[:31])
    assert not signer.verify(b"x", b"")


def test_signatures_stay_valid_while_their_key_is_listed():
    """The first key signs, and all keys verify. A key that was removed no longer verifies."""
    before = Signer([OLD], "a").sign(b"x")
    rotated = Signer([NEW, OLD], "a")
    assert rotated.verify(b"x", before)
    assert rotated.sign(b"x") == Signer([NEW], "a").sign(b"x")
    assert not Signer([NEW], "a").verify(b"x", before)
