"""A role as the matrix of its editor: a row an object, a column an action; and back from what the form sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from app.access.grants import EVERY, FIELD_LEVELS, FLAGS, role_document
from app.metadata.reach import ACTIONS, LEVELS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from app.access.grants import ObjectGrant, Role
    from app.metadata.model import Catalog

#: Columns of the matrix, in the order of what follows from what.
COLUMNS: Final = (
    ("read", "Read"), ("create", "Create"), ("edit", "Edit"), ("delete", "Delete"), ("destroy", "Destroy"),
    ("export", "Export"), ("import", "Import"), ("bulk", "Bulk"),
)  # fmt: skip
LEVEL_LABELS: Final = {"none": "—", "own": "Own", "reach": "Reach", "all": "All"}
FIELD_LABELS: Final = {"edit": "Edit", "read": "Read only", "none": "Hidden"}
SPECIAL_LABELS: Final = {
    "metadata": ("Data model", "Change objects, fields and pipelines."),
    "members": ("Members and teams", "Invite, deactivate, give roles up to one's own."),
    "rights": ("Roles and sharing", "Change who may see and do what; read the audit log."),
    "keys": ("API keys", "Make and revoke keys."),
    "extensions": ("Extensions", "Install and remove."),
    "billing": ("Billing", "See and change the plan."),
    "merge": ("Merge", "Make one record of two."),
    "support": ("Support access", "Let support in for a while."),
    "workspace": ("Workspace", "Rename, move or close it."),
}


@dataclass(frozen=True, slots=True)
class Cell:
    """One right: a level, or yes and no."""

    name: str
    label: str
    level: str
    flag: bool


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the matrix. ``own``: the role names the object; else it follows the row for all others."""

    object: str
    label: str
    own: bool
    cells: tuple[Cell, ...]
    conditions: int = 0
    fields: int = 0


def lines(role: Role, catalog: Catalog, adjust: Collection[str] = ()) -> list[Line]:
    """The matrix: first the row for every object not named, then each object people work with or the role names."""
    found = [Line(EVERY, "Every other object", own=True, cells=_cells(role.grant(EVERY)))]
    for name, obj in catalog.objects.items():
        own = name in role.objects or name in adjust
        if own or obj.navigation or name in role.fields or name in role.rows:
            found.append(
                Line(
                    name,
                    obj.plural,
                    own,
                    _cells(role.grant(name)),
                    len(role.rows.get(name, {})),
                    len(role.fields.get(name, {})),
                )
            )
    return found


def _cells(grant: ObjectGrant) -> tuple[Cell, ...]:
    levels = {str(action): str(grant.level(action)) for action in ACTIONS}
    return tuple(
        Cell(name, label, levels.get(name, "all" if name in grant.flags else "none"), name in FLAGS)
        for name, label in COLUMNS
    )


def document_of(role: Role, form: Mapping[str, str], names: Collection[str], special: list[str]) -> dict[str, Any]:
    """The role's document with the matrix as it was sent; ``names`` are the objects with a row of their own.

    Fields and conditions stay as they are; those are another form's.
    """
    document = role_document(role)
    objects = {name: _row(form, name) for name in dict.fromkeys([EVERY, *names])}
    return {**document, "objects": objects, "special": special, "label": form.get("label"), "help": form.get("help")}


def _row(form: Mapping[str, str], name: str) -> dict[str, Any]:
    levels: dict[str, Any] = {action: form.get(f"{name}.{action}", "none") for action in ACTIONS}
    return levels | {flag: f"{name}.{flag}" in form for flag in FLAGS}


def object_document(role: Role, object_name: str, form: Mapping[str, str], rules: Mapping[str, str]) -> dict[str, Any]:
    """The role's document with one object's fields as they were sent, and its conditions by action."""
    document: dict[str, Any] = role_document(role)
    levels = {
        name.removeprefix("field."): level
        for name, level in form.items()
        if name.startswith("field.") and level in FIELD_LEVELS and level != "edit"
    }
    document["fields"] = _replaced(document["fields"], object_name, levels)
    document["rows"] = _replaced(document["rows"], object_name, {a: rule for a, rule in rules.items() if rule})
    return document


def _replaced(present: Mapping[str, Any], name: str, values: dict[str, str]) -> dict[str, Any]:
    rest = {other: value for other, value in present.items() if other != name}
    return rest | ({name: values} if values else {})


def level_choices() -> list[tuple[str, str]]:
    """For a select."""
    return [(level, LEVEL_LABELS[level]) for level in LEVELS]


def told(path: str, catalog: Catalog) -> str:
    """A path of a role's document in words: ``objects/deal/edit`` → Deals · Edit."""
    part, *rest = path.split("/")
    if part in ("label", "help", "special") or not rest:
        return {"label": "Label", "help": "Description", "special": "Further rights"}.get(part, part)
    known = catalog.objects.get(rest[0])
    name = "Every other object" if rest[0] == EVERY else known.plural if known else rest[0]
    column = rest[1] if len(rest) > 1 else ""
    if part == "objects":
        return f"{name} · {dict(COLUMNS).get(column, column)}"
    if part == "rows":
        return f"{name} · {'reads' if column == 'read' else 'edits'} also when"
    label = known.fields[column].label if known and column in known.fields else column
    return f"{name} · field {label}"


def shown(path: str, value: object) -> str:
    """A value of a role's document in words."""
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, list):
        return ", ".join(SPECIAL_LABELS.get(str(one), (str(one), ""))[0] for one in value) or "None"
    if path.startswith("fields/"):
        return FIELD_LABELS.get(str(value), "Edit")
    if path.startswith("objects/"):
        return LEVEL_LABELS.get(str(value), "as every other object")
    return str(value) if value else "None"
