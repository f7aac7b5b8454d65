from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from app.core.config import Config, ConfigError

if TYPE_CHECKING:
    from pathlib import Path

URLS = {
    "RAPPORT_DATABASE_URL": "postgresql://a@db/rapport_control",
    "RAPPORT_OWNER_URL": "postgresql://o@db/rapport_control",
    "RAPPORT_REDIS_URL": "redis://valkey",
}


def test_without_variables_everything_is_embedded_in_the_home(tmp_path: Path) -> None:
    config = Config.from_env({"RAPPORT_HOME": str(tmp_path / "home")})
    assert config.embedded
    assert config.base_url == "http://localhost:8000"
    assert config.storage_url == (tmp_path / "home" / "files").as_uri()
    assert config.redis_url.startswith("unix:///")
    assert config.superuser_url.startswith("postgresql://postgres@/postgres?host=/")


def test_no_secret_is_in_its_repr(tmp_path: Path) -> None:
    secrets = {
        "RAPPORT_DATABASE_URL": "postgresql://a:canary@db/control",
        "RAPPORT_OWNER_URL": "postgresql://o:canary@db/control",
        "RAPPORT_REDIS_URL": "redis://:canary@valkey",
        "RAPPORT_SMTP_URL": "smtp://u:canary@mail",
        "RAPPORT_STORAGE_URL": "s3://bucket?key=canary",
        "RAPPORT_SECRET_KEY": "canary",
    }
    assert "canary" not in repr(Config.from_env({"RAPPORT_HOME": str(tmp_path), **secrets}))


def test_with_server_urls_nothing_is_embedded(tmp_path: Path) -> None:
    config = Config.from_env({"RAPPORT_HOME": str(tmp_path), "RAPPORT_SECRET_KEY": "k" * 32, **URLS})
    assert not config.embedded
    assert config.database_url == URLS["RAPPORT_DATABASE_URL"]
    with pytest.raises(ConfigError, match="--superuser-url"):
        _ = config.superuser_url


@pytest.mark.parametrize("missing", sorted(URLS))
def test_a_part_of_the_server_urls_is_refused_by_name(tmp_path: Path, missing: str) -> None:
    given = {name: url for name, url in URLS.items() if name != missing}
    with pytest.raises(ConfigError, match=missing):
        Config.from_env({"RAPPORT_HOME": str(tmp_path), "RAPPORT_SECRET_KEY": "k", **given})


def test_a_fleet_needs_its_secret_key_stated(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="RAPPORT_SECRET_KEY"):
        Config.from_env({"RAPPORT_HOME": str(tmp_path), **URLS})


def test_the_secret_key_is_made_once_and_private(tmp_path: Path) -> None:
    environ = {"RAPPORT_HOME": str(tmp_path / "new")}
    with ThreadPoolExecutor(8) as pool:
        keys = {config.secret_key for config in pool.map(lambda _: Config.from_env(environ), range(16))}
    assert len(keys) == 1
    assert len(keys.pop()) >= 43
    assert stat.S_IMODE((tmp_path / "new" / "secret.key").stat().st_mode) == 0o600
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["secret.key"]


@pytest.mark.parametrize("port", ["0", "65536", "x", "-1"])
def test_a_port_that_is_none_is_refused(tmp_path: Path, port: str) -> None:
    with pytest.raises(ConfigError, match="PORT"):
        Config.from_env({"RAPPORT_HOME": str(tmp_path), "PORT": port})


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("RAPPORT_DATABASE_URL", "canary"),
        ("RAPPORT_OWNER_URL", "mysql://a:canary@db/control"),
        ("RAPPORT_REDIS_URL", "valkey:6379/canary"),
        ("RAPPORT_STORAGE_URL", "ftp://canary"),
        ("RAPPORT_STORAGE_URL", "/srv/canary"),
        ("RAPPORT_SMTP_URL", "mail.example:25/canary"),
        ("RAPPORT_SMTP_URL", "smtp://"),
    ],
)
def test_an_address_no_part_understands_is_refused_by_name_and_not_repeated(
    tmp_path: Path, name: str, url: str
) -> None:
    with pytest.raises(ConfigError, match=f"{name} is not understood: it looks like [a-z0-9]+://") as refused:
        Config.from_env({"RAPPORT_HOME": str(tmp_path), "RAPPORT_SECRET_KEY": "k", **URLS, name: url})
    assert "canary" not in str(refused.value)


def test_behind_a_domain_pages_are_https_without_our_port(tmp_path: Path) -> None:
    config = Config.from_env({"RAPPORT_HOME": str(tmp_path), "RAPPORT_BASE_DOMAIN": "crm.example"})
    assert config.base_url == "https://crm.example"


def test_a_managed_pod_must_be_accepted(tmp_path: Path) -> None:
    environ = {"RAPPORT_HOME": str(tmp_path), "RAPPORT_POD_HARDENING": "managed"}
    with pytest.raises(ConfigError, match="RAPPORT_ALLOW_UNHARDENED_POD"):
        Config.from_env(environ)
    assert Config.from_env({**environ, "RAPPORT_ALLOW_UNHARDENED_POD": "1"}).hardening == "managed"
