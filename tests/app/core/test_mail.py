from __future__ import annotations

import email
import email.policy
from typing import TYPE_CHECKING

import pytest

from app.core.mail import Outbox, Smtp

if TYPE_CHECKING:
    from pathlib import Path


def test_without_smtp_a_message_is_a_file_the_operator_can_read(tmp_path: Path) -> None:
    Outbox(tmp_path / "mail", "Rapport <no-reply@localhost>").send("ana@example.com", "Grüße", "Hällo", "<p>Hällo</p>")
    (path,) = (tmp_path / "mail").iterdir()
    assert path.suffix == ".eml"
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    assert message["Subject"] == "Grüße"
    assert message["To"] == "ana@example.com"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("subject", ["a\nBcc: eve@example.com", "a\r\nBcc: eve@example.com"])
def test_a_line_end_in_a_header_is_refused(tmp_path: Path, subject: str) -> None:
    with pytest.raises(ValueError):
        Outbox(tmp_path, "x@localhost").send("ana@example.com", subject, "text")
    assert list(tmp_path.iterdir()) == []


def test_the_smtp_url_is_understood() -> None:
    mailer = Smtp.from_url("smtps://us%40er:p%3Aw@mail.example?from=crm%40example.com", "x")
    assert (mailer.host, mailer.port, mailer.user, mailer.password) == ("mail.example", 465, "us@er", "p:w")
    assert mailer.sender == "crm@example.com"
    assert Smtp.from_url("smtp://relay", "x").port == 587
    with pytest.raises(ValueError):
        Smtp.from_url("http://relay", "x")
