"""What a role grants, read from its document; unions of roles, and what two sets of roles both hold.

Rights only add up: no role takes away what another gives. A key holds what its own role and its maker's roles both
hold; of rows that is kept as two ways that must both lead to a record, so that it stays exact.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, cast

from app.core.errors import FieldError, InvalidInput
from app.metadata.kinds.role import SPECIALS
from app.metadata.leaves import SEPARATOR, flatten, nest
from app.metadata.reach import ACTIONS, LEVELS, Action, Level

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from app.metadata.leaves import Leaves, Plain

FieldLevel: TypeAlias = Literal["none", "read", "edit"]
Flag: TypeAlias = Literal["create", "import", "bulk"]

FLAGS: Final[tuple[Flag, ...]] = ("create", "import", "bulk")
FIELD_LEVELS: Final[tuple[FieldLevel, ...]] = ("none", "read", "edit")
#: What a role's document says.
PARTS: Final = ("label", "help", "objects", "fields", "rows", "special")
#: Stands for every object a role does not name.
EVERY: Final = "*"
#: Roles of a workspace are the components of this kind.
_KIND: Final = "role" + SEPARATOR


@dataclass(frozen=True, slots=True)
class ObjectGrant:
    """What one role, or several together, allow with one object."""

    levels: Mapping[Action, Level]
    flags: frozenset[Flag] = frozenset()

    def level(self, action: Action) -> Level:
        """How far ``action`` goes."""
        return self.levels.get(action, "none")


NOTHING: Final = ObjectGrant({})


@dataclass(frozen=True, slots=True)
class Role:
    """A role's document. ``fields`` holds only what is less than edit, ``rows`` conditions by object and action."""

    name: str
    label: str
    help: str = ""
    objects: Mapping[str, ObjectGrant] = field(default_factory=dict[str, ObjectGrant])
    fields: Mapping[str, Mapping[str, FieldLevel]] = field(default_factory=dict[str, "Mapping[str, FieldLevel]"])
    rows: Mapping[str, Mapping[str, str]] = field(default_factory=dict[str, "Mapping[str, str]"])
    special: frozenset[str] = frozenset()
    standard: bool = False

    def grant(self, object_name: str) -> ObjectGrant:
        """What the role allows with an object."""
        return self.objects.get(object_name) or self.objects.get(EVERY) or NOTHING

    def field_level(self, object_name: str, field_name: str) -> FieldLevel:
        """What the role allows with a field of an object it may read; a role that never writes gives read."""
        found = self.fields.get(object_name, {}).get(field_name, "edit")
        grant = self.grant(object_name)
        writes = grant.level("edit") != "none" or "create" in grant.flags
        return "read" if found == "edit" and not writes else found


def read_role(document: Mapping[str, object], *, standard: bool = False) -> Role:
    """The role a document describes. Raises InvalidInput with a pointer to each thing that is wrong."""
    reader = _Reader()
    objects = {
        name: reader.grant(raw, f"/objects/{name}")
        for name, raw in reader.mapping(document.get("objects"), "/objects").items()
    }
    fields = {
        name: reader.fields(raw, f"/fields/{name}")
        for name, raw in reader.mapping(document.get("fields"), "/fields").items()
    }
    rows = {
        name: reader.rows(raw, f"/rows/{name}") for name, raw in reader.mapping(document.get("rows"), "/rows").items()
    }
    special = reader.specials(document.get("special"))
    for name in document:
        if name not in ("name", *PARTS):
            reader.refuse(f"/{name}", "role.unknown", f"A role has no {name}.")
    if reader.errors:
        raise InvalidInput(reader.errors[0].message, reader.errors)
    return Role(
        name=str(document.get("name", "")), label=str(document.get("label", "")), help=str(document.get("help", "")),
        objects=objects, fields=fields, rows=rows, special=special, standard=standard,
    )  # fmt: skip


def role_document(role: Role) -> dict[str, object]:
    """The spec of a role as it is stored: what ``read_role`` reads."""
    objects = {
        name: {**{action: grant.level(action) for action in ACTIONS}, **{flag: flag in grant.flags for flag in FLAGS}}
        for name, grant in role.objects.items()
    }
    return {
        "objects": objects,
        "fields": {name: dict(levels) for name, levels in role.fields.items()},
        "rows": {name: dict(rules) for name, rules in role.rows.items()},
        "special": sorted(role.special),
    }


def own_roles(document: Mapping[str, Mapping[str, Plain]]) -> dict[str, Role]:
    """The roles a workspace's live document has, by label; standard ones are no part of it."""
    found = [_of_component(role_named(one), leaves) for one, leaves in document.items() if one.startswith(_KIND)]
    return {role.name: role for role in sorted(found, key=lambda role: (role.label.lower(), role.name))}


def _of_component(name: str, leaves: Mapping[str, Plain]) -> Role:
    """A role as its component says it; one that another release made and this one can't read grants nothing."""
    try:
        return read_role({**_spec(leaves), "name": name})
    except InvalidInput:
        return Role(name, str(leaves.get("label") or name))


def role_leaves(role: Role) -> Leaves:
    """A role as leaves of its component."""
    return flatten({"label": role.label, **({"help": role.help} if role.help else {}), **role_document(role)})


def role_component(name: str) -> str:
    """What the component of a role is called."""
    return _KIND + name


def role_named(component: str) -> str:
    """The role a component is; "" when it is something else."""
    return component.removeprefix(_KIND) if component.startswith(_KIND) else ""


def _spec(leaves: Mapping[str, Plain]) -> Mapping[str, object]:
    """What a component says of its role, without what any component may say of itself."""
    return nest({path: value for path, value in leaves.items() if path.partition(SEPARATOR)[0] in PARTS})


def union_of(roles: Iterable[Role], object_name: str) -> ObjectGrant:
    """What any of the roles allows with an object."""
    grants = [role.grant(object_name) for role in roles]
    levels: dict[Action, Level] = {action: _most([grant.level(action) for grant in grants]) for action in ACTIONS}
    return ObjectGrant(levels, frozenset(flag for grant in grants for flag in grant.flags))


def both(one: ObjectGrant, other: ObjectGrant) -> ObjectGrant:
    """What both allow; of rows only how far at most, the records themselves are the ones both reach."""
    levels: dict[Action, Level] = {
        action: LEVELS[min(LEVELS.index(one.level(action)), LEVELS.index(other.level(action)))] for action in ACTIONS
    }
    return ObjectGrant(levels, one.flags & other.flags)


def union_of_field(roles: Iterable[Role], object_name: str, field_name: str) -> FieldLevel:
    """What any of the roles allows with a field; a role that can't read the object says nothing about its fields."""
    reading = [role for role in roles if role.grant(object_name).level("read") != "none"]
    levels: list[FieldLevel] = [role.field_level(object_name, field_name) for role in reading]
    return FIELD_LEVELS[max((FIELD_LEVELS.index(level) for level in levels), default=0)]


def _most(levels: list[Level]) -> Level:
    return LEVELS[max((LEVELS.index(level) for level in levels), default=0)]


class _Reader:
    """Reads one document, collecting what is wrong."""

    def __init__(self) -> None:
        self.errors: list[FieldError] = []

    def refuse(self, pointer: str, code: str, message: str) -> None:
        self.errors.append(FieldError(pointer, code, message))

    def mapping(self, raw: object, pointer: str) -> dict[str, object]:
        if raw is None:
            return {}
        if not isinstance(raw, dict):
            self.refuse(pointer, "role.map", "Must be a map.")
            return {}
        return {str(name): value for name, value in cast("dict[object, object]", raw).items()}

    def grant(self, raw: object, pointer: str) -> ObjectGrant:
        spec = self.mapping(raw, pointer)
        levels: dict[Action, Level] = {
            action: self.level(spec.get(action), f"{pointer}/{action}") for action in ACTIONS
        }
        for name in spec:
            if name not in (*ACTIONS, *FLAGS):
                self.refuse(f"{pointer}/{name}", "role.right", f"There is no right {name}.")
        flags: frozenset[Flag] = frozenset(flag for flag in FLAGS if self.flag(spec.get(flag), f"{pointer}/{flag}"))
        if levels["read"] == "none":
            return NOTHING
        # Nothing can be changed, exported or destroyed that can't be read.
        most = LEVELS.index(levels["read"])
        held: dict[Action, Level] = {action: LEVELS[min(LEVELS.index(one), most)] for action, one in levels.items()}
        return ObjectGrant(held, flags)

    def level(self, raw: object, pointer: str) -> Level:
        if raw is None or raw is False:
            return "none"
        if raw is True:
            return "reach"
        if raw not in LEVELS:
            self.refuse(pointer, "option", f"Choose one of {', '.join(LEVELS)}.")
            return "none"
        return cast("Level", raw)

    def flag(self, raw: object, pointer: str) -> bool:
        if not isinstance(raw, bool | None):
            self.refuse(pointer, "boolean.type", "Must be true or false.")
        return raw is True

    def fields(self, raw: object, pointer: str) -> dict[str, FieldLevel]:
        found: dict[str, FieldLevel] = {}
        for name, level in self.mapping(raw, pointer).items():
            if level not in FIELD_LEVELS:
                self.refuse(f"{pointer}/{name}", "option", f"Choose one of {', '.join(FIELD_LEVELS)}.")
            elif level != "edit":
                found[name] = cast("FieldLevel", level)
        return found

    def rows(self, raw: object, pointer: str) -> dict[str, str]:
        found: dict[str, str] = {}
        for action, condition in self.mapping(raw, pointer).items():
            if action not in ("read", "edit"):
                self.refuse(f"{pointer}/{action}", "option", "Conditions are for read or edit.")
            elif not isinstance(condition, str):
                self.refuse(f"{pointer}/{action}", "text.type", "Must be a condition.")
            elif condition.strip():
                found[action] = condition.strip()
        return found

    def specials(self, raw: object) -> frozenset[str]:
        if raw is None:
            return frozenset()
        listed = cast("list[object]", raw) if isinstance(raw, list) else []
        if not isinstance(raw, list):
            self.refuse("/special", "list.type", "Must be a list.")
        for name in listed:
            if name not in SPECIALS:
                self.refuse("/special", "option", f"There is no special right {name}.")
        return frozenset(str(name) for name in listed if name in SPECIALS)
