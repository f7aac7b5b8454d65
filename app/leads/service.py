"""Lead conversion: one lead becomes a company, a contact and, if asked for, a deal.

The lead stays, marked as converted and pointing at what it became; its activities are linked to the new records too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from app.access.rights import RECORD_EDIT
from app.core import clock
from app.core.errors import Conflict, FieldError
from app.events.causes import caused_by
from app.leads import repository
from app.metadata.fieldtypes.choices import offered
from app.records.drafts import invalid, missing, object_of, refuse_ruled
from app.records.permits import leave_for
from app.records.reach import permitted
from app.records.store import change_record, read_record
from app.records.write import create_record

if TYPE_CHECKING:
    from app.metadata.model import Catalog
    from tenants.scope import TenantScope

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Conversion:
    """The records a lead became."""

    company: UUID | None
    contact: UUID
    deal: UUID | None

    def to_json(self) -> dict[str, str | None]:
        """Return the API body."""
        return {
            "company": str(self.company) if self.company else None,
            "contact": str(self.contact),
            "deal": str(self.deal) if self.deal else None,
        }


class AlreadyConverted(Conflict):
    """The lead was converted before; ``extra`` carries the ids of then."""

    code = "lead.converted"
    title = "The lead is already converted"


#: What a contact and a company take over from the lead, under the same names.
_TO_CONTACT = (
    "first_name", "last_name", "job_title", "emails", "phones", "source", "address", "do_not_email", "do_not_call",
    "owner", "team", "tags",
)  # fmt: skip
_TO_COMPANY = ("website", "employees", "owner", "team", "tags")


def convert_lead(
    scope: TenantScope,
    lead_id: UUID,
    *,
    deal_name: str | None = None,
    company: UUID | None = None,
    contact: UUID | None = None,
) -> Conversion:
    """Turn a qualified lead into a company, a contact and, when ``deal_name`` is given, a deal.

    ``company`` and ``contact`` name existing records to use; else a company is found by domain or name, a contact by
    e-mail, or they are created.

    Raises:
        RecordNotFound: no such lead, or the actor may not see it.
        AlreadyConverted: the lead was converted before; carries the earlier result.
        InvalidRecord: ``company`` or ``contact`` is no live record, or a rule is against one of the records.
    """
    leave = leave_for(scope, "lead", RECORD_EDIT)
    catalog = leave.catalog
    leave.check([lead_id], "edit")
    lead = read_record(scope, leave.object, lead_id, lock=True)
    if lead is None:
        raise missing(leave.object)
    if lead["converted_at"] is not None:
        raise _already(lead)
    present = lead
    # What may not be read of the lead doesn't go where it may be read.
    lead = {name: value if name in leave.shown.fields else None for name, value in lead.items()} | {"id": lead["id"]}
    with caused_by(scope, conversion=lead_id):
        company_id = _company(scope, catalog, lead, company)
        contact_id = _contact(scope, catalog, lead, contact, company_id)
        deal_id = _deal(scope, catalog, lead, deal_name, company_id, contact_id)
        conversion = Conversion(company_id, contact_id, deal_id)
        with leave.told():
            _close(scope, leave.complete, present, conversion)
        targets = {"company": company_id, "contact": contact_id, "deal": deal_id}
        repository.link_activities(scope, leave.complete, lead_id, {name: one for name, one in targets.items() if one})
    return conversion


def _already(lead: Record) -> AlreadyConverted:
    ids = {name: lead[f"converted_{name}"] for name in ("company", "contact", "deal")}
    return AlreadyConverted("This lead was converted before.", extra=dict(ids))


def _company(scope: TenantScope, catalog: Catalog, lead: Record, given: UUID | None) -> UUID | None:
    """The company given, found by the lead's domain or company name, or made; None for a private person."""
    if given is not None:
        return _live(scope, catalog, "company", given)
    domain = repository.domain_of(lead)
    found = repository.find_company(scope, catalog, domain, lead["company_name"])
    if found is not None or not lead["company_name"]:
        return found
    payload = _taken_over(catalog, lead, "company", _TO_COMPANY) | {"name": lead["company_name"]}
    payload |= _option(catalog, "company", "industry", lead["industry"])
    for name, value in (("domain", domain), ("billing_address", lead["address"])):
        if value and _may_set(catalog, "company", name):
            payload[name] = value
    return UUID(create_record(scope, "company", payload)["id"])


def _contact(scope: TenantScope, catalog: Catalog, lead: Record, given: UUID | None, company_id: UUID | None) -> UUID:
    if given is not None:
        return _live(scope, catalog, "contact", given)
    found = repository.find_contact(scope, catalog, [entry["value"] for entry in lead["emails"] or []], company_id)
    if found is not None:
        return found
    payload = _taken_over(catalog, lead, "contact", _TO_CONTACT)
    if company_id is not None and _may_set(catalog, "contact", "company"):
        payload["company"] = str(company_id)
    return UUID(create_record(scope, "contact", payload)["id"])


def _deal(
    scope: TenantScope,
    catalog: Catalog,
    lead: Record,
    name: str | None,
    company_id: UUID | None,
    contact_id: UUID,
) -> UUID | None:
    if not name:
        return None
    payload = _taken_over(catalog, lead, "deal", ("owner", "team", "source"))
    payload["name"] = name
    for link, target in (("contact", contact_id), ("company", company_id)):
        if target is not None and _may_set(catalog, "deal", link):
            payload[link] = str(target)
    return UUID(create_record(scope, "deal", payload)["id"])


def _close(scope: TenantScope, catalog: Catalog, lead: Record, conversion: Conversion) -> None:
    """Mark the lead; the fields are the system's, so this goes past the payload's checks, but not past the rules."""
    from_now: dict[str, Any] = {
        "status": "converted",
        "converted_company": conversion.company,
        "converted_contact": conversion.contact,
        "converted_deal": conversion.deal,
        "converted_at": clock.now(),
    }
    refuse_ruled(scope, catalog, catalog.objects["lead"], lead, from_now)
    change_record(scope, catalog.objects["lead"], UUID(lead["id"]), from_now, [], None)


def _live(scope: TenantScope, catalog: Catalog, name: str, record_id: UUID) -> UUID:
    found = catalog.objects.get(name)
    seen = found is not None and bool(permitted(scope, catalog, found, [record_id], "read"))
    if found is None or not seen or read_record(scope, found, record_id) is None:
        message = f"There is no {name} with this id."
        raise invalid(catalog.objects["lead"], [FieldError(f"/{name}", "link.not_found", message)])
    return record_id


def _taken_over(catalog: Catalog, lead: Record, target: str, names: tuple[str, ...]) -> Record:
    fields = {name: field for name, field in object_of(catalog, target).fields.items() if not field.denied}
    taken: Record = {}
    for name in names:
        if name in fields and lead.get(name) not in (None, []):
            taken |= _option(catalog, target, name, lead[name]) if fields[name].options else {name: lead[name]}
    return taken


def _may_set(catalog: Catalog, target: str, name: str) -> bool:
    field = catalog.objects[target].fields.get(name)
    return field is not None and not field.denied


def _option(catalog: Catalog, target: str, name: str, value: Any) -> Record:
    """The value where the other object offers the same option; else nothing rather than a refusal."""
    field = catalog.objects[target].fields.get(name)
    known = field is not None and not field.denied and any(one.name == value for one in offered(field))
    return {name: value} if known else {}
