"""Files over HTTP: uploaded, set as values, read back and downloaded by whoever may read the record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.app.files.conftest import png, send

if TYPE_CHECKING:
    from tests.app.files.conftest import Archive


def test_a_file_is_uploaded_attached_read_and_downloaded(archive: Archive) -> None:
    made = archive.upload(b"%PDF-1.7 terms", "Terms 2026.pdf")
    assert (made["name"], made["type"], made["size"]) == ("Terms 2026.pdf", "application/pdf", 14)
    company = archive.company(contract=made["id"])
    assert company["contract"] == {**made, "url": f"/api/v1/files/{made['id']}"}
    assert archive.api.get(f"/records/company/{company['id']}")["contract"] == company["contract"]
    answer = archive.api.call("GET", f"/files/{made['id']}")
    assert (answer.status_code, answer.data) == (200, b"%PDF-1.7 terms")
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="Terms 2026.pdf"')
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert "sandbox" in answer.headers["Content-Security-Policy"]


def test_a_picture_is_shown_and_asked_for_again_by_its_mark(archive: Archive) -> None:
    made = archive.upload(png(), "logo.bin")
    assert made["type"] == "image/png"
    archive.company(logo=made["id"])
    answer = archive.api.call("GET", f"/files/{made['id']}")
    assert answer.headers["Content-Disposition"].startswith("inline")
    assert answer.data == png()
    again = archive.api.call("GET", f"/files/{made['id']}", If_None_Match=answer.headers["ETag"])
    assert (again.status_code, again.data) == (304, b"")


def test_a_repeated_upload_keeps_one_file(archive: Archive) -> None:
    first, again = (send(archive.api, b"x", "a.txt", Idempotency_Key="once") for _ in range(2))
    assert first.json["id"] == again.json["id"]
    assert archive.sql("select count(*) from file") == [(1,)]
