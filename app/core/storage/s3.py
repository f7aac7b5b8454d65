"""Files as objects in an S3 bucket; loaded only where one is configured."""

from __future__ import annotations

import io
import tempfile
from typing import IO, TYPE_CHECKING, Any, BinaryIO, Protocol, TypedDict, cast

import boto3  # pyright: ignore[reportMissingTypeStubs]
from botocore.config import Config as BotoConfig  # pyright: ignore[reportMissingTypeStubs]
from botocore.exceptions import ClientError  # pyright: ignore[reportMissingTypeStubs]

from app.core.errors import NotFound
from app.core.storage.keys import check_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_MISSING = {"NoSuchKey", "404", "NotFound"}


class _Object(TypedDict):
    Key: str


class _Page(TypedDict, total=False):
    Contents: list[_Object]


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
        return cast("BinaryIO", stream)

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

    def keys(self, prefix: str) -> Iterator[str]:
        """The objects page by page."""
        for names in self._pages(prefix):
            yield from (name.removeprefix(self._prefix) for name in names)

    def delete_prefix(self, prefix: str) -> int:
        """Remove the objects page by page."""
        count = 0
        for names in self._pages(prefix):
            objects = [{"Key": name} for name in names]
            self._client.delete_objects(Bucket=self._bucket, Delete={"Objects": objects, "Quiet": True})
            count += len(names)
        return count

    def _pages(self, prefix: str) -> Iterator[list[str]]:
        """Names of the bucket's objects in a folder, up to a thousand at once, never none."""
        listing = self._client.get_paginator("list_objects_v2")
        pages: Iterator[_Page] = listing.paginate(Bucket=self._bucket, Prefix=self._name(prefix) + "/")
        for page in pages:
            if found := page.get("Contents"):
                yield [entry["Key"] for entry in found]

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
