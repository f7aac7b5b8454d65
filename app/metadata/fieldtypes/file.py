"""``file``: an uploaded file; its name, type and size, which never change, are kept beside its id.

So lists, conditions, the log and exports know them without looking anything up.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Final, cast

from app.metadata.fieldtypes.base import ConditionKind, FieldType, ValueProblem
from app.metadata.fieldtypes.uuid import as_uuid
from app.metadata.model import Column

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from app.metadata.fieldtypes.base import Coercion
    from app.metadata.model import Field

#: The system table a value points to.
TABLE: Final = "file"
#: Where the API gives a file out.
URL: Final = "/api/v1/files/"
#: What a value's JSON form has; only the id is ever taken from a client.
_KEYS: Final = frozenset({"id", "name", "type", "size", "url"})
_CODE: Final = "file.invalid"


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file by its id. Without a ``name`` nobody has looked yet whether there is such a file."""

    id: UUID
    name: str = ""
    type: str = ""
    size: int = 0

    @property
    def known(self) -> bool:
        """Whether it was found (``app.records.attachments``)."""
        return bool(self.name)


class FileType(FieldType):
    """JSON ``{"id", "name", "type", "size", "url"}``; written by the id of a file that was uploaded before."""

    name = "file"
    condition = "none"
    sortable = False
    parts: ClassVar[Mapping[str, ConditionKind]] = MappingProxyType({"name": "text", "type": "text", "size": "number"})

    def columns(self, field_name: str) -> tuple[Column, ...]:
        """The file's id, what it is called, what it is, its bytes."""
        return (
            Column(field_name, "uuid", references=TABLE),
            Column(f"{field_name}__name", "text", "name"),
            Column(f"{field_name}__type", "text", "type"),
            Column(f"{field_name}__size", "bigint", "size"),
        )

    def coerce(self, field: Field, raw: object, ctx: Coercion) -> Any:  # noqa: ARG002
        """An id, or the object that was read before; whether there is such a file is the write path's question."""
        if raw is None or raw == "" or isinstance(raw, StoredFile):
            return raw or None
        if isinstance(raw, dict):
            given = cast("dict[str, object]", raw)
            if not given.keys() <= _KEYS:
                raise ValueProblem(_CODE, f"Must be the id of an uploaded file; there is no part {_odd(given)!r}")
            raw = given.get("id")
        found = as_uuid(raw, _CODE)
        return None if found is None else StoredFile(found)

    def takes(self, type_: str) -> bool:  # noqa: ARG002
        """Whether the field takes files of this media type."""
        return True

    def converted(self, value: object) -> Any:
        """The value of a field of another type as one of this: files stay files. Raises ValueProblem."""
        found: dict[str, Any] = cast("dict[str, Any]", value) if isinstance(value, dict) else {}
        if not found.keys() >= _KEYS:
            raise ValueProblem("file.convert", "A file is uploaded; other values can't become one")
        if not self.takes(str(found["type"])):
            raise ValueProblem("file.convert", "This file is no image")
        return of_json(found)

    def bind(self, value: Any) -> tuple[object, ...]:
        """Id, name, type, size. Raises LookupError for a file nobody looked for."""
        if value is None:
            return (None, None, None, None)
        if not value.known:
            raise LookupError(value.id)
        return (value.id, value.name, value.type, value.size)

    def decode(self, parts: Sequence[Any]) -> object:
        """An object."""
        return None if parts[0] is None else _form(*parts)

    def to_json(self, value: Any) -> object:
        """An object."""
        return None if value is None else _form(str(value.id), value.name, value.type, value.size)

    def json_sql(self, columns: Sequence[str]) -> str:
        """Null without a file."""
        file, name, kind, size = columns
        return (
            f"case when {file} is not null then jsonb_build_object('id', {file}, 'name', {name}, 'type', {kind},"
            f" 'size', {size}, 'url', '{URL}' || {file}) end"
        )

    def json_schema(self, field: Field) -> dict[str, object]:  # noqa: ARG002
        """An object or null."""
        return {
            "type": ["object", "null"],
            "properties": {
                "id": {"type": "string", "format": "uuid"},
                "name": {"type": "string", "maxLength": 255},
                "type": {"type": "string", "description": "Media type, as it was found out when it was uploaded"},
                "size": {"type": "integer", "minimum": 0, "description": "Bytes"},
                "url": {"type": "string", "description": "Where it is downloaded, by whoever may read the field"},
            },
            "required": ["id", "name", "type", "size", "url"],
            "additionalProperties": False,
        }

    def format(self, field: Field, value: object, locale: str, timezone: str) -> str:  # noqa: ARG002
        """The file's name."""
        return str(cast("Mapping[str, object]", value)["name"]) if isinstance(value, dict) else ""


def of_json(form: Mapping[str, Any]) -> StoredFile:
    """The value whose JSON form the database gave."""
    found = as_uuid(form["id"])
    if found is None:
        raise LookupError(form)
    return StoredFile(found, str(form["name"]), str(form["type"]), int(form["size"]))


def _form(identity: str, name: str, kind: str, size: int) -> dict[str, object]:
    return {"id": identity, "name": name, "type": kind, "size": size, "url": f"{URL}{identity}"}


def _odd(given: Mapping[str, object]) -> str:
    return min(given.keys() - _KEYS)


TYPE = FileType()
