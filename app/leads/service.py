"""Lead conversion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.core.errors import Conflict

if TYPE_CHECKING:
    from uuid import UUID

    from tenants.scope import TenantScope


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


def convert_lead(
    scope: TenantScope,
    lead_id: UUID,
    *,
    deal_name: str | None = None,
    company: UUID | None = None,
    contact: UUID | None = None,
) -> Conversion:
    """Turn a qualified lead into a company, a contact and, when ``deal_name`` is given, a deal.

    Raises:
        RecordNotFound: no such lead, or the actor may not see it.
        AlreadyConverted: the lead was converted before; carries the earlier result.
    """
    raise NotImplementedError
