"""Adding options to an open select: the one change of metadata a person or an import makes while working."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from app.core.errors import InvalidInput
from app.metadata.apply import Request, apply
from app.metadata.changeset import desired
from app.metadata.document import parse
from app.metadata.kinds.schema import COLORS
from app.metadata.layers import component_name, live, overlaid
from app.metadata.leaves import SEPARATOR
from app.metadata.model import Option
from tenants.scope import SYSTEM

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from app.core.db import Databases
    from app.metadata.changeset import Changes, State
    from app.metadata.leaves import Document
    from app.metadata.model import Catalog
    from app.metadata.patch import Patch
    from tenants.scope import Actor, Tenant

MAX_OPTIONS: Final = 1_000
LABEL_LIMIT: Final = 100
_NAME_LIMIT: Final = 50


class NotOpen(InvalidInput):
    """The field is no select, or not one that takes new options."""

    code = "option.closed"


class TooManyOptions(InvalidInput):
    """A select with that many options helps nobody; the column is probably no select."""

    code = "option.too_many"


def add_options(
    databases: Databases,
    tenant: Tenant,
    object_name: str,
    field_name: str,
    labels: Iterable[str],
    *,
    by: Actor = SYSTEM,
    source: str = "import",
) -> Catalog:
    """Add an option for each of ``labels`` the field does not know yet and return the tenant's new catalog.

    Waits for writers of the tenant to finish: never call it inside a write scope of the same tenant. What is known in
    any case, by name or label, stays as it is; when all are, nothing is written and the version stays.

    Raises:
        NotOpen, TooManyOptions, InvalidInput: the labels can't be added.
        TenantBusy: writers did not pause; try again.
    """
    wanted = list(labels)

    def desire(state: State) -> Changes:
        patches = _patches(live(overlaid(state.lower, state.overrides)), object_name, field_name, wanted)
        return desired(state, patches, source=source)

    applied = apply(databases, tenant, desire, Request(source=source, by=by, keeps=False))
    return replace(applied.plan.after, version=applied.version)


def _patches(document: Document, object_name: str, field_name: str, labels: list[str]) -> list[Patch]:
    """The leaves that make the missing options: label and colour; they go behind the others."""
    leaves = document.get(component_name("object", object_name), {})
    place = f"fields/{field_name}"
    if leaves.get(f"{place}/open") is not True:
        raise NotOpen(f"{object_name}.{field_name} does not take new options.")
    known: dict[str, Option] = {}
    for path, value in leaves.items():
        if path.startswith(f"{place}/options/") and path.endswith("/label"):
            name = path.split(SEPARATOR)[3]
            known[name] = Option(name, str(value))
    news = new_options(known, labels)
    if len(known) + len(news) > MAX_OPTIONS:
        label = str(leaves.get(f"{place}/label", field_name))
        raise TooManyOptions(f"{label} would have more than {MAX_OPTIONS:,} options.")
    if not news:
        return []
    spec = {
        name: {"label": label, "color": COLORS[(len(known) + at) % len(COLORS)]}
        for at, (name, label) in enumerate(news.items(), 1)
    }
    return parse([{"kind": "field", "name": f"{object_name}.{field_name}", "options": spec}])


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
