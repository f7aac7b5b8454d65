"""Sending mail: by SMTP, or into an outbox folder that the operator can read."""

from __future__ import annotations

import re
import smtplib
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import TYPE_CHECKING, Protocol
from urllib.parse import unquote, urlsplit

from app.core import clock, ids

if TYPE_CHECKING:
    from pathlib import Path

    from app.core.config import Config

_TIMEOUT_SECONDS = 20


class Mailer(Protocol):
    """A way out for mail."""

    def send(self, to: str, subject: str, text: str, html: str | None = None) -> None:
        """Hand one message over; raises ``OSError`` or ``smtplib.SMTPException`` when that fails, so jobs retry."""
        ...


def from_config(config: Config) -> Mailer:
    """SMTP when ``RAPPORT_SMTP_URL`` is set, else the outbox in the home folder."""
    sender = f"Rapport <no-reply@{config.base_domain}>"
    if config.smtp_url is None:
        return Outbox(config.home / "mail", sender)
    return Smtp.from_url(config.smtp_url, sender)


def _compose(sender: str, to: str, subject: str, text: str, html: str | None) -> EmailMessage:
    """A message with plain text and, when given, an HTML alternative. Line ends in headers raise ``ValueError``."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, to, subject
    message["Date"] = formatdate(clock.now().timestamp())
    message["Message-ID"] = make_msgid(domain="rapport.invalid")
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text)
    if html is not None:
        message.add_alternative(html, subtype="html")
    return message


@dataclass(frozen=True, slots=True)
class Smtp:
    """``smtp://user:password@host:587`` (STARTTLS when offered) or ``smtps://…:465``; ``?from=`` names the sender."""

    host: str
    port: int
    user: str | None
    password: str | None = field(repr=False)
    tls: bool
    sender: str

    @classmethod
    def from_url(cls, url: str, sender: str) -> Smtp:
        """Parse the URL; the password stays out of every message and repr of the URL."""
        parts = urlsplit(url)
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
            raise ValueError("RAPPORT_SMTP_URL is smtp://user:password@host:587 or smtps://…")
        stated = re.search(r"(?:^|&)from=([^&]+)", parts.query)
        return cls(
            host=parts.hostname,
            port=parts.port or (465 if parts.scheme == "smtps" else 587),
            user=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
            tls=parts.scheme == "smtps",
            sender=unquote(stated.group(1)) if stated else sender,
        )

    def send(self, to: str, subject: str, text: str, html: str | None = None) -> None:
        """Deliver to the relay, encrypted when it can."""
        message = _compose(self.sender, to, subject, text, html)
        kind = smtplib.SMTP_SSL if self.tls else smtplib.SMTP
        with kind(self.host, self.port, timeout=_TIMEOUT_SECONDS) as connection:
            if not self.tls and connection.has_extn("starttls"):
                connection.starttls()
            if self.user is not None:
                connection.login(self.user, self.password or "")
            connection.send_message(message)


@dataclass(frozen=True, slots=True)
class Outbox:
    """Each message as an ``.eml`` file, newest last by name."""

    folder: Path
    sender: str

    def send(self, to: str, subject: str, text: str, html: str | None = None) -> None:
        """Write the message; the file appears whole."""
        content = bytes(_compose(self.sender, to, subject, text, html))
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self.folder / f"{clock.now():%Y%m%dT%H%M%S}-{ids.uuid7()}.eml"
        draft = path.with_suffix(".part")
        draft.touch(mode=0o600)
        draft.write_bytes(content)
        draft.replace(path)
