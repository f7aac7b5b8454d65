"""What lead conversion looks up and links."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from app.core import ids
from app.metadata.fieldtypes.reference import Reference
from app.metadata.sortkeys import TITLE_KEY, equal_key_sql, sort_key_sql
from app.records.reach import visible, whole
from app.records.rowform import quote, trusted
from app.records.store_many import insert_many

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from app.metadata.model import Catalog
    from tenants.scope import TenantScope

#: Domains of mail providers say nothing about a company.
_FREE_MAIL: Final = frozenset({
    "163.com", "aol.com", "gmail.com", "gmx.com", "gmx.de", "gmx.net", "googlemail.com", "hotmail.com", "icloud.com",
    "live.com", "mail.com", "mail.ru", "me.com", "msn.com", "outlook.com", "proton.me", "protonmail.com", "qq.com",
    "t-online.de", "web.de", "yahoo.com", "yandex.ru",
})  # fmt: skip


def domain_of(lead: Mapping[str, Any]) -> str | None:
    """The company's domain as its website or a business e-mail address tells it."""
    website = lead.get("website")
    if website:
        host = urlsplit(website if "//" in website else f"//{website}").hostname
        if host:
            return host.removeprefix("www.")
    email = lead.get("email")
    domain = email.rpartition("@")[2].lower() if email else ""
    return domain if domain and domain not in _FREE_MAIL else None


def find_company(scope: TenantScope, catalog: Catalog, domain: str | None, name: str | None) -> UUID | None:
    """The live company of that domain, else the one company of that name (case ignored), as far as they may be seen."""
    company = catalog.objects.get("company")
    if company is None:
        return None
    table, guard = visible(catalog, company)
    if domain and "domain" in company.fields:
        same = f"{equal_key_sql('r.domain')} = {equal_key_sql('%(domain)s::text')}"
        text = f"SELECT r.id FROM {table} r WHERE {same} AND r.deleted_at IS NULL LIMIT 1"
        row = scope.execute(trusted(text), {"domain": domain, **guard.binds(scope)}).fetchone()
        if row:
            return row[0]
    if name and "name" in company.fields:
        text = (
            f"SELECT r.id FROM {table} r WHERE r.{TITLE_KEY} = {sort_key_sql('%(name)s::text')}"
            f" AND {equal_key_sql('r.name')} = {equal_key_sql('%(name)s::text')} AND r.deleted_at IS NULL LIMIT 2"
        )
        rows = scope.execute(trusted(text), {"name": name, **guard.binds(scope)}).fetchall()
        if len(rows) == 1:
            return rows[0][0]
    return None


def find_contact(scope: TenantScope, catalog: Catalog, emails: Sequence[str], company_id: UUID | None) -> UUID | None:
    """A live contact in sight with one of the addresses, one at the company first."""
    contact = catalog.objects.get("contact")
    if not emails or contact is None or "emails" not in contact.fields:
        return None
    table, guard = visible(catalog, contact)
    text = (
        f"SELECT r.id FROM {table} r WHERE r.emails__all && %(emails)s::text[] AND r.deleted_at IS NULL"
        " ORDER BY (r.company IS NOT DISTINCT FROM %(company)s::uuid) DESC, r.id LIMIT 1"
    )
    params = {"emails": list(emails), "company": company_id, **guard.binds(scope)}
    row = scope.execute(trusted(text), params).fetchone()
    return row[0] if row else None


def link_activities(scope: TenantScope, catalog: Catalog, lead_id: UUID, targets: Mapping[str, UUID]) -> int:
    """Link what is linked to the lead (tasks, notes, interactions) to the new records too; how many links."""
    link_type = catalog.objects["record_link"]
    source, to = link_type.fields["from"], link_type.fields["to"]
    lead_column = next(column.name for column in to.columns if column.part == "lead")
    columns = ", ".join(quote(column.name) for column in source.columns)
    text = (
        f"SELECT DISTINCT {columns}, role FROM {whole(link_type)}"
        f" WHERE {quote(lead_column)} = %s::uuid AND deleted_at IS NULL"
    )
    rows = scope.execute(trusted(text), (lead_id,)).fetchall()
    links: list[tuple[UUID, dict[str, Any]]] = []
    for *parts, role in rows:
        origin = next(
            Reference(column.part, part) for column, part in zip(source.columns, parts, strict=True) if part is not None
        )
        for name, target in targets.items():
            links.append((ids.uuid7(), {"from": origin, "to": Reference(name, target), "role": role}))
    insert_many(scope, link_type, links, scope.member.id if scope.member else None)
    return len(links)
