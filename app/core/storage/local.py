"""Files on the local disk."""

from __future__ import annotations

import io
import os
import secrets
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from app.core.errors import NotFound
from app.core.storage.keys import check_key

if TYPE_CHECKING:
    from collections.abc import Iterator


class LocalDisk:
    """Files below one folder, readable by this user only."""

    def __init__(self, root: Path) -> None:
        """``root`` is made on first write."""
        self._root = root

    def put(self, key: str, content: bytes | BinaryIO) -> int:
        """Write beside the target, flush to disk, rename."""
        target = self._path(key)
        self._make_folder(target.parent)
        draft = target.with_name(f".{target.name}.{secrets.token_hex(6)}")
        try:
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as stream:
                shutil.copyfileobj(io.BytesIO(content) if isinstance(content, bytes) else content, stream, 1 << 20)
                stream.flush()
                os.fsync(stream.fileno())
                size = stream.tell()
            draft.replace(target)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
        return size

    def open(self, key: str) -> BinaryIO:
        """The file on disk."""
        try:
            return self._path(key).open("rb")
        except (FileNotFoundError, IsADirectoryError) as error:
            raise NotFound("The file is not there any more") from error

    def exists(self, key: str) -> bool:
        """Whether the file is on disk."""
        return self._path(key).is_file()

    def delete(self, key: str) -> None:
        """Remove the file; its empty folders stay until ``delete_prefix``."""
        self._path(key).unlink(missing_ok=True)

    def keys(self, prefix: str) -> Iterator[str]:
        """What lies in the folder; drafts are no files yet."""
        for folder, _, names in os.walk(self._path(prefix)):
            for name in names:
                if not name.startswith("."):
                    yield Path(folder, name).relative_to(self._root).as_posix()

    def delete_prefix(self, prefix: str) -> int:
        """Remove the folder with everything in it."""
        folder = self._path(prefix)
        if not folder.is_dir():
            return 0
        count = sum(len(files) for _, _, files in os.walk(folder))
        shutil.rmtree(folder)
        return count

    def _make_folder(self, folder: Path) -> None:
        """Each folder on the way is this user's only; ``parents=True`` would open all but the last to everybody."""
        missing = [folder, *folder.parents]
        for one in reversed(missing[: missing.index(self._root) + 1]):
            one.mkdir(exist_ok=True, mode=0o700, parents=one == self._root)

    def _path(self, key: str) -> Path:
        return self._root / check_key(key)
