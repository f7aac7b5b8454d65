"""``link``: a record of another object, a member or a team, by id."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.metadata.fieldtypes.uuid import UuidType, as_uuid

if TYPE_CHECKING:
    from app.metadata.fieldtypes.base import Coercion
    from app.metadata.model import Field


class LinkType(UuidType):
    """One id. Whether the record exists and may be linked is the write path's question, imports resolve titles."""

    name = "link"

    def coerce(self, field: Field, raw: object, ctx: Coercion) -> Any:  # noqa: ARG002
        """An id; ``{"id": …}`` is taken too."""
        if isinstance(raw, dict) and set(raw) <= {"id", "object", "title"}:  # pyright: ignore[reportUnknownArgumentType]
            raw = raw.get("id")  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
        return as_uuid(raw, "link.invalid")  # pyright: ignore[reportUnknownArgumentType]

    def json_schema(self, field: Field) -> dict[str, object]:
        """A string of format uuid or null."""
        return super().json_schema(field) | {"description": f"Id of a {' or '.join(field.to)}"}


TYPE = LinkType()
