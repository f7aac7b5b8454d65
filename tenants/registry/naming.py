"""What a workspace may be called, and the settings it starts with."""

from __future__ import annotations

import re
import unicodedata
import zoneinfo
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from babel import Locale, UnknownLocaleError
from babel.numbers import list_currencies

from app.core.errors import FieldError, InvalidInput

if TYPE_CHECKING:
    from app.core.config import Config

_SLUG: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{1,38}[a-z0-9])")

#: Addresses that are ours, or that would pass for ours.
RESERVED: Final = frozenset(
    [
        "about",
        "abuse",
        "account",
        "accounts",
        "admin",
        "administrator",
        "api",
        "app",
        "apps",
        "assets",
        "auth",
        "autoconfig",
        "autodiscover",
        "billing",
        "blog",
        "cdn",
        "contact",
        "dashboard",
        "demo",
        "dev",
        "developer",
        "developers",
        "dns",
        "docs",
        "download",
        "email",
        "events",
        "example",
        "extensions",
        "files",
        "ftp",
        "git",
        "graphql",
        "help",
        "home",
        "host",
        "hostmaster",
        "imap",
        "import",
        "info",
        "internal",
        "invite",
        "jobs",
        "legal",
        "localhost",
        "login",
        "logout",
        "mail",
        "marketplace",
        "media",
        "metrics",
        "mx",
        "news",
        "noc",
        "ns",
        "ns1",
        "ns2",
        "oauth",
        "openid",
        "operator",
        "ops",
        "owner",
        "people",
        "person",
        "pod",
        "pop",
        "portal",
        "postmaster",
        "preview",
        "privacy",
        "rapport",
        "register",
        "root",
        "sales",
        "scim",
        "secure",
        "security",
        "settings",
        "shop",
        "sign-in",
        "sign-out",
        "sign-up",
        "signup",
        "smtp",
        "sso",
        "staging",
        "static",
        "status",
        "store",
        "support",
        "system",
        "team",
        "tenant",
        "test",
        "testing",
        "trust",
        "unsubscribe",
        "web",
        "webhook",
        "webhooks",
        "webmail",
        "webmaster",
        "workspace",
        "workspaces",
        "www",
    ]
)
_LONGEST_NAME: Final = 120


@dataclass(frozen=True, slots=True)
class Settings:
    """Checked settings of a new workspace."""

    name: str
    currency: str
    timezone: str
    locale: str


def check_slug(slug: str) -> str:
    """``slug`` when it may become part of a host name.

    Raises:
        InvalidInput: not 3 to 40 of a-z, 0-9 and hyphen inside, or reserved, or a disguised IDN label.
    """
    if not _SLUG.fullmatch(slug) or slug[2:4] == "--":
        raise _wrong(
            "/slug", "slug", "Use 3 to 40 letters a to z, digits and hyphens; begin and end with a letter or digit."
        )
    if slug in RESERVED:
        raise _wrong("/slug", "reserved", f"The address {slug} is reserved. Choose another one.")
    return slug


def suggest_slug(name: str) -> str:
    """An address for a company's name: ``Müller & Söhne GmbH`` → ``muller-sohne-gmbh``; may be taken."""
    # Cut before it is normalised: that may take the square of a text.
    plain = unicodedata.normalize("NFKD", name[:_LONGEST_NAME].replace("ß", "ss"))
    plain = plain.encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"-{2,}", "-", re.sub(r"[^a-z0-9]+", "-", plain)).strip("-")[:40].strip("-")
    if len(slug) < 3 or slug in RESERVED:
        slug = f"{slug}-crm".strip("-")
    return slug


def check_settings(name: str, currency: str, timezone: str, locale: str) -> Settings:
    """Checked and tidied settings.

    Raises:
        InvalidInput: an empty or too long name, an unknown currency (ISO 4217), time zone (IANA) or locale (CLDR).
    """
    tidy = " ".join(name.split())
    if not tidy or len(tidy) > _LONGEST_NAME or any(unicodedata.category(letter) == "Cc" for letter in tidy):
        raise _wrong("/name", "name", f"Give a name of 1 to {_LONGEST_NAME} characters.")
    if currency.upper() not in _currencies():
        raise _wrong("/currency", "currency", f"{currency} is not a currency code (ISO 4217).")
    if timezone not in _timezones():
        raise _wrong("/timezone", "timezone", f"{timezone} is not a time zone, like Europe/Berlin.")
    try:
        Locale.parse(locale, sep="-" if "-" in locale else "_")
    except (UnknownLocaleError, ValueError, TypeError) as error:
        raise _wrong("/locale", "locale", f"{locale} is not a locale, like en or de-AT.") from error
    return Settings(tidy, currency.upper(), timezone, locale)


@cache
def _currencies() -> frozenset[str]:
    return frozenset(list_currencies())


@cache
def _timezones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


def _wrong(pointer: str, code: str, message: str) -> InvalidInput:
    return InvalidInput(message, [FieldError(pointer, code, message)])


def workspace_url(config: Config, host: str) -> str:
    """Where people open the workspace at ``host``: scheme and port as for the base address."""
    port = urlsplit(config.base_url).port
    return f"{config.scheme}://{host}:{port}" if port else f"{config.scheme}://{host}"
