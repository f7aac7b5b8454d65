"""Role: what its holders may do, per object, field and record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from app.metadata.kinds import schema as form
from app.metadata.kinds.base import Complaint, Kind
from app.metadata.reach import ACTIONS, LEVELS
from app.metadata.vocabulary import STANDARD_ROLES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from app.metadata.leaves import Plain
    from app.metadata.vocabulary import Vocabulary

SPECIALS: Final = (
    "metadata", "members", "rights", "keys", "extensions", "billing", "merge", "support", "workspace",
)  # fmt: skip
_FLAGS: Final = {
    "create": "May make records.",
    "import": "May import records.",
    "bulk": "May change many records at once.",
}
#: An object, or `*` for every object the role does not name.
_OBJECT: Final = rf"^(\*|{form.WORD}(__{form.WORD})?)$"


def _check(name: str, leaves: Mapping[str, Plain], names: Vocabulary) -> Iterator[Complaint]:  # noqa: ARG001
    if name in STANDARD_ROLES:
        yield Complaint("", "name.reserved", f"{name!r} is a standard role: copy it under another name")


_LEVEL = form.choice("How far it goes.", LEVELS)

KIND = Kind(
    name="role",
    help="What its holders may do with records and fields, and special rights. Roles only add up.",
    schema=form.record(
        "A role.",
        {
            "label": form.label(),
            "help": form.guidance(),
            "objects": form.mapping(
                "By object, `*` for the rest: how far each action goes.",
                form.record(
                    "What is allowed with an object; an empty map is nothing at all.",
                    {action: _LEVEL | {"description": f"How far `{action}` goes."} for action in ACTIONS}
                    | {name: form.flag(what) for name, what in _FLAGS.items()},
                    empty={"read": "none"},
                ),
                keys=_OBJECT,
                keys_refer="object",
            ),
            "fields": form.mapping(
                "By object and field: `none` or `read` where it is less than editing.",
                form.mapping(
                    "By field.", form.choice("What is allowed with it.", ("none", "read", "edit")), keys_refer="field"
                ),
                keys_refer="object",
            ),
            "rows": form.mapping(
                "By object and action: a condition that opens records.",
                form.record(
                    "Conditions.",
                    {action: form.condition(f"Records one may {action}.") for action in ("read", "edit")},
                ),
                keys_refer="object",
            ),
            "special": form.several("Special rights.", form.choice("A special right.", SPECIALS)),
        }
        | form.standing(),
        ["label"],
    ),
    check=_check,
    example="""
kind: role
name: auditor
label: Auditor
objects:
  "*": {read: all, export: all}
fields:
  deal: {amount: none}
rows:
  task: {read: 'priority == "high"'}
special: [members]
""",
)
