"""The operations of a mixed batch as they were sent: read, checked for their shape, put into runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, cast
from uuid import UUID

from app.core.errors import FieldError, InvalidInput
from app.records.consequences import PARENTS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MAX_OPERATIONS: Final = 1_000
#: Members an operation may have beside ``op`` and ``object``; those it must have come first.
KINDS: Final[dict[str, tuple[frozenset[str], frozenset[str]]]] = {
    "create": (frozenset({"record"}), frozenset({"ref"})),
    "update": (frozenset({"record"}), frozenset({"id", "match", "if_match", "ref"})),
    "upsert": (frozenset({"record", "match"}), frozenset({"if_match", "ref"})),
    "delete": (frozenset({"id"}), frozenset({"if_match"})),
    "restore": (frozenset({"id"}), frozenset({"ref"})),
}
REF: Final = "$ref"
_ORDERLESS: Final = frozenset({"create", "update", "upsert"})


class BatchRefused(InvalidInput):
    """An operation of a mixed batch failed: nothing was written; ``errors`` point to the operations."""

    code = "batch.refused"
    title = "Nothing was written"


@dataclass(slots=True)
class Operation:
    """One operation; ``id`` is the id sent, or a reference to a record an earlier operation is about."""

    index: int
    op: str
    object: str
    record: dict[str, Any] = field(default_factory=dict[str, Any])
    id: UUID | str | None = None
    match: str = ""
    if_match: int | None = None
    ref: str = ""

    @property
    def pointer(self) -> str:
        """The operation in the body."""
        return f"/operations/{self.index}"

    @property
    def kind(self) -> tuple[str, str, str]:
        """Operations of one kind can be written together."""
        return (self.op, self.object, self.match)

    def references(self) -> set[str]:
        """Names of other operations' records this one needs."""
        named = {self.id} if isinstance(self.id, str) else set[str]()
        return named | {name for value in self.record.values() for name in references_in(value)}


def read_operations(body: object) -> list[Operation]:
    """The operations of a batch's body. Raises BatchRefused with everything that is wrong with their shape."""
    sent = cast("dict[str, Any]", body) if isinstance(body, dict) else dict[str, Any]()
    items = sent.get("operations")
    if not isinstance(items, list) or len(sent) > 1:
        message = 'Send {"operations": [...]}.'
        raise InvalidInput(message, [FieldError("/operations", "batch.operations", message)])
    listed = cast("list[object]", items)
    if len(listed) > MAX_OPERATIONS:
        message = f"A batch takes at most {MAX_OPERATIONS:,} operations; these are {len(listed):,}."
        raise InvalidInput(message, [FieldError("/operations", "batch.too_many", message)])
    errors: list[FieldError] = []
    operations = [_read(index, item, errors) for index, item in enumerate(listed)]
    _check_references(operations, errors)
    refuse(errors)
    return operations


def refuse(errors: Sequence[FieldError]) -> None:
    """Raise BatchRefused when there are errors."""
    if len(errors) == 1:
        raise BatchRefused(f"Nothing was written: {errors[0].message}", list(errors))
    if errors:
        raise BatchRefused(f"Nothing was written: {len(errors)} things are not acceptable.", list(errors))


def runs(operations: Sequence[Operation]) -> list[list[Operation]]:
    """Operations in groups of one kind, to be written one after the other with the result of their order.

    An operation joins the last group of its kind unless it needs what that group or a later one makes, or its order
    matters to an operation between them: a thousand companies and contacts in turns are two groups.
    """
    found: list[list[Operation]] = []
    made: dict[str, int] = {}
    for operation in operations:
        needed = max((made[name] for name in operation.references()), default=-1)
        at = _joinable(found, operation, needed)
        if at == len(found):
            found.append([])
        found[at].append(operation)
        if operation.ref:
            made[operation.ref] = at
    return found


def _joinable(found: Sequence[Sequence[Operation]], operation: Operation, needed: int) -> int:
    """Which group an operation may join that comes after number ``needed``; the number of groups for a new one."""
    for at in range(len(found) - 1, needed, -1):
        if found[at][0].kind == operation.kind:
            return at
        if not _commute(found[at][0], operation):
            break
    return len(found)


def _commute(one: Operation, other: Operation) -> bool:
    """Whether the order of two operations makes no difference, but for what references say.

    Not on one object (unique values), not with what leaves or returns (links are cleared and set with it), and not
    where a row changes its parent, unless both are new.
    """
    if one.object == other.object or not {one.op, other.op} <= _ORDERLESS:
        return False
    return one.op == other.op == "create" or PARENTS.keys().isdisjoint({one.object, other.object})


def references_in(value: object) -> set[str]:
    """Names of the references in a value: ``{"$ref": "acme"}``, also inside a list or a polymorphic link."""
    if isinstance(value, list):
        return {name for item in cast("list[object]", value) for name in references_in(item)}
    if not isinstance(value, dict):
        return set()
    inner = cast("dict[str, object]", value)
    if set(inner) == {REF}:
        return {str(inner[REF])}
    return {name for item in inner.values() for name in references_in(item)}


def _read(index: int, item: object, errors: list[FieldError]) -> Operation:
    found = Operation(index, "", "")
    if not isinstance(item, dict):
        errors.append(FieldError(found.pointer, "operation.type", "An operation is a JSON object."))
        return found
    sent = cast("dict[str, Any]", item)
    op, object_name = sent.get("op"), sent.get("object")
    found.op = op if isinstance(op, str) else ""
    found.object = object_name if isinstance(object_name, str) else ""
    if found.op not in KINDS:
        errors.append(FieldError(f"{found.pointer}/op", "operation.unknown", f"op is one of {', '.join(KINDS)}."))
        return found
    if not found.object:
        errors.append(FieldError(f"{found.pointer}/object", "required", "An operation names its object."))
    _check_members(found, sent, errors)
    found.record = cast("dict[str, Any]", sent["record"]) if isinstance(sent.get("record"), dict) else {}
    found.id = _id(found, sent.get("id"), errors) if "id" in sent else None
    found.match = _text(found, sent, "match", errors)
    found.ref = _text(found, sent, "ref", errors)
    found.if_match = _version(found, sent, errors)
    return found


def _check_members(operation: Operation, sent: Mapping[str, Any], errors: list[FieldError]) -> None:
    needed, allowed = KINDS[operation.op]
    for name in sorted(set(sent) - needed - allowed - {"op", "object"}):
        message = f"{operation.op} takes no {name}."
        errors.append(FieldError(f"{operation.pointer}/{name}", "operation.member", message))
    for name in sorted(needed - set(sent)):
        message = f"{operation.op} needs {name}."
        errors.append(FieldError(f"{operation.pointer}/{name}", "required", message))
    if "record" in sent and not isinstance(sent["record"], dict):
        errors.append(FieldError(f"{operation.pointer}/record", "record.type", "A record is a JSON object."))
    if operation.op == "update" and ("id" in sent) == ("match" in sent):
        message = "update needs id, or match, the field whose value tells which record is meant."
        errors.append(FieldError(f"{operation.pointer}/id", "required", message))


def _id(operation: Operation, raw: object, errors: list[FieldError]) -> UUID | str | None:
    """An id, or the name of a reference."""
    given = cast("dict[str, object]", raw) if isinstance(raw, dict) else dict[str, object]()
    if set(given) == {REF}:
        return str(given[REF])
    try:
        return UUID(raw if isinstance(raw, str) else "")
    except ValueError:
        message = 'id is the id of a record, or {"$ref": …} for one of an earlier operation.'
        errors.append(FieldError(f"{operation.pointer}/id", "id.invalid", message))
        return None


def _text(operation: Operation, sent: Mapping[str, Any], name: str, errors: list[FieldError]) -> str:
    raw = sent.get(name, "")
    if isinstance(raw, str) and len(raw) <= 255 and (raw or name not in sent):
        return raw
    errors.append(FieldError(f"{operation.pointer}/{name}", f"{name}.invalid", f"{name} is a short text."))
    return ""


def _version(operation: Operation, sent: Mapping[str, Any], errors: list[FieldError]) -> int | None:
    raw = sent.get("if_match")
    if raw is None or (isinstance(raw, int) and not isinstance(raw, bool)):
        return raw
    message = "if_match is the version read, a number."
    errors.append(FieldError(f"{operation.pointer}/if_match", "if_match.invalid", message))
    return None


def _check_references(operations: Sequence[Operation], errors: list[FieldError]) -> None:
    """Each reference names a record of an earlier operation, each name is given once."""
    known: set[str] = set()
    for operation in operations:
        for name in sorted(operation.references() - known):
            message = f"No operation before this one has ref {name!r}."
            errors.append(FieldError(operation.pointer, "ref.unknown", message))
        if operation.ref in known:
            message = f"ref {operation.ref!r} is there twice."
            errors.append(FieldError(f"{operation.pointer}/ref", "ref.repeated", message))
        known |= {operation.ref} if operation.ref else set()
