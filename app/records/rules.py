"""What follows from what: values an object's rules set or refuse when a record is written.

A rule sees a ``Draft`` (the new values over the present record) and may add values or problems. Rules that reach other
records live in ``consequences``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from app.metadata.fieldtypes.base import ValueProblem
from app.records import pairs, stages

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.metadata.fieldtypes.base import Coercion
    from app.metadata.model import ObjectType
    from app.records.intake import Intake


@dataclass(slots=True)
class Draft:
    """A record as it would become: new ``values`` (coerced) over ``current`` (its JSON form, None when created)."""

    object_type: ObjectType
    intake: Intake
    ctx: Coercion
    given: frozenset[str]
    current: Mapping[str, Any] | None = None
    #: A record about to be changed that was not read: no rule is concerned that looks at it.
    partial: bool = False
    #: Some value could not be read, so nothing can be said about the record as a whole.
    unread: bool = False

    @property
    def values(self) -> dict[str, Any]:
        """New values by field name; rules add to it."""
        return self.intake.values

    @property
    def creating(self) -> bool:
        """Whether the record does not exist yet."""
        return self.current is None

    def has(self, name: str) -> bool:
        """Whether the object has the field."""
        return name in self.object_type.fields

    def was(self, name: str) -> Any:
        """The value before this write, None when empty or when the record is new.

        What the field would not take any more (an option or a stage that went) is there as it is kept.
        """
        if self.current is None or self.current.get(name) is None:
            return None
        field = self.object_type.fields[name]
        try:
            return field.type.coerce(field, self.current[name], self.ctx)
        except ValueProblem:
            return self.current[name]

    def becomes(self, name: str) -> Any:
        """The value after this write."""
        return self.values[name] if name in self.values else self.was(name)

    def touches(self, *names: str) -> bool:
        """Whether one of the fields is written."""
        return any(name in self.values for name in names)


Rule = Callable[[Draft], None]

_NAMES: Final = ("first_name", "last_name", "email", "emails", "phone", "phones")


def _contact_is_named(draft: Draft) -> None:
    """A contact without name, e-mail and phone can't be told from any other."""
    if not draft.creating and not draft.touches(*_NAMES):
        return
    if not any(draft.becomes(name) for name in _NAMES if draft.has(name)):
        draft.intake.refuse(
            "/last_name", "contact.empty", "A contact needs a name, an e-mail address or a phone number."
        )


def _probability_in_range(draft: Draft) -> None:
    value = draft.values.get("probability")
    if isinstance(value, Decimal) and not 0 <= value <= 1:
        draft.intake.refuse("/probability", "number.range", "The probability is a fraction from 0 to 1.")


def _ends_after_start(start: str, end: str) -> Rule:
    def rule(draft: Draft) -> None:
        if not draft.touches(start, end):
            return
        first, last = draft.becomes(start), draft.becomes(end)
        if first is not None and last is not None and last < first:
            fields = draft.object_type.fields
            message = f"{fields[end].label} is before {fields[start].label}."
            draft.intake.refuse(f"/{end}", "range.reversed", message)

    return rule


_SPAN: Final = _ends_after_start("since", "until")
_BY_OBJECT: Final[dict[str, tuple[Rule, ...]]] = {
    "affiliation": (_SPAN,),
    "company_relation": (_SPAN,),
    "interaction": (_ends_after_start("starts_at", "ends_at"),),
    "contact": (_contact_is_named,),
    "deal": (_probability_in_range,),
}

#: Fields whose change needs the present record, beside those of stages and of pairs.
_NEEDS_CURRENT: Final[dict[str, frozenset[str]]] = {
    "affiliation": frozenset({"since", "until"}),
    "company_relation": frozenset({"since", "until"}),
    "interaction": frozenset({"starts_at", "ends_at"}),
}


def apply_rules(draft: Draft) -> None:
    """Run every rule of the draft's object."""
    pairs.couple(draft)
    if draft.object_type.has_pipeline:
        stages.follow_stage(draft)
    for rule in _BY_OBJECT.get(draft.object_type.name, ()):
        rule(draft)


def rules_need_current(object_type: ObjectType, patch: Mapping[str, object]) -> bool:
    """Whether a rule that ``patch`` wakes looks at the record as it is."""
    waking = _NEEDS_CURRENT.get(object_type.name, frozenset())
    if object_type.has_pipeline:
        waking |= stages.WAKING
    return any(
        name in waking or pairs.is_single(object_type, name) or _empties_a_name(object_type, name, raw)
        for name, raw in patch.items()
        if name in object_type.fields
    )


def _empties_a_name(object_type: ObjectType, name: str, raw: object) -> bool:
    if object_type.name != "contact" or name not in _NAMES:
        return False
    return not (raw.strip() if isinstance(raw, str) else raw)
