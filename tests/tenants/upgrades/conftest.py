"""Each test leaves the pod to this program's release."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.upgrades import clear
from tests.support.web import build_site

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask import Flask

    from app.core.ports import Runtime


@pytest.fixture(autouse=True)
def _present_again(runtime: Runtime) -> Iterator[None]:
    yield
    clear(runtime)


@pytest.fixture(scope="session")
def site(runtime: Runtime) -> Flask:
    """The application."""
    return build_site(runtime)
