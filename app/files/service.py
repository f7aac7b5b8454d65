"""The verbs of files: keep one that was uploaded, find one for whoever may read it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, BinaryIO, Final

from app.core import ids
from app.core.errors import FieldError
from app.files import repository
from app.files.errors import FileNotThere, InvalidFile
from app.files.media import clean_name, picture_of, type_of
from app.records.attachments import FileRow, readable, uploader

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from app.core.storage import Storage
    from tenants.scope import TenantScope

_PIECE: Final = 1 << 16
#: A picture unfolds to four bytes a pixel wherever it is shown (OWASP ASVS 5.2.6).
MOST_PIXELS: Final = 50_000_000


def key_of(tenant: UUID, file_id: UUID) -> str:
    """Where a file lies in storage; its name is not told there."""
    return f"{folder_of(tenant)}/{file_id}"


def folder_of(tenant: UUID) -> str:
    """Where all files of a workspace's records lie."""
    return f"{tenant}/files"


def keep_file(scope: TenantScope, storage: Storage, stream: BinaryIO, name: str, declared: str) -> FileRow:
    """Keep what was uploaded. Until a record points to it, it is its uploader's only.

    Raises: InvalidFile: nothing in it, or a picture of too many pixels.
    """
    size, digest = _measured(stream)
    if not size:
        raise _invalid("file.empty", "The file is empty.")
    picture = picture_of(stream)
    if picture is not None and picture[1] * picture[2] > MOST_PIXELS:
        raise _invalid("file.pixels", f"The picture has more than {MOST_PIXELS // 1_000_000} megapixels.")
    called, file_id = clean_name(name), ids.uuid7()
    row = FileRow(
        file_id, called, type_of(stream, called, declared), size, digest, key_of(scope.tenant.id, file_id),
        uploader(scope),
    )  # fmt: skip
    repository.insert_file(scope, row)
    stream.seek(0)
    storage.put(row.storage_key, stream)
    return row


def find_file(scope: TenantScope, storage: Storage, file_id: UUID) -> FileRow:
    """A file whoever asks may read. Raises FileNotThere."""
    row = readable(scope, [file_id]).get(file_id)
    if row is None or not storage.exists(row.storage_key):
        raise not_there()
    return row


def pieces(storage: Storage, key: str) -> Iterator[bytes]:
    """What is in a file, piece by piece; it is opened when the first is asked for."""
    with storage.open(key) as stream:
        while piece := stream.read(_PIECE):
            yield piece


def not_there() -> FileNotThere:
    """The 404 of a file that is not there for whoever asks."""
    return FileNotThere("There is no such file.")


def _measured(stream: BinaryIO) -> tuple[int, bytes]:
    stream.seek(0)
    digest, size = hashlib.sha256(), 0
    while piece := stream.read(1 << 20):
        digest.update(piece)
        size += len(piece)
    return size, digest.digest()


def _invalid(code: str, message: str) -> InvalidFile:
    return InvalidFile(message, [FieldError("/file", code, message)])
