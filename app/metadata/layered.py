"""The documents of lower layers by their hash: the program's own platform layer, others as pods keep them.

A document never changes under its hash, so a process asks for one once.
"""

from __future__ import annotations

import functools
import hashlib
import threading
from typing import TYPE_CHECKING, Any, Final, cast

import msgspec

from app.core.errors import Unavailable
from app.metadata.components import read_platform
from app.metadata.layers import component_name, stack

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import psycopg

    from app.metadata.leaves import Document
    from tenants.scope import TenantScope

    Connection = psycopg.Connection[tuple[Any, ...]]

PLATFORM: Final = "platform"
Pins = tuple[tuple[str, str], ...]

_lock = threading.Lock()
_known: dict[str, Document] = {}


@functools.cache
def platform_document() -> Document:
    """The platform layer of this version of the program."""
    return {
        component_name("object", name): {path: value for path, value in leaves.items() if path not in ("kind", "name")}
        for name, leaves in read_platform().items()
    }


@functools.cache
def platform_hash() -> str:
    """Its hash: what tenants pin."""
    return hash_of(platform_document())


def hash_of(document: Document) -> str:
    """SHA-256 of the canonical JSON."""
    return hashlib.sha256(msgspec.json.encode(document, order="sorted")).hexdigest()


def key_of(pins: Sequence[tuple[str, str]]) -> str:
    """The layers a tenant pins as one word; without any it has this program's platform."""
    return "+".join(hash_ for _, hash_ in pins) or platform_hash()


def document(key: str) -> Document:
    """The layers of ``key`` as one document. Raises Unavailable for one that nobody ``learn``ed."""
    return stack([_document(hash_) for hash_ in key.split("+")])


def layers(pins: Pins) -> list[tuple[str, Document]]:
    """Name and document of each layer, lowest first."""
    return [(layer, _document(hash_)) for layer, hash_ in pins] or [(PLATFORM, platform_document())]


def learn(scope: TenantScope, pins: Pins) -> None:
    """Fetch the documents of ``pins`` that this process does not know yet."""
    for _, hash_ in pins:
        if hash_ != platform_hash() and hash_ not in _known:
            keep(hash_, scope.ask_login("select pod.layer_document(%s)", (hash_,)))


def learn_as_owner(connection: Connection, pins: Iterable[tuple[str, str]]) -> None:
    """``learn`` on an owner's connection."""
    for _, hash_ in pins:
        if hash_ != platform_hash() and hash_ not in _known:
            row = connection.execute("select document from pod.layer where hash = %s", (hash_,)).fetchone()
            keep(hash_, row[0] if row else None)


def keep(hash_: str, found: object) -> None:
    """Take in a document as the pod keeps it."""
    if isinstance(found, dict):
        with _lock:
            _known[hash_] = cast("Document", found)


def _document(hash_: str) -> Document:
    if hash_ == platform_hash():
        return platform_document()
    with _lock:
        known = _known.get(hash_)
    if known is None:
        raise Unavailable("A layer of this workspace's metadata is not known to this pod.")
    return known
