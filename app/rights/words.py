"""A line of the audit log in words."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from app.rights import matrix

if TYPE_CHECKING:
    from app.metadata.model import Catalog
    from app.rights.audit import Entry

_SAID: Final = {
    "created": "created", "updated": "changed", "trashed": "deleted", "restored": "restored",
    "destroyed": "deleted for good", "merged": "merged another record into", "bulk": "changed many of",
    "imported": "imported", "import_undone": "took back an import of", "shared": "shared",
    "unshared": "stopped sharing",
}  # fmt: skip
_ABOUT: Final = {
    "member_invited": "invited", "member_joined": "joined as", "member_changed": "changed the member",
    "signed_in": "signed in", "key_created": "made the API key", "key_revoked": "revoked the API key",
    "team_created": "made the team", "team_changed": "changed the team", "team_removed": "deleted the team",
    "role_created": "made the role", "role_changed": "changed the role", "role_removed": "deleted the role",
    "sharing_changed": "changed the sharing of", "rule_created": "made the sharing rule",
    "rule_changed": "changed the sharing rule", "rule_removed": "deleted the sharing rule",
    "exported": "exported", "metadata_changed": "changed the settings of",
    "support_granted": "let support in", "support_revoked": "took support's access back",
    "support_expired": "ended support's access, its time was over",
    "support_entered": "came in to help", "support_left": "left",
}  # fmt: skip
_FILES: Final = {"audit": "the audit log", "access_review": "the access review"}
#: What an export tells of itself.
_EXPORTED: Final = {"rows": "records", "filter": "condition", "fields": "columns"}
_LONGEST: Final = 80
_NAMED: Final = 6


def told(entry: Entry, catalog: Catalog) -> dict[str, Any]:
    """``text`` says what happened, ``title`` and ``href`` the record, ``changes`` (label, from, to) in short."""
    obj = catalog.objects.get(entry.object)
    if entry.kind in _ABOUT:
        what = entry.what
        if entry.kind == "exported":
            what = _FILES.get(entry.object) or (obj.plural.lower() if obj else entry.object.replace("_", " "))
        text = _ABOUT[entry.kind]
        if entry.kind == "metadata_changed":
            what = _shaped(entry, catalog)
        if entry.kind == "sharing_changed" and entry.what in catalog.objects:
            what = catalog.objects[entry.what].plural
        return {"text": text, "title": what, "href": "", "changes": _settings(entry, catalog)}
    label = obj.label.lower() if obj else entry.object.replace("_", " ")
    many = entry.kind in ("bulk", "imported", "import_undone")
    labels = {name: field.label for name, field in obj.fields.items()} if obj else {}
    return {
        "text": f"{_SAID.get(entry.kind, entry.kind)} {obj.plural.lower() if obj and many else f'the {label}'}",
        "title": "" if many else entry.what or _nameless(entry, catalog),
        "href": f"/records/{entry.object}/{entry.record_id}" if entry.what and not many else "",
        "changes": _pairs(entry, labels),
    }


def _nameless(entry: Entry, catalog: Catalog) -> str:
    """Instead of the title of a record the reader does not find: who reaches every record knows that it is gone."""
    obj = catalog.objects.get(entry.object)
    if obj is None or obj.reach:
        return "one you can't see"
    return "" if entry.kind == "destroyed" else "(gone for good since)"


def _settings(entry: Entry, catalog: Catalog) -> list[tuple[str, str, str]]:
    """Changes of people and settings; of a role its rights by name, of what was just made nothing but that."""
    if entry.kind in ("role_created", "role_removed", "team_created", "team_removed", "rule_removed"):
        return []
    if entry.kind == "metadata_changed":
        shown = tuple(change for change in entry.changes if not change[0].endswith("/rank"))
        several = len({_component_of(path) for path, _, _ in shown}) > 1
        labels = {path: _leaf(path, catalog, named=several) for path, _, _ in shown}
        return _pairs(replace(entry, changes=shown), labels)
    if entry.kind != "role_changed":
        return _pairs(entry, _EXPORTED if entry.kind == "exported" else {})
    found = [
        (matrix.told(path, catalog), matrix.shown(path, old), matrix.shown(path, new))
        for path, old, new in entry.changes
        if path != "name"
    ]
    return found[:_NAMED] + ([(f"{len(found) - _NAMED} more", "", "")] if len(found) > _NAMED else [])


def _shaped(entry: Entry, catalog: Catalog) -> str:
    """What a change of metadata was about: objects as people call them, anything else by kind and name."""
    components = sorted(
        {_component_of(path) for path, _, _ in entry.changes},
        key=lambda one: (not one.startswith("object/"), one),
    )
    found = [_component(one, catalog) for one in components]
    return ", ".join(found[:_NAMED]) + (f" and {len(found) - _NAMED} more" if len(found) > _NAMED else "")


def _component(component: str, catalog: Catalog) -> str:
    kind, _, name = component.partition("/")
    if kind == "object":
        return catalog.objects[name].plural if name in catalog.objects else name.replace("_", " ")
    return f"{kind.replace('_', ' ')} {name}"


def _component_of(path: str) -> str:
    return "/".join(path.split("/")[:2])


def _leaf(path: str, catalog: Catalog, *, named: bool) -> str:
    """A leaf as people read it: ``object/deal/fields/vat_id/label`` → vat id · label, ``named`` after its component."""
    steps = [step.replace("_", " ") for step in path.split("/")[2:] if step not in ("fields", "pipelines", "stages")]
    return " · ".join([_component(_component_of(path), catalog), *steps] if named else steps)


def _pairs(entry: Entry, labels: dict[str, str]) -> list[tuple[str, str, str]]:
    told = [change for change in entry.changes if change[1] not in (None, [], "") or change[2] not in (None, [], "")]
    shown = [
        (labels.get(name, name.replace("_", " ").replace("/", " · ")), _short(old), _short(new))
        for name, old, new in told
        if not (name in ("name", "object") and old == new)
    ]
    rest = len(shown) - _NAMED
    return shown[:_NAMED] + ([(f"{rest} more", "", "")] if rest > 0 else [])


def _short(value: object) -> str:
    if value is None or value == []:
        return ""
    if isinstance(value, dict):
        text = " ".join(str(part) for part in value.values() if part)
    elif isinstance(value, list):
        text = ", ".join(str(part) for part in value)
    else:
        text = {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else str(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
