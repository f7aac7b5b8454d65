"""Members and teams as link targets: system tables that lists may look into one hop (``owner.name``)."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from app.metadata import fieldtypes
from app.metadata.model import Field, ObjectType

if TYPE_CHECKING:
    from collections.abc import Mapping


def _object(name: str, label: str, plural: str, columns: Mapping[str, str]) -> ObjectType:
    fields = {
        column: Field(
            name=column,
            type=fieldtypes.get(kind),
            label=column.replace("_", " ").capitalize(),
            columns=fieldtypes.get(kind).columns(column),
            system=True,
        )
        for column, kind in columns.items()
    }
    return ObjectType(
        name=name,
        label=label,
        plural=plural,
        icon="users",
        table=name,
        fields=fields,
        title=("name",),
        spec_hash=f"system:{name}",
        navigation=False,
        timeline=False,
    )


#: By the name link fields use in ``to``.
SYSTEM_OBJECTS: Final[Mapping[str, ObjectType]] = MappingProxyType(
    {
        "member": _object(
            "member",
            "Member",
            "Members",
            {"id": "uuid", "name": "text", "email": "text", "role": "text", "status": "text"},
        ),
        "team": _object("team", "Team", "Teams", {"id": "uuid", "name": "text"}),
    }
)
