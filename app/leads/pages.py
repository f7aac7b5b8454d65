"""The dialog that turns a lead into company, contact and deal."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from flask import Blueprint, request
from werkzeug.wrappers import Response

from app.access import catalogs
from app.access.rights import allows
from app.core.errors import Conflict, InvalidInput
from app.http.guard import workspace
from app.leads.service import AlreadyConverted, convert_lead
from app.records.errors import LeavesReach
from app.records.pages.answers import agree, by_field, fragment
from app.records.paths import TITLE
from app.records.query import ListQuery
from app.records.read import get_record, list_records

if TYPE_CHECKING:
    from app.records.pages.values import Record
    from tenants.scope import TenantScope

blueprint = Blueprint("leads_pages", __name__)
_URL = "/records/lead/<uuid:record_id>/convert"


@blueprint.get(_URL)
@workspace("record.edit", object_name="lead")
def dialog(scope: TenantScope, record_id: UUID) -> Response:
    """What the lead will become; a company of the same name is offered first."""
    lead = get_record(scope, "lead", record_id, fields=(TITLE, "company_name", "email"))
    return _dialog(scope, lead, "")


@blueprint.post(_URL)
@workspace("record.edit", object_name="lead")
def convert(scope: TenantScope, record_id: UUID) -> Response:
    """Convert and go to the deal, else to the contact."""
    form = request.form
    deal_name = form.get("deal_name", "").strip() if form.get("with_deal") else ""
    agree(scope)
    try:
        done = convert_lead(scope, record_id, deal_name=deal_name or None, company=_id(form.get("company", "")))
    except AlreadyConverted:
        return Response("", 200, {"HX-Redirect": f"/records/lead/{record_id}"})
    except LeavesReach:
        raise
    except (InvalidInput, Conflict) as error:
        named, general = by_field(error)
        lead = get_record(scope, "lead", record_id, fields=(TITLE, "company_name", "email"))
        return _dialog(scope, lead, " ".join([*named.values(), general]).strip(), status=422)
    target = f"/records/deal/{done.deal}" if done.deal else f"/records/contact/{done.contact}"
    return Response("", 200, {"HX-Redirect": target})


def _dialog(scope: TenantScope, lead: Record, error: str, status: int = 200) -> Response:
    name = str(lead.get("company_name") or "")
    same: tuple[str, str] = ("", "")
    if name:
        literal = name.replace("\\", "\\\\").replace('"', '\\"')
        found = list_records(scope, "company", ListQuery(filter=f'name == "{literal}"', fields=(TITLE,), limit=1)).rows
        same = (str(found[0]["id"]), str(found[0][TITLE])) if found else same
    deal = catalogs.for_scope(scope).objects.get("deal") if allows(scope, "record.create", "deal") else None
    words = deal.label if deal is not None else ""
    return fragment(
        "leads/_convert.html", status, lead=lead, deal=words, company_name=name, same=same, error=error,
        form=request.form,
    )  # fmt: skip


def _id(text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        raise InvalidInput("Choose a company of the list.") from None
