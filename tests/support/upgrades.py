"""Releases of tests: platform layers that differ from the program's, tenants made by them, upgrades between them."""

from __future__ import annotations

import functools
import itertools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import msgspec

from app.metadata import catalog as catalogs
from app.metadata import document, layered
from app.metadata.ddl import tenant_tables
from app.metadata.layers import live
from app.metadata.patch import Patch
from app.metadata.upgrading import Layers
from app.metadata.working import Working
from tenants.provisioning import release as releases
from tenants.provisioning.spares import owner_transaction
from tenants.upgrades import Options, Report, upgrade
from tests.support.tenants import make_tenant

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.core.ports import Runtime
    from app.metadata.leaves import Document
    from tenants.scope import Tenant

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Release:
    """A program as far as pods and tenants see it."""

    document: Document

    @functools.cached_property
    def hash(self) -> str:
        return layered.hash_of(self.document)

    def runtime(self, runtime: Runtime) -> Runtime:
        """``runtime`` as this release's."""
        pin = f"insert into metadata_layer (layer, place, hash) values ('platform', 0, '{self.hash}')"
        statements = (*tenant_tables(catalogs.of_document(0, live(self.document), ())), pin)
        text = msgspec.json.encode(self.document, order="sorted").decode()
        ports = replace(
            runtime.ports, tenant_tables=lambda: statements, platform_layer=lambda: (self.hash, text), layers=Layers
        )
        return replace(runtime, ports=ports)


def present() -> Release:
    """This program's."""
    return Release(layered.platform_document())


def changed(text: str, release: Release | None = None, without: Sequence[str] = ()) -> Release:
    """A release that differs by what YAML says, and lacks the nodes ``without`` (``object/deal/fields/amount``)."""
    before = (release or present()).document
    patches = document.read(text, "release.yaml") if text else []
    made = _patched(before, patches)
    for node in without:
        kind, name, *path = node.split("/")
        component, inside = f"{kind}/{name}", "/".join(path)
        leaves = made[component]
        kept = {one: value for one, value in leaves.items() if inside and not f"{one}/".startswith(f"{inside}/")}
        made = {**made, component: kept} if kept else {one: two for one, two in made.items() if one != component}
    return Release(made)


def _patched(before: Document, patches: Sequence[Any]) -> Document:
    working = Working({}, ())
    working.document = {component: dict(leaves) for component, leaves in before.items()}
    for patch in document.rooted(list(patches), working.document):
        assert isinstance(patch, Patch), patch
        working.apply(patch)
    assert not working.problems, working.problems
    return working.document


def in_force(runtime: Runtime, release: Release) -> Runtime:
    """Make ``release`` the pod's newest, as `rapport migrate` of it does; its runtime."""
    given = release.runtime(runtime)
    with owner_transaction(runtime.databases, 1) as connection:
        releases.put_in_force(connection, releases.of(given.ports))
    return given


#: Made by ``tenant_of`` in the test at hand.
made: list[Tenant] = []


def tenant_of(runtime: Runtime, release: Release, **settings: str) -> Tenant:
    """A workspace made by ``release``."""
    made.append(make_tenant(in_force(runtime, release), **settings))
    return made[-1]


def clear(runtime: Runtime) -> None:
    """Nobody looks at the test's workspaces any more; all others are at this program's release."""
    with owner_transaction(runtime.databases, 1) as connection:
        ids = [tenant.id for tenant in made]
        connection.execute("update pod.tenant set state = 'deleting' where id = any (%s)", (ids,))
    made.clear()
    assert bring(runtime, present()).complete
    with owner_transaction(runtime.databases, 1) as connection:
        releases.put_in_force(connection, releases.of(runtime.ports))


def bring(runtime: Runtime, release: Release, **options: Any) -> Report:
    """`rapport migrate` and `rapport upgrade` of ``release``."""
    return upgrade(in_force(runtime, release), Options(**options))
