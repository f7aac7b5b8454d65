"""All tables of a fresh tenant: the difference between nothing and its catalog."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.metadata.ddl.diff import NOTHING, difference
from app.metadata.ddl.shape import shapes

if TYPE_CHECKING:
    from app.metadata.model import Catalog


def tenant_tables(catalog: Catalog) -> list[str]:
    """The statements that make all tables of ``catalog``, in order, one statement an element.

    Names are unqualified: run them with the tenant's schema as search_path, after its system tables (member, team).
    """
    return [step.ddl for step in difference(NOTHING, shapes(catalog))]
