"""Applying components in tests, and doing the work they leave."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from app.metadata import document, work
from app.metadata.apply import Applied, Request, apply, owner_of
from app.metadata.changeset import desired
from app.shaping import service
from tests.support.tenants import owner_of as owner_member

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date
    from uuid import UUID

    from app.core.db import Databases
    from app.core.ports import Runtime
    from tenants.scope import Tenant

#: A component of each kind that has a page of its own, and what addresses call it.
NAMED: Final = """
{kind: currency, name: USD, rates: {2026-01-01: 0.9}}
---
{kind: option_set, name: sizes, label: Sizes, options: {small: Small, large: Large}}
---
{kind: calendar, name: default, label: Office, hours: {monday: "09:00-17:00"}}
---
{kind: translation, name: de, objects: {company: {label: {one: Firma}}}}
---
{kind: rule, name: company.named, label: Named, active: false, visible: [description]}
---
kind: layout
name: company.main
label: Main
when: 'name == "Nobody"'
tabs: {one: {label: One, sections: {a: {label: A, fields: [name]}}}}
---
{kind: view, name: company.named, label: Named, filter: has(name)}
"""
NAMES: Final = {
    "currency": "USD", "set_name": "sizes", "calendar": "default", "language": "de", "rule_name": "named",
    "layout_name": "main", "view_name": "named",
}  # fmt: skip


def change(databases: Databases, tenant: Tenant, text: str, *, prune: bool = False, **more: Any) -> Applied:
    """Apply what YAML says, as the owner."""
    patches = document.read(text, "test.yaml")
    given = {"source": "test", "by": owner_member(databases, tenant)} | more
    source = given["source"]
    return apply(databases, tenant, lambda state: desired(state, patches, source=source, prune=prune), Request(**given))


def take_back(databases: Databases, tenant: Tenant, id_: UUID, *, newer: bool = False, **more: Any) -> Applied:
    """Revert a change, or with ``newer`` go back to before it, as the owner."""
    wanted = service.wanted_back_beside(databases, tenant, id_, newer=newer)
    by, reverts = owner_member(databases, tenant), None if newer else id_
    request = Request(source="test", by=by, reverts=reverts, confirm=True, keeps=False, **more)
    return apply(databases, tenant, wanted, request)


def finish(runtime: Runtime, tenant: Tenant) -> list[tuple[str, str, str | None]]:
    """Do what is left to do, as the worker would; every piece with how it ended."""
    work.work(runtime, tenant.id, {})
    return sql(runtime.databases, tenant, "select what, state, error from metadata_work order by id")


def put_rates(databases: Databases, tenant: Tenant, rates: Mapping[tuple[str, str | date], object]) -> None:
    """What one unit of a currency is worth from a day on, and nothing else, as applying the document writes it."""
    with owner_of(databases, tenant) as connection:
        connection.execute("delete from rate")
        for (currency, day), rate in rates.items():
            connection.execute("insert into rate (currency, day, rate) values (%s, %s, %s)", (currency, day, rate))


def sql(databases: Databases, tenant: Tenant, text: str, *params: object) -> list[Any]:
    """Rows of a statement as the schemas' owner."""
    with owner_of(databases, tenant) as connection:
        cursor = connection.execute(text, params or None)  # pyright: ignore[reportArgumentType, reportCallIssue]
        return cursor.fetchall() if cursor.description else []
