"""The names files are kept under."""

from __future__ import annotations

import re

#: Segments of lower-case letters, digits, ``-``, ``_`` and inner dots; so no key leaves its folder.
_KEY = re.compile(r"[a-z0-9_-][a-z0-9._-]*(/[a-z0-9_-][a-z0-9._-]*)*")


def check_key(key: str) -> str:
    """``key`` itself when it is well-formed, else ``ValueError``."""
    if not _KEY.fullmatch(key):
        raise ValueError(f"not a storage key: {key!r}")
    return key
