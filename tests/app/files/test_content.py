"""What is in a file is found out; names are kept harmless; nothing a browser could run is shown."""

from __future__ import annotations

import io
import tracemalloc
from typing import TYPE_CHECKING

import pytest

from app.files.media import clean_name, picture_of, type_of
from tests.app.files.conftest import png, send

if TYPE_CHECKING:
    from tests.app.files.conftest import Archive

HTML = b"<!doctype html><script>alert(document.domain)</script>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
JPEG = b"\xff\xd8\xff\xe0\x00\x04AB" + b"\xff\xc0\x00\x11\x08\x00\x10\x00\x20" + b"\x03" * 12
GIF = b"GIF89a\x05\x00\x07\x00" + b"\0" * 20
WEBP = b"RIFF\x24\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\x09\0\0\x13\0\0" + b"\0" * 10


@pytest.mark.parametrize(
    ("content", "name", "declared"),
    [
        (HTML, "cat.png", "image/png"),
        (SVG, "logo.svg", "image/svg+xml"),
        (SVG, "logo.png", "image/png"),
        (HTML, "page.html", "text/html"),
        (HTML, "page.xhtml", "application/xhtml+xml"),
        (b"alert(1)", "a.js", "text/javascript"),
        (b"\x89PNG\r\n\x1a\n<script>", "half.png", "image/png"),
        (HTML, "page", "text/html; charset=utf-8"),
        (HTML, "x", "text/html\r\nX-Evil: 1"),
    ],
)
def test_what_a_browser_would_run_is_never_shown(archive: Archive, content: bytes, name: str, declared: str) -> None:
    made = send(archive.api, content, name, declared).json
    assert not made["type"].startswith("image/") or made["type"] == "image/svg+xml"
    answer = archive.api.call("GET", f"/files/{made['id']}")
    assert answer.headers["Content-Type"].partition(";")[0] == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    refused = archive.api.call("POST", "/records/company", {"name": "A", "logo": made["id"]})
    assert (refused.status_code, refused.json["errors"][0]["code"]) == (422, "file.not_image")


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (png(4, 3), ("image/png", 4, 3)),
        (JPEG, ("image/jpeg", 32, 16)),
        (GIF, ("image/gif", 5, 7)),
        (WEBP, ("image/webp", 10, 20)),
        (b"RIFF\x24\0\0\0WAVEfmt ", None),
        (b"\xff\xd8\xff", None),
        (b"\xff\xd8\xff\xe0\x00\x00" * 50, None),
        (b"GIF89a", None),
        (b"", None),
        (HTML, None),
    ],
)
def test_pictures_are_told_by_their_content(content: bytes, found: tuple[str, int, int] | None) -> None:
    assert picture_of(io.BytesIO(content)) == found
    assert type_of(io.BytesIO(content), "a.jpg", "image/jpeg") == (found[0] if found else "application/octet-stream")


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\plan.docx", "plan.docx"),
        ("..", "file"),
        ("", "file"),
        (".htaccess", "htaccess"),
        ("a\r\nSet-Cookie: x=1.txt", "aSet-Cookie: x=1.txt"),
        ("jpg\u202egpj.exe", "jpggpj.exe"),
        ("x" * 400 + ".pdf", "x" * 251 + ".pdf"),
        ("Verträge 2026, Ö.pdf", "Verträge 2026, Ö.pdf"),
        ("a\0b.txt", "ab.txt"),
        ("\ud800.txt", "txt"),
    ],
)
def test_names_lead_nowhere_and_break_nothing(given: str, kept: str) -> None:
    assert clean_name(given) == kept


def test_a_name_with_a_path_stays_a_name_all_the_way(archive: Archive) -> None:
    made = send(archive.api, b"x", '../../"quoted" änd; %2e.pdf').json
    assert made["name"] == '"quoted" änd; %2e.pdf'
    key = archive.sql("select storage_key from file")[0][0]
    assert key == f"{archive.tenant.id}/files/{made['id']}"
    answer = archive.api.call("GET", f"/files/{made['id']}")
    shown = answer.headers["Content-Disposition"]
    assert shown == (
        "attachment; filename=\"_quoted_ _nd; _2e.pdf\"; filename*=UTF-8''%22quoted%22%20%C3%A4nd%3B%20%252e.pdf"
    )


def test_a_picture_of_too_many_pixels_and_an_empty_file_are_refused(archive: Archive) -> None:
    bomb = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + (20_000).to_bytes(4, "big") * 2 + b"\x08\x02\0\0\0"
    answer = send(archive.api, bomb, "bomb.png")
    assert (answer.status_code, answer.json["errors"][0]["code"]) == (422, "file.pixels")
    answer = send(archive.api, b"", "nothing.txt")
    assert (answer.status_code, answer.json["errors"][0]["code"]) == (422, "file.empty")


def test_a_huge_upload_is_refused_by_its_length_before_anything_is_read(archive: Archive) -> None:
    class Unread(io.BytesIO):
        def read(self, *_: object) -> bytes:
            raise AssertionError("the body was read")

    answer = archive.site.test_client(use_cookies=False).post(
        "/api/v1/files", input_stream=Unread(b"--x"), environ_overrides={"CONTENT_LENGTH": "5000000000"},
        content_type="multipart/form-data; boundary=x", base_url="http://localhost",
        headers={"Authorization": f"Bearer {archive.api.key}"},
    )  # fmt: skip
    assert (answer.status_code, answer.json["code"]) == (413, "file.too_large")
    assert answer.json["detail"] == "A file may have at most 25 MB."
    assert answer.json["limit"] == 25_000_000


def test_a_large_upload_is_not_held_in_memory(archive: Archive) -> None:
    content = b"\0" * 12_000_000
    send(archive.api, b"warm", "warm.bin")
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
    body = io.BytesIO(head + content + b"\r\n--x--\r\n")
    tracemalloc.start()
    try:
        answer = archive.site.test_client(use_cookies=False).post(
            "/api/v1/files", input_stream=body, content_length=len(body.getbuffer()),
            content_type="multipart/form-data; boundary=x", base_url="http://localhost",
            headers={"Authorization": f"Bearer {archive.api.key}"},
        )  # fmt: skip
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (answer.status_code, answer.json["size"]) == (201, len(content)), answer.text
    assert peak < 6_000_000


def test_a_file_above_the_limit_is_refused_where_no_length_was_told(archive: Archive) -> None:
    answer = send(archive.api, b"\0" * 25_000_001, "large.bin")
    assert (answer.status_code, answer.json["code"]) == (413, "file.too_large")
    assert archive.sql("select count(*) from file") == [(0,)]


def test_what_is_no_file_is_told(archive: Archive) -> None:
    kinds = {"application/json": b"{}", "multipart/form-data; boundary=x": b"", "text/plain": b"file=x"}
    for kind, body in kinds.items():
        answer = archive.api.call("POST", "/files", body, **{"Content-Type": kind})
        assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, "/file"), answer.text
