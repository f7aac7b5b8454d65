"""Files: one small protocol with a local-disk and an S3 driver; keys are ``<tenant uuid>/<kind>/<uuid>``."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol, cast
from urllib.parse import parse_qs, unquote, urlsplit

from app.core.storage.keys import check_key
from app.core.storage.local import LocalDisk

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["LocalDisk", "Storage", "check_key", "from_url"]


class Storage(Protocol):
    """Where files are kept. ``put`` replaces atomically; a reader sees the old or the new file, never half of one."""

    def put(self, key: str, content: bytes | BinaryIO) -> int:
        """Store ``content`` under ``key``; the number of bytes written."""
        ...

    def open(self, key: str) -> BinaryIO:
        """The file as a readable binary stream, to be closed by the caller; ``NotFound`` when there is none."""
        ...

    def exists(self, key: str) -> bool:
        """Whether there is a file under ``key``."""
        ...

    def delete(self, key: str) -> None:
        """Remove the file; no error when there is none."""
        ...

    def keys(self, prefix: str) -> Iterator[str]:
        """The key of every file in the folder ``prefix`` and below it, in no order."""
        ...

    def delete_prefix(self, prefix: str) -> int:
        """Remove every file whose key starts with the folder ``prefix`` (``<tenant uuid>``); how many there were."""
        ...


def from_url(url: str) -> Storage:
    """The driver for ``file:///folder`` or ``s3://bucket/prefix?endpoint=…&region=…&path_style=1``."""
    parts = urlsplit(url)
    if parts.scheme == "file":
        return LocalDisk(Path(unquote(parts.path)))
    if parts.scheme == "s3":
        options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        # boto3 takes 0.2 s and 15 MB to load: only where a bucket is used.
        driver = importlib.import_module("app.core.storage.s3").S3
        made = driver(
            parts.netloc,
            prefix=parts.path.strip("/"),
            endpoint=options.get("endpoint"),
            region=options.get("region"),
            path_style=options.get("path_style") == "1",
        )
        return cast("Storage", made)
    raise ValueError(f"RAPPORT_STORAGE_URL is file:///folder or s3://bucket, not {url!r}")
