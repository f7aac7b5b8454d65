"""Sharing: what each object is open to, rules that open some of its records, single records given by hand.

A record may be given away by whoever may edit it, and for reading by whoever manages rights and sees it: nobody gives
what they don't have. Nor does anybody open records by a field they may not read themselves.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from app.access import catalogs, policy, shares
from app.access.policy import policy_of, role_names
from app.access.rights import RIGHTS_MANAGE, allows
from app.core.errors import Conflict, FieldError, Forbidden, InvalidInput, NotFound
from app.records.environment import RecordEnvironment
from app.records.reach import permitted
from app.records.read import find_object, get_record
from app.rights.roles import condition_errors
from tenants import log

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from app.access.shares import ShareRow
    from app.metadata.model import Catalog, ObjectType
    from tenants.scope import TenantScope

#: Narrowest first.
OPENNESS: Final = ("private", "team", "hierarchy", "everyone")
MAX_RULES: Final = 50
LONGEST_NAME: Final = 120
#: Reach follows links so far (``app.access.catalogs``).
_MAX_INHERITED: Final = 3


@dataclass(frozen=True, slots=True)
class Default:
    """What an object is open to; ``links`` are those it may inherit by."""

    object: str
    label: str
    read: str
    edit: str
    inherit: str
    links: tuple[tuple[str, str], ...]
    rules: int

    def public(self) -> dict[str, Any]:
        """The API's form."""
        return {
            "object": self.object,
            "read": self.read,
            "edit": self.edit,
            "inherit": self.inherit or None,
            "rules": self.rules,
        }


@dataclass(frozen=True, slots=True)
class RuleRow:
    """A sharing rule with its grantee's name."""

    id: UUID
    object: str
    name: str
    condition: str
    kind: str
    grantee: str
    grantee_name: str
    level: str

    def public(self) -> dict[str, Any]:
        """The API's form."""
        return {
            "id": str(self.id),
            "object": self.object,
            "name": self.name,
            "condition": self.condition,
            "grantee": {"kind": self.kind, "id": self.grantee, "name": self.grantee_name},
            "level": self.level,
        }


def list_defaults(scope: TenantScope) -> list[Default]:
    """Every object people work with, and others that have a default of their own."""
    catalog, known = catalogs.whole(scope), policy_of(scope)
    return [
        _default(scope, catalog, obj)
        for name, obj in catalog.objects.items()
        if obj.navigation or name in known.sharing
    ]


def get_default(scope: TenantScope, object_name: str) -> Default:
    """One object's; raises NotFound."""
    catalog = catalogs.whole(scope)
    return _default(scope, catalog, _object(catalog, object_name))


def set_default(scope: TenantScope, object_name: str, read: str, edit: str, inherit: str = "") -> Default:
    """Open an object to nobody, teams, teams and managers, or everyone.

    Raises:
        InvalidInput: an unknown word, editing wider than reading, a link that can't be followed.
    """
    catalog = catalogs.whole(scope)
    obj = _object(catalog, object_name)
    _check_openness(read, edit)
    if inherit and inherit not in dict(links_of(catalog, obj)):
        message = "Records can follow a link to another object of this workspace."
        raise InvalidInput(message, [FieldError("/inherit", "link", message)])
    if inherit:
        _check_circle(scope, catalog, obj, inherit)
    before = policy_of(scope).sharing.get(object_name)
    old = (before.read, before.edit, before.inherit) if before else ("everyone", "everyone", "")
    if old == (read, edit, inherit):
        return get_default(scope, object_name)
    if (read, edit, inherit) == ("everyone", "everyone", ""):
        scope.execute("delete from sharing where object = %s", (object_name,))
    else:
        scope.execute(
            "insert into sharing (object, read, edit, inherit) values (%s, %s, %s, %s) on conflict (object) do update"
            " set read = excluded.read, edit = excluded.edit, inherit = excluded.inherit, updated_at = now()",
            (object_name, read, edit, inherit or None),
        )
    policy.changed(scope)
    names = ("read", "edit", "inherit")
    diff = {name: [a, b] for name, a, b in zip(names, old, (read, edit, inherit), strict=True) if a != b}
    log.note(scope, "sharing_changed", "sharing", None, {"object": [object_name, object_name], **diff})
    return get_default(scope, object_name)


def list_rules(scope: TenantScope, object_name: str = "") -> list[RuleRow]:
    """The sharing rules, of one object or of all."""
    rows = scope.execute(
        "select r.id, r.object, r.name, r.condition, r.grantee_kind, r.grantee, coalesce(m.name, t.name, r.grantee),"
        " r.level from sharing_rule r"
        " left join member m on r.grantee_kind = 'member' and m.id::text = r.grantee"
        " left join team t on r.grantee_kind = 'team' and t.id::text = r.grantee"
        " where %(object)s = '' or r.object = %(object)s order by r.object, r.id",
        {"object": object_name},
    )
    labels = dict(role_names(scope))
    found = [RuleRow(*row) for row in rows]
    return [
        replace(row, grantee_name=labels.get(row.grantee, row.grantee)) if row.kind == "role" else row for row in found
    ]


def get_rule(scope: TenantScope, rule: UUID) -> RuleRow:
    """One rule; raises NotFound."""
    found = next((row for row in list_rules(scope) if row.id == rule), None)
    if found is None:
        raise NotFound("There is no such sharing rule.")
    return found


def put_rule(scope: TenantScope, values: Mapping[str, str], rule: UUID | None = None) -> RuleRow:
    """Make a rule, or change one: ``object``, ``name``, ``condition``, ``kind``, ``grantee``, ``level``.

    Raises:
        InvalidInput: with a pointer to each thing that is wrong.
        Conflict: the object has too many.
    """
    before = get_rule(scope, rule) if rule else None
    object_name = before.object if before else values.get("object", "")
    checked = _checked_rule(scope, object_name, values)
    if before is None:
        if len(list_rules(scope, object_name)) >= MAX_RULES:
            raise Conflict(f"An object has at most {MAX_RULES} sharing rules.")
        row = scope.execute(
            "insert into sharing_rule (object, name, condition, grantee_kind, grantee, level)"
            " values (%(object)s, %(name)s, %(condition)s, %(kind)s, %(grantee)s, %(level)s) returning id",
            checked,
        ).fetchone()
    else:
        row = scope.execute(
            "update sharing_rule set name = %(name)s, condition = %(condition)s, grantee_kind = %(kind)s,"
            " grantee = %(grantee)s, level = %(level)s, updated_at = now() where id = %(id)s returning id",
            {**checked, "id": rule},
        ).fetchone()
    policy.changed(scope)
    made = get_rule(scope, row[0] if row else UUID(int=0))
    old = _told(before) if before else {}
    diff = {name: [old.get(name), value] for name, value in _told(made).items() if old.get(name) != value}
    log.note(scope, "rule_changed" if before else "rule_created", "sharing", made.id, diff)
    return made


def delete_rule(scope: TenantScope, rule: UUID) -> None:
    """Take a rule away; raises NotFound."""
    found = get_rule(scope, rule)
    scope.execute("delete from sharing_rule where id = %s", (rule,))
    policy.changed(scope)
    log.note(scope, "rule_removed", "sharing", rule, {name: [value, None] for name, value in _told(found).items()})


def record_shares(scope: TenantScope, object_name: str, record: UUID) -> list[ShareRow]:
    """Who was given a record one may see. Raises RecordNotFound."""
    get_record(scope, object_name, record, fields=("id",))
    labels = dict(role_names(scope))
    return [_labelled(row, labels) for row in shares.list_shares(scope, object_name, record)]


def may_give(scope: TenantScope, object_name: str, record: UUID) -> tuple[str, ...]:
    """The levels at which one may give away a record one sees: those one has oneself, () without a say in sharing."""
    catalog, obj = find_object(scope, object_name)
    if allows(scope, "record.edit", object_name) and record in permitted(scope, catalog, obj, [record], "edit"):
        return ("read", "edit")
    return ("read",) if allows(scope, RIGHTS_MANAGE) else ()


def share_record(
    scope: TenantScope,
    object_name: str,
    record: UUID,
    *,
    kind: str,
    grantee: str,
    level: str = "read",
    collaborator: bool = False,
    expires_at: datetime | None = None,
) -> ShareRow:
    """Give a record to a member, a team or a role. Raises RecordNotFound, Forbidden, InvalidInput."""
    _check_may_give(scope, object_name, record, level)
    made = shares.put_share(
        scope,
        object_name,
        record,
        kind=kind,
        grantee=grantee,
        level=level,
        collaborator=collaborator,
        expires_at=expires_at,
    )
    return _labelled(made, dict(role_names(scope)))


def unshare_record(scope: TenantScope, object_name: str, record: UUID, share: UUID) -> None:
    """Take it back. Raises RecordNotFound, NotFound, Forbidden."""
    _check_may_give(scope, object_name, record, "read")
    shares.drop_share(scope, object_name, record, share)


def links_of(catalog: Catalog, obj: ObjectType) -> tuple[tuple[str, str], ...]:
    """(name, label) of the links whose record may open a record of the object, too."""
    return tuple(
        (name, field.label)
        for name, field in obj.fields.items()
        if field.type.name == "link" and not field.system and any(target in catalog.objects for target in field.to)
        and obj.name not in field.to
    )  # fmt: skip


def _default(scope: TenantScope, catalog: Catalog, obj: ObjectType) -> Default:
    known = policy_of(scope)
    found = known.sharing.get(obj.name, policy.Sharing())
    rules = len(known.rules.get(obj.name, ()))
    return Default(obj.name, obj.plural, found.read, found.edit, found.inherit, links_of(catalog, obj), rules)


def _object(catalog: Catalog, name: str) -> ObjectType:
    found = catalog.objects.get(name)
    if found is None:
        raise NotFound("There is no such object.")
    return found


def _check_openness(read: str, edit: str) -> None:
    errors = [
        FieldError(f"/{name}", "option", f"Choose one of {', '.join(OPENNESS)}.")
        for name, value in (("read", read), ("edit", edit))
        if value not in OPENNESS
    ]
    if not errors and OPENNESS.index(edit) > OPENNESS.index(read):
        errors.append(FieldError("/edit", "wider", "Editing can't be open to more than reading."))
    if errors:
        raise InvalidInput(errors[0].message, errors)


def _check_circle(scope: TenantScope, catalog: Catalog, obj: ObjectType, inherit: str) -> None:
    """Records follow each other one way only, and not too far."""
    sharing = policy_of(scope).sharing
    ahead = [(target, 1) for target in obj.fields[inherit].to]
    while ahead:
        name, steps = ahead.pop()
        if name == obj.name or steps > _MAX_INHERITED:
            message = "This would go in a circle or too far: the other object follows this one already."
            raise InvalidInput(message, [FieldError("/inherit", "circle", message)])
        link = sharing[name].inherit if name in sharing else ""
        if link and name in catalog.objects:
            ahead += [(target, steps + 1) for target in catalog.objects[name].fields[link].to]


def _checked_rule(scope: TenantScope, object_name: str, values: Mapping[str, str]) -> dict[str, str]:
    catalog = catalogs.for_scope(scope)  # by what one can't see nothing is opened: that would tell it
    obj = catalog.objects.get(object_name)
    if obj is None:
        message = "There is no such object."
        raise InvalidInput(message, [FieldError("/object", "object.unknown", message)])
    name = " ".join(values.get("name", "").split())
    condition = values.get("condition", "").strip()
    errors: list[FieldError] = []
    if not name or len(name) > LONGEST_NAME:
        errors.append(FieldError("/name", "required", f"Enter a name of 1 to {LONGEST_NAME} characters."))
    if not condition:
        errors.append(FieldError("/condition", "required", "Enter a condition."))
    else:
        errors += condition_errors(condition, RecordEnvironment(catalog, obj, scope.tenant), "/condition")
    if errors:
        raise InvalidInput(errors[0].message, errors)
    kind, grantee = values.get("kind", ""), values.get("grantee", "")
    grantee = grantee if kind == "role" else grantee.lower()
    shares.check_grantee(scope, kind, grantee)
    shares.check_level(values.get("level", "read"))
    return {
        "object": object_name,
        "name": name,
        "condition": condition,
        "kind": kind,
        "grantee": grantee,
        "level": values.get("level", "read"),
    }


def _check_may_give(scope: TenantScope, object_name: str, record: UUID, level: str) -> None:
    get_record(scope, object_name, record, fields=("id",))
    levels = may_give(scope, object_name, record)
    if not levels:
        raise Forbidden("Only who may edit this record can share it.")
    if level == "edit" and level not in levels:
        raise Forbidden("Only who may edit this record can share it for editing.")


def _labelled(row: ShareRow, labels: Mapping[str, str]) -> ShareRow:
    return shares.named(row, labels[row.grantee]) if row.kind == "role" and row.grantee in labels else row


def _told(rule: RuleRow) -> dict[str, Any]:
    return {
        "object": rule.object,
        "name": rule.name,
        "condition": rule.condition,
        "grantee": f"{rule.kind}:{rule.grantee}",
        "level": rule.level,
    }
