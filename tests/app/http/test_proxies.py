"""Behind proxies limits count visitors, and nobody invents an address."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from app.core.config import Config, ConfigError
from app.http import ratelimit
from tests.support.web import build_site

if TYPE_CHECKING:
    from pathlib import Path

    from flask import Flask

    from app.core.ports import Runtime

BASE = "http://localhost:8000"


#: Of a visitor's first look-ups so many pass at once; later ones come back two a second.
BURST = 60


def passed(site: Flask, forwarded: str, times: int) -> int:
    """How many of so many look-ups through the proxy at 10.0.0.1 are answered."""
    client = site.test_client()
    answers = [
        client.get(
            "/sign-up/address?company=Acme",
            base_url=BASE,
            headers={"X-Forwarded-For": forwarded},
            environ_overrides={"REMOTE_ADDR": "10.0.0.1"},
        ).status_code
        for _ in range(times)
    ]
    assert set(answers) <= {200, 429}
    return answers.count(200)


@pytest.fixture
def behind(runtime: Runtime) -> Flask:
    """The site with one trusted proxy in front, nobody limited yet."""
    runtime.redis.flushdb()
    ratelimit.forget()
    return build_site(replace(runtime, config=replace(runtime.config, proxies=1)))


def test_a_visitor_behind_a_trusted_proxy_is_limited_alone(behind: Flask) -> None:
    passed(behind, "203.0.113.1", 2 * BURST)
    assert passed(behind, "203.0.113.2", BURST) == BURST
    assert passed(behind, "198.51.100.9, 203.0.113.1", BURST) < BURST, "what the visitor sent along is not believed"


def test_without_trusted_proxies_the_header_means_nothing(runtime: Runtime) -> None:
    runtime.redis.flushdb()
    ratelimit.forget()
    site = build_site(runtime)
    passed(site, "203.0.113.1", 2 * BURST)
    assert passed(site, "203.0.113.2", BURST) < BURST


@pytest.mark.parametrize("number", ["-1", "x", "11"])
def test_a_number_of_proxies_that_is_none_is_refused(tmp_path: Path, number: str) -> None:
    with pytest.raises(ConfigError, match="RAPPORT_TRUSTED_PROXIES"):
        Config.from_env({"RAPPORT_HOME": str(tmp_path), "RAPPORT_TRUSTED_PROXIES": number})
