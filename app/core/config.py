"""What an installation is told by its environment, read once."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from app.core.servers.layout import Layout, make_home

if TYPE_CHECKING:
    from collections.abc import Mapping

Hardening = Literal["strict", "managed"]

_PORTS = 65536
_MOST_PROXIES = 10
_LARGEST_FILE_MB = 2000
_EXTERNAL = ("RAPPORT_DATABASE_URL", "RAPPORT_OWNER_URL", "RAPPORT_REDIS_URL")
_POSTGRES = (("postgresql", "postgresql+psycopg"), "postgresql://login:password@host/database")
#: Schemes a variable may have, and what it looks like.
_URLS = {
    "RAPPORT_DATABASE_URL": _POSTGRES,
    "RAPPORT_OWNER_URL": _POSTGRES,
    "RAPPORT_REDIS_URL": (("redis", "rediss", "unix"), "redis://:password@host:6379/0"),
    "RAPPORT_STORAGE_URL": (("file", "s3"), "file:///folder or s3://bucket/prefix"),
    "RAPPORT_SMTP_URL": (("smtp", "smtps"), "smtp://user:password@host:587 or smtps://user:password@host"),
}


class ConfigError(Exception):
    """The environment is contradictory or incomplete; the message says which variable and what to do."""


@dataclass(frozen=True, slots=True)
class Config:
    """The settings of one process. ``database_url`` and ``owner_url`` name the control database."""

    home: Path
    port: int
    base_domain: str
    scheme: str
    base_url: str
    # What may hold a password stays out of the repr, and so out of every log.
    database_url: str = field(repr=False)
    owner_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    storage_url: str = field(repr=False)
    smtp_url: str | None = field(repr=False)
    secret_key: str = field(repr=False)
    hardening: Hardening
    embedded: bool
    #: Proxies in front of the web process; as many entries of X-Forwarded-For are believed.
    proxies: int = 0
    #: The most bytes an uploaded file may have.
    file_limit: int = 25_000_000

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Config:
        """Read the ``RAPPORT_*`` variables and ``PORT``; without server URLs the embedded servers are meant.

        Raises:
            ConfigError: some but not all server URLs are given, or a value is not understood.
        """
        env = os.environ if environ is None else environ
        home = Path(env.get("RAPPORT_HOME") or "var").absolute()
        port = _port(env)
        base_domain = env.get("RAPPORT_BASE_DOMAIN") or "localhost"
        scheme = env.get("RAPPORT_SCHEME") or ("http" if base_domain == "localhost" else "https")
        base_url = env.get("RAPPORT_BASE_URL") or _base_url(scheme, base_domain, port)
        _check_urls(env)
        given = {name: env[name] for name in _EXTERNAL if env.get(name)}
        if given and len(given) < len(_EXTERNAL):
            missing = ", ".join(name for name in _EXTERNAL if name not in given)
            raise ConfigError(f"{missing} is missing: give all of {', '.join(_EXTERNAL)}, or none for embedded servers")
        layout = Layout(home)
        return cls(
            home=home,
            port=port,
            base_domain=base_domain,
            scheme=scheme,
            base_url=base_url.rstrip("/"),
            database_url=given.get("RAPPORT_DATABASE_URL") or layout.postgres_url("rapport_app", "rapport_control"),
            owner_url=given.get("RAPPORT_OWNER_URL") or layout.postgres_url("rapport_owner", "rapport_control"),
            redis_url=given.get("RAPPORT_REDIS_URL") or layout.valkey_url(),
            storage_url=env.get("RAPPORT_STORAGE_URL") or (home / "files").as_uri(),
            smtp_url=env.get("RAPPORT_SMTP_URL") or None,
            secret_key=env.get("RAPPORT_SECRET_KEY") or _stored_secret(home, embedded=not given),
            hardening=_hardening(env),
            embedded=not given,
            proxies=_proxies(env),
            file_limit=_file_limit(env),
        )

    @property
    def superuser_url(self) -> str:
        """The embedded cluster's superuser; only there is one known to the program."""
        if not self.embedded:
            raise ConfigError("the superuser is known only for the embedded servers; give --superuser-url")
        return Layout(self.home).postgres_url("postgres", "postgres")


def _check_urls(env: Mapping[str, str]) -> None:
    """Refuse what no part could work with; the value itself may hold a password and is not repeated."""
    for name, (schemes, example) in _URLS.items():
        scheme, separator, rest = env.get(name, "").partition("://")
        if (scheme or rest) and (not separator or scheme not in schemes or not rest):
            raise ConfigError(f"{name} is not understood: it looks like {example}")


def _port(env: Mapping[str, str]) -> int:
    text = env.get("PORT") or "8000"
    if not text.isdecimal() or not 0 < int(text) < _PORTS:
        raise ConfigError(f"PORT must be a number from 1 to 65535, not {text!r}")
    return int(text)


def _proxies(env: Mapping[str, str]) -> int:
    text = env.get("RAPPORT_TRUSTED_PROXIES") or "0"
    if not text.isdecimal() or int(text) > _MOST_PROXIES:
        raise ConfigError(f"RAPPORT_TRUSTED_PROXIES must be a number from 0 to {_MOST_PROXIES}, not {text!r}")
    return int(text)


def _file_limit(env: Mapping[str, str]) -> int:
    text = env.get("RAPPORT_FILE_LIMIT_MB") or "25"
    if not text.isdecimal() or not 0 < int(text) <= _LARGEST_FILE_MB:
        raise ConfigError(f"RAPPORT_FILE_LIMIT_MB must be a number from 1 to {_LARGEST_FILE_MB}, not {text!r}")
    return int(text) * 1_000_000


def _base_url(scheme: str, base_domain: str, port: int) -> str:
    default = {"http": 80, "https": 443}.get(scheme)
    # Behind a proxy (https) the port we listen on is not the one people use.
    return f"{scheme}://{base_domain}" if scheme == "https" or port == default else f"{scheme}://{base_domain}:{port}"


def _hardening(env: Mapping[str, str]) -> Hardening:
    value = env.get("RAPPORT_POD_HARDENING") or "strict"
    if value not in ("strict", "managed"):
        raise ConfigError(f"RAPPORT_POD_HARDENING is strict or managed, not {value!r}")
    if value == "managed" and env.get("RAPPORT_ALLOW_UNHARDENED_POD") != "1":
        raise ConfigError(
            "a managed pod stays open in places (`rapport doctor` lists them): "
            "set RAPPORT_ALLOW_UNHARDENED_POD=1 to accept that"
        )
    return value


def _stored_secret(home: Path, *, embedded: bool) -> str:
    """The secret key kept in ``home``, made on first use; two processes that start at once agree on one."""
    path = home / "secret.key"
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        pass
    if not embedded:
        raise ConfigError("RAPPORT_SECRET_KEY is missing: several machines must share one (rapport can't make it up)")
    make_home(home)
    draft = home / f".secret.{os.getpid()}.{secrets.token_hex(4)}"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        stream.write(secrets.token_urlsafe(48) + "\n")
        stream.flush()
        os.fsync(stream.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return path.read_text().strip()
