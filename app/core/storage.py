"""Files: one small protocol with a local-disk and an S3 driver; keys are ``<tenant uuid>/<kind>/<uuid>``."""

from __future__ import annotations

import io
import os
import re
import secrets
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, BinaryIO, Protocol, cast
from urllib.parse import parse_qs, unquote, urlsplit

import boto3  # pyright: ignore[reportMissingTypeStubs]
from botocore.config import Config as BotoConfig  # pyright: ignore[reportMissingTypeStubs]
from botocore.exceptions import ClientError  # pyright: ignore[reportMissingTypeStubs]

from app.core.errors import NotFound

#: Segments of lower-case letters, digits, ``-``, ``_`` and inner dots; so no key leaves its folder.
_KEY = re.compile(r"[a-z0-9_-][a-z0-9._-]*(/[a-z0-9_-][a-z0-9._-]*)*")
_MISSING = {"NoSuchKey", "404", "NotFound"}


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

    def delete_prefix(self, prefix: str) -> int:
        """Remove every file whose key starts with the folder ``prefix`` (``<tenant uuid>``); how many there were."""
        ...


def check_key(key: str) -> str:
    """``key`` itself when it is well-formed, else ``ValueError``."""
    if not _KEY.fullmatch(key):
        raise ValueError(f"not a storage key: {key!r}")
    return key


def from_url(url: str) -> Storage:
    """The driver for ``file:///folder`` or ``s3://bucket/prefix?endpoint=…&region=…&path_style=1``."""
    parts = urlsplit(url)
    if parts.scheme == "file":
        return LocalDisk(Path(unquote(parts.path)))
    if parts.scheme == "s3":
        options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        return S3(
            parts.netloc,
            prefix=parts.path.strip("/"),
            endpoint=options.get("endpoint"),
            region=options.get("region"),
            path_style=options.get("path_style") == "1",
        )
    raise ValueError(f"RAPPORT_STORAGE_URL is file:///folder or s3://bucket, not {url!r}")


class LocalDisk:
    """Files below one folder, readable by this user only."""

    def __init__(self, root: Path) -> None:
        """``root`` is made on first write."""
        self._root = root

    def put(self, key: str, content: bytes | BinaryIO) -> int:
        """Write beside the target, flush to disk, rename."""
        target = self._path(key)
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
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

    def delete_prefix(self, prefix: str) -> int:
        """Remove the folder with everything in it."""
        folder = self._path(prefix)
        if not folder.is_dir():
            return 0
        count = sum(len(files) for _, _, files in os.walk(folder))
        shutil.rmtree(folder)
        return count

    def _path(self, key: str) -> Path:
        return self._root / check_key(key)


class _Client(Protocol):
    """As much of boto3's S3 client as we use; boto3 has no types of its own."""

    def upload_fileobj(self, fileobj: object, bucket: str, key: str, /) -> None: ...
    def download_fileobj(self, bucket: str, key: str, fileobj: object, /) -> None: ...
    def head_object(self, **options: object) -> object: ...
    def delete_object(self, **options: object) -> object: ...
    def delete_objects(self, **options: object) -> object: ...
    def get_paginator(self, operation: str, /) -> Any: ...


class S3:
    """Objects in an S3 bucket, or in anything that speaks its protocol."""

    def __init__(
        self,
        bucket: str,
        *,
        prefix: str = "",
        endpoint: str | None = None,
        region: str | None = None,
        path_style: bool = False,
    ) -> None:
        """Credentials come from where boto3 looks for them (environment, instance role)."""
        self._bucket = bucket
        self._prefix = f"{prefix}/" if prefix else ""
        config = BotoConfig(
            signature_version="s3v4",
            s3={"addressing_style": "path" if path_style else "auto"},
            connect_timeout=5,
            read_timeout=30,
            retries={"max_attempts": 4, "mode": "standard"},
        )
        make = cast("Callable[..., _Client]", boto3.client)  # pyright: ignore[reportUnknownMemberType]
        self._client = make("s3", endpoint_url=endpoint, region_name=region or "us-east-1", config=config)

    def put(self, key: str, content: bytes | BinaryIO) -> int:
        """Upload in parts when large; visible only when complete."""
        name = self._name(key)
        counted = _Counted(io.BytesIO(content) if isinstance(content, bytes) else content)
        self._client.upload_fileobj(counted, self._bucket, name)
        return counted.size

    def open(self, key: str) -> BinaryIO:
        """The object in a temporary file that vanishes when closed: callers seek (spreadsheets, archives)."""
        # The caller closes it.
        stream: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=8 << 20)  # noqa: SIM115
        try:
            self._client.download_fileobj(self._bucket, self._name(key), stream)
        except ClientError as error:
            stream.close()
            if _code(error) in _MISSING:
                raise NotFound("The file is not there any more") from error
            raise
        stream.seek(0)
        return cast(BinaryIO, stream)

    def exists(self, key: str) -> bool:
        """Whether the bucket has the object."""
        try:
            self._client.head_object(Bucket=self._bucket, Key=self._name(key))
        except ClientError as error:
            if _code(error) in _MISSING:
                return False
            raise
        return True

    def delete(self, key: str) -> None:
        """Remove the object."""
        self._client.delete_object(Bucket=self._bucket, Key=self._name(key))

    def delete_prefix(self, prefix: str) -> int:
        """Remove the objects page by page."""
        count = 0
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=self._name(prefix) + "/"
        )
        for page in pages:
            names: list[dict[str, str]] = [{"Key": entry["Key"]} for entry in page.get("Contents", [])]
            if names:
                self._client.delete_objects(Bucket=self._bucket, Delete={"Objects": names, "Quiet": True})
                count += len(names)
        return count

    def _name(self, key: str) -> str:
        return self._prefix + check_key(key)


def _code(error: ClientError) -> str:
    response: dict[str, Any] = error.response  # pyright: ignore[reportUnknownMemberType]
    return str(response.get("Error", {}).get("Code", ""))


class _Counted(io.RawIOBase):
    """Counts what is read from a stream that may not know its size."""

    def __init__(self, source: BinaryIO) -> None:
        super().__init__()
        self._source = source
        self.size = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        chunk = self._source.read(size)
        self.size += len(chunk)
        return chunk
