"""Secrets at rest, tokens and signatures; every key is derived from the installation's secret key for one purpose."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


class UndecryptableError(Exception):
    """The text was encrypted with another secret key, or was altered."""


@lru_cache(maxsize=64)
def _derive(secret_key: str, purpose: str) -> bytes:
    """32 bytes for ``purpose`` (HKDF-SHA256, RFC 5869)."""
    kdf = HKDF(algorithm=SHA256(), length=32, salt=None, info=f"rapport:{purpose}".encode())
    return kdf.derive(secret_key.encode())


@lru_cache(maxsize=16)
def _fernet(secret_key: str) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(_derive(secret_key, "encrypt")))


def encrypt(secret_key: str, text: str) -> str:
    """``text`` as printable ciphertext, authenticated (Fernet)."""
    return _fernet(secret_key).encrypt(text.encode()).decode("ascii")


def decrypt(secret_key: str, ciphertext: str) -> str:
    """The text that ``encrypt`` was given.

    Raises:
        UndecryptableError: another secret key, or altered text.
    """
    try:
        return _fernet(secret_key).decrypt(ciphertext.encode("ascii")).decode()
    except (InvalidToken, UnicodeError) as error:
        raise UndecryptableError("encrypted with another secret key, or altered") from error


def token(nbytes: int = 32) -> str:
    """A URL-safe random secret of ``nbytes`` bytes of entropy."""
    return secrets.token_urlsafe(nbytes)


def sha256(value: str) -> bytes:
    """The form in which a token of high entropy is stored: 32 bytes."""
    return hashlib.sha256(value.encode()).digest()


def hmac_sign(secret_key: str, purpose: str, message: bytes) -> bytes:
    """HMAC-SHA256 of ``message`` with the key of ``purpose``; a signature for one purpose is void for another."""
    return hmac.digest(_derive(secret_key, purpose), message, "sha256")


def hmac_verify(secret_key: str, purpose: str, message: bytes, signature: bytes) -> bool:
    """Whether ``signature`` is ours for ``message``; takes the same time either way."""
    return hmac.compare_digest(hmac_sign(secret_key, purpose, message), signature)
