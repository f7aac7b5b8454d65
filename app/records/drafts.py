"""From an intake to a record that may be written: defaults, rules, required fields, links."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

from app.access.policy import policy_of
from app.records.attachments import attach
from app.records.errors import InvalidRecord, RecordNotFound, UnknownObject
from app.records.intake import Intake, coercion_of, default_values, missing_required
from app.records.judging import fill_in, judge
from app.records.links import dead_links, targets_of
from app.records.pairs import couple
from app.records.retired import refuse_retired
from app.records.rules import Draft, apply_rules

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from app.access.policy import Sharing
    from app.core.errors import FieldError
    from app.metadata.fieldtypes.base import Coercion
    from app.metadata.model import Catalog, ObjectType
    from tenants.scope import Member, TenantScope


def object_of(catalog: Catalog, name: str) -> ObjectType:
    """The object called ``name``. Raises UnknownObject with the nearest name there is."""
    found = catalog.objects.get(name)
    if found is None:
        near = difflib.get_close_matches(name, catalog.objects, n=1)
        raise UnknownObject(f"There is no object {name}." + (f" Did you mean {near[0]}?" if near else ""))
    return found


def new_draft(
    scope: TenantScope,
    object_type: ObjectType,
    intake: Intake,
    ctx: Coercion,
    given: frozenset[str],
    *,
    narrowed: bool = False,
) -> Draft:
    """A record about to be created; a member who creates one owns it unless an owner is given.

    Where a role narrows what is reached, so does whoever creates it by a key or an import: it would be lost to them.
    """
    draft = Draft(object_type, intake, ctx, given)
    default_values(object_type, draft.values, ctx, given)
    if "owner" not in given and scope.member and (narrowed or scope.actor.kind == "member"):
        _own(draft, scope.member, policy_of(scope).sharing.get(object_type.name))
    return draft


def _own(draft: Draft, member: Member, sharing: Sharing | None) -> None:
    """Make the member the owner; what is open to teams belongs to the owner's main team."""
    fields = draft.object_type.fields
    if "owner" in fields:
        draft.values["owner"] = member.id
    by_team = sharing is not None and not {sharing.read, sharing.edit}.isdisjoint(("team", "hierarchy"))
    if by_team and "team" in fields and "team" not in draft.given and member.team is not None:
        draft.values["team"] = member.team


def changed_draft(
    object_type: ObjectType, intake: Intake, ctx: Coercion, given: frozenset[str], current: Mapping[str, Any] | None
) -> Draft:
    """A record about to be changed; without ``current`` no rule is concerned that looks at it."""
    return Draft(object_type, intake, ctx, given, current, partial=current is None)


def settle(
    scope: TenantScope, catalog: Catalog, object_type: ObjectType, drafts: Sequence[Draft], *, ruled: bool = True
) -> None:
    """Complete the drafts: what follows from what, defaults by condition, then what is missing.

    What the tenant's rules refuse is found by ``judge``, when it is known which links are dead. Without ``ruled``
    values come back that were there before: retired ones, too.
    """
    attach(scope, object_type, drafts)
    if ruled:
        read = [draft for draft in drafts if not (draft.partial or _pointed_at(draft))]
        fill_in(scope, catalog, object_type, read)
        attach(scope, object_type, read)
    for draft in drafts:
        _settle(draft)
        if ruled and not draft.partial:
            refuse_retired(draft)


def _settle(draft: Draft) -> None:
    """Apply rules when every value could be read, then look for what is missing."""
    if draft.partial:
        couple(draft)
        draft.intake.errors += missing_required(draft.object_type, draft.values, creating=False)
        return
    unread = _pointed_at(draft)
    draft.unread = bool(unread)
    if not unread:
        apply_rules(draft)
        draft.unread = not _pointed_at(draft).isdisjoint(("stage", "pipeline"))
    missing = missing_required(draft.object_type, draft.values, creating=draft.creating)
    draft.intake.errors += [error for error in missing if error.pointer[1:] not in unread]


def _pointed_at(draft: Draft) -> set[str]:
    return {error.pointer.split("/")[1] for error in draft.intake.errors if error.pointer.startswith("/")}


def refuse_problems(scope: TenantScope, catalog: Catalog, draft: Draft) -> None:
    """Raise InvalidRecord when anything is wrong, naming dead links too."""
    if draft.intake.errors:
        targets = targets_of(catalog, draft.object_type, draft.values)
        draft.intake.errors += dead_links(scope, catalog, draft.object_type, targets)
        raise invalid(draft.object_type, draft.intake.errors)


def refuse_ruled(
    scope: TenantScope, catalog: Catalog, object_type: ObjectType, current: Mapping[str, Any], values: dict[str, Any]
) -> None:
    """Raise InvalidRecord for what the tenant's rules have against ``values`` that the engine itself would write."""
    draft = Draft(object_type, Intake(values), coercion_of(scope), frozenset(), current)
    judge(scope, catalog, object_type, [draft])
    if draft.intake.errors:
        raise invalid(object_type, draft.intake.errors)


def invalid(object_type: ObjectType, errors: list[FieldError]) -> InvalidRecord:
    """The 422 that carries every problem found; one alone is told with the field's name."""
    if len(errors) == 1:
        return InvalidRecord(_told(object_type, errors[0]), errors)
    return InvalidRecord(f"{object_type.label}: {len(errors)} values are not acceptable.", errors)


def _told(object_type: ObjectType, error: FieldError) -> str:
    field = object_type.fields.get(error.pointer.removeprefix("/").partition("/")[0])
    if field is None or field.label.casefold() in error.message.casefold():
        return error.message
    return f"{field.label}: {error.message}"


def missing(object_type: ObjectType) -> RecordNotFound:
    """The 404 of a record that is not there, in the trash or another workspace's."""
    return RecordNotFound(f"There is no such {object_type.label.lower()}.")
