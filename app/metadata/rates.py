"""Dated rates of currencies as the tenant's table ``rate`` has them: written from the document, in its transaction.

Sums and conditions read the table, by date; the kind ``currency`` is the one place that says what stands in it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from psycopg.types.json import Jsonb

from app.metadata.layers import live
from app.metadata.leaves import SEPARATOR

if TYPE_CHECKING:
    import psycopg

    from app.metadata.changeset import Changes
    from app.metadata.leaves import Document

    Connection = psycopg.Connection[tuple[Any, ...]]

_KIND: Final = f"currency{SEPARATOR}"
_RATES: Final = f"rates{SEPARATOR}"


def rates_of(document: Document, component: str) -> dict[str, str]:
    """By day, ISO 8601: what one unit is worth; ``document`` without hidden parts."""
    leaves = document.get(component, {})
    return {path.removeprefix(_RATES): str(value) for path, value in leaves.items() if path.startswith(_RATES)}


def write(connection: Connection, changes: Changes) -> None:
    """Make the table what the document says of the currencies a change is about."""
    about = {one.component for one in changes.leaves if one.component.startswith(_KIND)}
    before, after = live(_of(changes.before, about)), live(_of(changes.after, about))
    changed = sorted(one for one in about if rates_of(before, one) != rates_of(after, one))
    if not changed:
        return
    rows = [
        {"currency": one.removeprefix(_KIND), "day": day, "rate": rate}
        for one in changed
        for day, rate in rates_of(after, one).items()
    ]
    connection.execute("delete from rate where currency = any(%s)", ([one.removeprefix(_KIND) for one in changed],))
    connection.execute(
        "insert into rate (currency, day, rate) select currency, day, rate"
        " from jsonb_to_recordset(%s) n (currency text, day date, rate numeric)",
        (Jsonb(rows),),
    )


def _of(document: Document, components: set[str]) -> Document:
    return {component: document[component] for component in components if component in document}
