"""What is not offered any more: stages, pipelines and options that records keep and none comes to.

Asked on every way in when a draft is settled: a value the record has is kept, one that is chosen anew is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from app.metadata.fieldtypes.choices import listed_options, offered
from app.records.plan import plan_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from app.metadata.model import Field, ObjectType, Pipeline, Stage
    from app.records.rules import Draft

#: Fields of a pipeline object that are judged together: a stage is retired in its pipeline.
_STANDING: Final = frozenset({"pipeline", "stage"})


def asks_retired(object_type: ObjectType, patch: Iterable[str]) -> bool:
    """Whether a write of the fields may choose what is retired, which takes the record as it is to tell."""
    retiring = plan_of(object_type).retiring
    return bool(retiring) and any(name in retiring for name in patch)


def refuse_retired(draft: Draft) -> None:
    """Refuse every retired option, stage or pipeline the write chooses anew."""
    for name in plan_of(draft.object_type).retiring:
        if name in draft.values and name not in _STANDING:
            _refuse_options(draft, draft.object_type.fields[name])
    if draft.object_type.has_pipeline and draft.touches(*_STANDING):
        _refuse_standing(draft)


def _refuse_options(draft: Draft, field: Field) -> None:
    held = set(_names(draft.was(field.name)))
    for name in _names(draft.values[field.name]):
        option = field.options.get(name)
        if option is not None and option.retired and name not in held:
            message = f"{option.label} is no longer offered. {_choose(one.label for one in offered(field))}"
            draft.intake.refuse(f"/{field.name}", "option.retired", f"{field.label}: {message}")


def _refuse_standing(draft: Draft) -> None:
    obj = draft.object_type
    pipeline = obj.pipelines.get(draft.becomes("pipeline"))
    stage = pipeline.stages.get(draft.becomes("stage")) if pipeline is not None else None
    if pipeline is None or stage is None:
        return  # refused already, or taken away: nobody comes to it
    came = draft.creating or draft.was("pipeline") != pipeline.name
    if came and pipeline.retired:
        known = _choose(one.label for one in obj.pipelines.values() if not one.retired)
        message = f"{obj.fields['pipeline'].label}: {pipeline.label} is no longer offered. {known}"
        draft.intake.refuse("/pipeline", "pipeline.retired", message)
    elif stage.retired and (came or draft.was("stage") != stage.name):
        known = _choose(one.label for one in pipeline.stages.values() if not one.retired)
        message = f"{obj.fields['stage'].label}: {stage.label} is no longer offered. {known}"
        draft.intake.refuse("/stage", "stage.retired", message)


def _names(value: Any) -> tuple[str, ...]:
    """The options a value names: none, one or several."""
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else tuple(value)


def _choose(labels: Iterable[str]) -> str:
    known = list(labels)
    return f"Choose {listed_options(known)}." if known else "None is offered now."


def pipelines_offered(obj: ObjectType) -> list[Pipeline]:
    """The pipelines a new record may come to."""
    return [one for one in obj.pipelines.values() if not one.retired]


def stages_offered(obj: ObjectType, held: object = None) -> list[Stage]:
    """The stages a record may come to, of all pipelines, each name once; and the one it is in."""
    found: dict[str, Stage] = {}
    for pipeline in obj.pipelines.values():
        for stage in pipeline.stages.values():
            if stage.name == held or not (stage.retired or pipeline.retired):
                found.setdefault(stage.name, stage)
    return list(found.values())
