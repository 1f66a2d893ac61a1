"""Keys per purpose, and signatures that outlive a rotation."""

import hashlib
import hmac

from newsintel.config.values import Secret
from newsintel.domain.security.keys import Signer, derive

OLD, NEW = Secret("A" * 43), Secret("-_" + "b" * 41)


def test_derivation_is_rfc_5869():
    """Extract with an empty salt, then one round of expand: 32 bytes."""
    extracted = hmac.digest(bytes(32), bytes(32), hashlib.sha256)
    assert derive(OLD, "some purpose") == hmac.digest(extracted, b"some purpose\x01", hashlib.sha256)


def test_each_key_and_purpose_gives_another_key():
    """Nothing that one purpose does can be passed off as another's."""
    assert len({derive(key, purpose) for key in (OLD, NEW) for purpose in ("a", "b")}) == 4
    assert not Signer([OLD], "a").verify(b"x", Signer([OLD], "b").sign(b"x"))


def test_a_signature_covers_its_message():
    """Neither may change, nor may the signature be cut."""
    signer = Signer([OLD], "a")
    signature = signer.sign(b"x")
    assert len(signature) == 32
    assert signer.verify(b"x", signature)
    assert not signer.verify(b"y", signature)
    assert not signer.verify(b"x", signature[:31])
    assert not signer.verify(b"x", b"")


def test_rotation():
    """The first key signs, all verify; a key that is gone is not believed any more."""
    before = Signer([OLD], "a").sign(b"x")
    rotated = Signer([NEW, OLD], "a")
    assert rotated.verify(b"x", before)
    assert rotated.sign(b"x") == Signer([NEW], "a").sign(b"x")
    assert not Signer([NEW], "a").verify(b"x", before)
