"""Adding options to an open select: the one change of metadata a person or an import makes while working."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

from psycopg.sql import SQL, Identifier
from psycopg.types.json import Jsonb

from app.core.errors import InvalidInput, NotFound
from app.metadata import catalog as catalogs
from app.metadata.components import COLORS
from app.metadata.layers import component_name
from app.metadata.leaves import SEPARATOR, rank_after
from tenants.locking import lock_exclusively

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from uuid import UUID

    from psycopg import Connection
    from psycopg.rows import TupleRow

    from app.core.db import Databases
    from app.metadata.leaves import Plain
    from app.metadata.model import Catalog, Option
    from tenants.scope import Tenant

MAX_OPTIONS: Final = 1_000
LABEL_LIMIT: Final = 100
_NAME_LIMIT: Final = 50


class NotOpen(InvalidInput):
    """The field is no select, or not one that takes new options."""

    code = "option.closed"


class TooManyOptions(InvalidInput):
    """A select with that many options helps nobody; the column is probably no select."""

    code = "option.too_many"


@dataclass(frozen=True, slots=True)
class _Override:
    path: str
    value: Plain


def add_options(
    databases: Databases,
    tenant: Tenant,
    object_name: str,
    field_name: str,
    labels: Iterable[str],
    *,
    by: UUID | None = None,
    source: str = "import",
) -> Catalog:
    """Add an option for each of ``labels`` the field does not know yet and return the tenant's new catalog.

    Runs in a transaction of its own as the schemas' owner and waits for writers of the tenant to finish: never call it
    inside a write scope of the same tenant. What is known in any case, by name or label, stays as it is; when all are,
    nothing is written and the version stays.

    Raises:
        NotOpen, TooManyOptions, InvalidInput: the labels can't be added.
        TenantBusy: writers did not pause; try again.
    """
    wanted = list(labels)
    with databases.pod_owner(tenant.pod).connect() as holder:
        connection = cast("Connection[TupleRow]", holder.connection.driver_connection)
        with connection.transaction():
            if not lock_exclusively(connection, tenant.id):
                raise NotFound("There is no such workspace any more.")
            return _add(connection, tenant, (object_name, field_name), wanted, by, source)


def _add(
    connection: Connection[TupleRow],
    tenant: Tenant,
    target: tuple[str, str],
    labels: list[str],
    by: UUID | None,
    source: str,
) -> Catalog:
    table = SQL("{}.metadata_override").format(Identifier(tenant.schema))
    read = SQL("select component, path, value from {} order by component, path").format(table)
    rows = cast("list[tuple[str, str, Plain]]", connection.execute(read).fetchall())
    version = _version(connection, tenant)
    current = catalogs.build(version, rows)
    object_name, field_name = target
    component = component_name("object", object_name)
    news = _overrides(current, object_name, field_name, labels)
    if not news:
        return current
    insert = SQL("insert into {} (component, path, base, value, by) values (%s, %s, null, %s, %s)").format(table)
    for override in news:
        connection.execute(insert, (component, override.path, Jsonb(override.value), by))
    bump = "update pod.tenant set version = version + 1 where id = %s returning version"
    bumped = connection.execute(bump, (tenant.id,)).fetchone()
    version = int(bumped[0]) if bumped else version
    steps = [{"op": "set", "component": component, "path": one.path, "value": one.value} for one in news]
    inverse = [{"op": "unset", "component": component, "path": one.path} for one in news]
    change = SQL("insert into {}.metadata_change (version, source, steps, inverse, by) values (%s, %s, %s, %s, %s)")
    connection.execute(change.format(Identifier(tenant.schema)), (version, source, Jsonb(steps), Jsonb(inverse), by))
    return catalogs.build(version, [*rows, *((component, one.path, one.value) for one in news)])


def _version(connection: Connection[TupleRow], tenant: Tenant) -> int:
    row = connection.execute("select version from pod.tenant where id = %s", (tenant.id,)).fetchone()
    return int(row[0]) if row else 0


def _overrides(current: Catalog, object_name: str, field_name: str, labels: list[str]) -> list[_Override]:
    """The leaves that make the missing options: label, colour and a rank behind the others."""
    object_type = current.objects.get(object_name)
    field = object_type.fields.get(field_name) if object_type else None
    if field is None or not field.open:
        raise NotOpen(f"{object_name}.{field_name} does not take new options.")
    news = new_options(field.options, labels)
    if len(field.options) + len(news) > MAX_OPTIONS:
        raise TooManyOptions(f"{field.label} would have more than {MAX_OPTIONS:,} options.")
    ranks = [option.rank for option in field.options.values()]
    found: list[_Override] = []
    for name, label in news.items():
        ranks.append(rank_after(ranks))
        base = SEPARATOR.join(("fields", field_name, "options", name))
        color = COLORS[len(ranks) % len(COLORS)]
        found += [
            _Override(f"{base}/label", label),
            _Override(f"{base}/rank", ranks[-1]),
            _Override(f"{base}/color", color),
        ]
    return found


def new_options(known: Mapping[str, Option], labels: Iterable[str]) -> dict[str, str]:
    """Name → label of the options to make for ``labels``; labels that differ in case only are one option."""
    taken = set(known)
    seen = {option.name for option in known.values()} | {option.label.casefold() for option in known.values()}
    found: dict[str, str] = {}
    for raw in labels:
        label = " ".join(raw.replace("\0", "").split())
        if not label or label.casefold() in seen:
            continue
        if len(label) > LABEL_LIMIT:
            raise InvalidInput(f"An option's label has at most {LABEL_LIMIT} characters: {label[:40]!r} is longer.")
        name = option_name_for(label, taken)
        found[name] = label
        taken.add(name)
        seen.add(label.casefold())
    return found


def option_name_for(label: str, taken: set[str]) -> str:
    """A snake_case name for ``label`` that is not ``taken``; scripts without ASCII letters get a digest."""
    plain = unicodedata.normalize("NFKD", label.casefold().replace("ß", "ss")).encode("ascii", "ignore").decode()
    name = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")[:_NAME_LIMIT].strip("_")
    if not name:
        name = "option_" + hashlib.sha256(label.encode()).hexdigest()[:8]
    if not name[0].isalpha():
        name = f"o_{name}"[:_NAME_LIMIT]
    if name not in taken:
        return name
    number = 2
    while f"{name}_{number}" in taken:
        number += 1
    return f"{name}_{number}"
