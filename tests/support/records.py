"""Typed builders of records: what a test doesn't name gets a plain value."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any
from uuid import UUID

from app.records.write import create_record

if TYPE_CHECKING:
    from tenants.scope import TenantScope

_numbers = count(1)


def make(scope: TenantScope, object_name: str, **values: Any) -> dict[str, Any]:
    """Create a record of any object."""
    return create_record(scope, object_name, values)


def record_id(record: dict[str, Any]) -> UUID:
    """The id of a record's JSON form as a UUID."""
    return UUID(str(record["id"]))


def make_company(scope: TenantScope, name: str = "", **values: Any) -> dict[str, Any]:
    """Create a company; its name is numbered when not given."""
    return create_record(scope, "company", {"name": name or f"Company {next(_numbers)}", **values})


def make_contact(scope: TenantScope, last_name: str = "", **values: Any) -> dict[str, Any]:
    """Create a contact with a first and a last name."""
    number = next(_numbers)
    return create_record(
        scope, "contact", {"first_name": "Ada", "last_name": last_name or f"Lovelace {number}", **values}
    )


def make_lead(scope: TenantScope, last_name: str = "", **values: Any) -> dict[str, Any]:
    """Create a lead of a numbered company."""
    number = next(_numbers)
    return create_record(
        scope,
        "lead",
        {"last_name": last_name or f"Hopper {number}", "company_name": f"Navy {number}", "status": "new", **values},
    )


def make_deal(scope: TenantScope, name: str = "", **values: Any) -> dict[str, Any]:
    """Create a deal in the first stage of its pipeline."""
    return create_record(scope, "deal", {"name": name or f"Deal {next(_numbers)}", **values})


def make_product(scope: TenantScope, name: str = "", **values: Any) -> dict[str, Any]:
    """Create an active product with a code of its own."""
    number = next(_numbers)
    return create_record(
        scope, "product", {"name": name or f"Product {number}", "code": f"P-{number}", "active": True, **values}
    )


def make_deal_line(scope: TenantScope, deal: dict[str, Any], **values: Any) -> dict[str, Any]:
    """Create a line of a deal: one piece at 100 in the tenant's currency."""
    return create_record(scope, "deal_line", {"deal": deal["id"], "quantity": "1", "unit_price": "100", **values})


def make_task(scope: TenantScope, title: str = "", **values: Any) -> dict[str, Any]:
    """Create an open task."""
    return create_record(scope, "task", {"title": title or f"Task {next(_numbers)}", **values})


def make_note(scope: TenantScope, body: str = "<p>Noted.</p>", **values: Any) -> dict[str, Any]:
    """Create a note."""
    return create_record(scope, "note", {"body": body, **values})


def make_interaction(scope: TenantScope, **values: Any) -> dict[str, Any]:
    """Create a call that started now-ish."""
    return create_record(
        scope, "interaction", {"channel": "call", "starts_at": "2026-11-02T09:00:00Z", "subject": "Call", **values}
    )
