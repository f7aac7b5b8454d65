"""One contract for every storage driver."""

from __future__ import annotations

import io
import os
import stat
from typing import TYPE_CHECKING

import boto3
import pytest
from moto import mock_aws

from app.core.errors import NotFound
from app.core.storage import LocalDisk, Storage, from_url
from app.core.storage.s3 import S3

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TENANT = "01a20328-8d9b-721a-b3fb-36ad0fe8d2e0"
KEY = f"{TENANT}/import/01a20328-8d9b-721a-b3fb-36ad0fe8d2e1"


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")


@pytest.fixture(params=["disk", "s3"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Storage]:
    if request.param == "disk":
        yield LocalDisk(tmp_path / "files")
        return
    with mock_aws():
        boto3.client("s3", region_name="us-east-1").create_bucket(Bucket="rapport")
        yield from_url("s3://rapport/files?region=us-east-1")


def read(storage: Storage, key: str) -> bytes:
    with storage.open(key) as stream:
        return stream.read()


def test_what_was_put_is_read_back(storage: Storage) -> None:
    assert storage.put(KEY, b"one") == 3
    assert read(storage, KEY) == b"one"
    assert storage.exists(KEY)


def test_a_stream_is_stored_and_counted(storage: Storage) -> None:
    content = os.urandom(3 << 20)
    assert storage.put(KEY, io.BytesIO(content)) == len(content)
    assert read(storage, KEY) == content


def test_a_read_file_can_be_sought(storage: Storage) -> None:
    storage.put(KEY, b"0123456789")
    with storage.open(KEY) as stream:
        stream.seek(8)
        assert stream.read() == b"89"


def test_putting_again_replaces(storage: Storage) -> None:
    storage.put(KEY, b"old")
    storage.put(KEY, b"new")
    assert read(storage, KEY) == b"new"


def test_a_missing_file_is_not_found(storage: Storage) -> None:
    assert not storage.exists(KEY)
    with pytest.raises(NotFound):
        storage.open(KEY)


def test_deleting_is_final_and_may_be_repeated(storage: Storage) -> None:
    storage.put(KEY, b"x")
    storage.delete(KEY)
    storage.delete(KEY)
    assert not storage.exists(KEY)


def test_deleting_a_tenants_folder_leaves_the_others(storage: Storage) -> None:
    other = f"{TENANT}0/import/a"  # its key starts with the same letters
    for key in (KEY, f"{TENANT}/mail/b", other):
        storage.put(key, b"x")
    assert storage.delete_prefix(TENANT) == 2
    assert storage.delete_prefix(TENANT) == 0
    assert not storage.exists(KEY)
    assert storage.exists(other)


def test_a_folder_is_listed_without_its_neighbours_and_drafts(storage: Storage, tmp_path: Path) -> None:
    inner, neighbour = f"{TENANT}/import/deeper/b", f"{TENANT}/imports/c"
    for key in (KEY, inner, neighbour):
        storage.put(key, b"x")
    if isinstance(storage, LocalDisk):
        (tmp_path / "files" / TENANT / "import" / ".d.0f").write_bytes(b"half")
    assert sorted(storage.keys(f"{TENANT}/import")) == sorted([KEY, inner])
    assert list(storage.keys(f"{TENANT}/nothing")) == []


@pytest.mark.parametrize("key", ["", "/etc/passwd", "a/../b", "a//b", "a/", ".hidden", "a/.b", "A", "a\nb", "a b"])
def test_a_key_never_leaves_its_folder(storage: Storage, key: str) -> None:
    with pytest.raises(ValueError, match="not a storage key"):
        storage.put(key, b"x")


def test_a_file_on_disk_is_private_and_leaves_no_draft(tmp_path: Path) -> None:
    LocalDisk(tmp_path).put("t/kind/x", b"x")
    assert stat.S_IMODE((tmp_path / "t/kind/x").stat().st_mode) == 0o600
    assert [path.name for path in (tmp_path / "t/kind").iterdir()] == ["x"]


def test_a_failing_stream_leaves_the_old_file(tmp_path: Path) -> None:
    class Failing(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise OSError(f"gone after {size}")

    disk = LocalDisk(tmp_path)
    disk.put("t/kind/x", b"old")
    with pytest.raises(OSError, match="gone after"):
        disk.put("t/kind/x", Failing())
    assert read(disk, "t/kind/x") == b"old"
    assert [path.name for path in (tmp_path / "t/kind").iterdir()] == ["x"]


def test_the_url_chooses_the_driver() -> None:
    assert isinstance(from_url("file:///tmp/x%20y"), LocalDisk)
    assert isinstance(from_url("s3://bucket/prefix?endpoint=http://127.0.0.1:9000&path_style=1"), S3)
    with pytest.raises(ValueError, match="RAPPORT_STORAGE_URL"):
        from_url("ftp://x")


def test_no_folder_on_the_way_to_a_file_is_open_to_others(tmp_path: Path) -> None:
    root = tmp_path / "deep" / "files"
    LocalDisk(root).put("tenant/imports/one", b"x")
    made = [root, *(path for path in root.rglob("*") if path.is_dir())]
    assert [path.stat().st_mode & 0o777 for path in made] == [0o700] * 3
