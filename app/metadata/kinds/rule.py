"""Rule: what must hold when a record is saved, and what follows from what in its form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from app.metadata.kinds import schema as form
from app.metadata.kinds.base import OF_OBJECT, Complaint, Kind
from app.metadata.kinds.field import COMPUTED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from app.metadata.leaves import Plain
    from app.metadata.vocabulary import Vocabulary

#: What a rule may do; a rule does at least one of these.
VALIDATIONS: Final = ("refuse_if", "require")
EFFECTS: Final = ("required", "visible", "read_only", "options", "default")
#: What follows for fields people fill in, and why not for others.
_FILLED: Final = {
    "required": "nobody could fill it in", "read_only": "nobody can change it anyway",
    "options": "nobody chooses it", "default": "it gets no default",
}  # fmt: skip


def _check(name: str, leaves: Mapping[str, Plain], names: Vocabulary) -> Iterator[Complaint]:
    does = {path.split("/")[0] for path in leaves} & {*VALIDATIONS, *EFFECTS}
    if not does:
        yield Complaint("", "rule.empty", f"does nothing: say one of {', '.join((*VALIDATIONS, *EFFECTS))}")
    if does & set(VALIDATIONS) and not leaves.get("message"):
        yield Complaint("message", "required", "is missing: what people read when the rule refuses a record")
    if set(VALIDATIONS) <= does:
        yield Complaint("require", "rule.both", "stands beside refuse_if: say one of them, or write two rules")
    yield from _defaults(name, leaves)
    yield from _kept(name, leaves, names)
    yield from _options(name, leaves, names)


def _kept(name: str, leaves: Mapping[str, Plain], names: Vocabulary) -> Iterator[Complaint]:
    """Nobody fills in what Rapport keeps or calculates: what would follow for it could never be put right."""
    owner = name.partition(".")[0]
    for path, value in leaves.items():
        effect, _, rest = path.partition("/")
        fields = [rest.split("/")[0]] if rest else value
        if effect not in _FILLED or not isinstance(fields, list):
            continue
        for field in fields:
            hop = names.hop(owner, str(field))
            why = "" if hop is None else _why_kept(hop.spec)
            if why:
                yield Complaint(path, "rule.kept", f"names {field!r}, which {why}: {_FILLED[effect]}")


def _why_kept(spec: Mapping[str, object]) -> str:
    if spec.get("type") in COMPUTED:
        return "is calculated"
    return "Rapport fills in itself" if spec.get("system") or spec.get("readonly") else ""


def _defaults(name: str, leaves: Mapping[str, Plain]) -> Iterator[Complaint]:  # noqa: ARG001
    for field in {path.split("/")[1] for path in leaves if path.startswith("default/")}:
        if {f"default/{field}/value", f"default/{field}/formula"} <= leaves.keys():
            yield Complaint(f"default/{field}", "rule.both", "has both value and formula: say one of them")


def _options(name: str, leaves: Mapping[str, Plain], names: Vocabulary) -> Iterator[Complaint]:
    owner = name.partition(".")[0]
    for path, value in leaves.items():
        if path.startswith("options/") and isinstance(value, list):
            known = names.options(owner, path.split("/")[1])
            for option in value:
                if known is not None and option not in known:
                    yield Complaint(path, "option.unknown", f"names {option!r}, which is no option of the field")


_FIELD = form.refers("A field.", "field")
_DEFAULT = form.record(
    "What the field gets: a value or what a formula gives.",
    {
        "value": {"type": ["string", "integer", "boolean"], "description": "The value."},
        "formula": form.formula("An expression that gives it."),
    },
)

KIND = Kind(
    name="rule",
    help=(
        "What must hold when a record is saved (`refuse_if` or `require` with a message), or what follows when a "
        "condition holds: fields required, visible only then, read only, options allowed, defaults. "
        "Holds on every way in."
    ),
    naming=OF_OBJECT,
    named="like object.rule",
    of_object=True,
    schema=form.record(
        "A rule.",
        {
            "label": form.label(),
            "help": form.guidance(),
            "active": form.flag("False switches it off."),
            "when": form.condition("When it holds; always if left out."),
            "refuse_if": form.condition("A record that meets this is refused."),
            "require": form.condition("A record that does not meet this is refused."),
            "message": form.text("What people read when it refuses a record.", form.HELP_LIMIT),
            "field": form.refers("The field the message stands at.", "field"),
            "required": form.several("Fields that must have a value then.", _FIELD),
            "visible": form.several("Fields that are shown only then.", _FIELD),
            "read_only": form.several("Fields that can't be changed then.", _FIELD),
            "options": form.mapping(
                "By field: the options that are allowed then.",
                form.several("Options.", least=1),
                keys_refer="field",
            ),
            "default": form.mapping("By field: what it gets then when it is empty.", _DEFAULT, keys_refer="field"),
        }
        | form.standing(),
    ),
    check=_check,
    example="""
kind: rule
name: deal.amount_first
label: Amount before proposal
when: stage_status == "open"
refuse_if: probability > 0.5 && !has(amount)
message: Enter the amount first.
field: amount
required: [close_on]
""",
)
