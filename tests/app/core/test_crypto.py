from __future__ import annotations

import pytest

from app.core import crypto


def test_what_is_encrypted_comes_back_only_with_the_same_key() -> None:
    text = crypto.encrypt("key", "postgresql://secret@host")
    assert "secret" not in text
    assert crypto.decrypt("key", text) == "postgresql://secret@host"
    for wrong_key, altered in (("other", text), ("key", text[:-4] + "AAA="), ("key", "ä")):
        with pytest.raises(crypto.UndecryptableError):
            crypto.decrypt(wrong_key, altered)


def test_a_signature_is_for_one_purpose_one_key_and_one_message() -> None:
    signature = crypto.hmac_sign("key", "cursor", b"m")
    assert crypto.hmac_verify("key", "cursor", b"m", signature)
    assert not crypto.hmac_verify("key", "ticket", b"m", signature)
    assert not crypto.hmac_verify("other", "cursor", b"m", signature)
    assert not crypto.hmac_verify("key", "cursor", b"n", signature)


def test_tokens_differ_and_are_stored_hashed() -> None:
    assert crypto.token() != crypto.token()
    assert len(crypto.sha256(crypto.token())) == 32
