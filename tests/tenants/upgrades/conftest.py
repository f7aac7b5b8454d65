"""Each test leaves the pod to this program's release."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tenants.provisioning.spares import owner_transaction
from tests.support.upgrades import clear
from tests.support.web import build_site

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask import Flask

    from app.core.ports import Runtime


@pytest.fixture(scope="module", autouse=True)
def _alone(runtime: Runtime) -> Iterator[None]:
    """Workspaces of other tests are not brought along, which would take longer than all there is to see here."""
    with owner_transaction(runtime.databases, 1) as connection:
        others = connection.execute("update pod.tenant set state = 'deleting' where state = 'active' returning id")
        ids = [row[0] for row in others.fetchall()]
    yield
    with owner_transaction(runtime.databases, 1) as connection:
        connection.execute("update pod.tenant set state = 'active' where id = any (%s)", (ids,))


@pytest.fixture(autouse=True)
def _present_again(runtime: Runtime) -> Iterator[None]:
    yield
    clear(runtime)


@pytest.fixture(scope="session")
def site(runtime: Runtime) -> Flask:
    """The application."""
    return build_site(runtime)
