"""What moving through a pipeline sets: status, since when, closed when, probability, close date."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection

    from app.metadata.model import ObjectType, Pipeline, Stage
    from app.records.rules import Draft

#: Fields whose change wakes these rules.
WAKING: Final = frozenset({"pipeline", "stage", "probability"})


def follow_stage(draft: Draft) -> None:
    """Settle pipeline and stage and set what follows from them."""
    if not draft.creating and not draft.touches("pipeline", "stage", "probability"):
        return
    pipeline = _pipeline(draft)
    stage = _stage(draft, pipeline) if pipeline else None
    if pipeline is None or stage is None:
        return
    before = draft.was("stage")
    moved = draft.creating or stage.name != before or draft.was("pipeline") != pipeline.name
    draft.values["pipeline"], draft.values["stage"] = pipeline.name, stage.name
    if moved:
        _enter(draft, stage)
    _probability(draft, pipeline, stage, before, moved=moved)


def _pipeline(draft: Draft) -> Pipeline | None:
    pipelines = draft.object_type.pipelines
    name = draft.becomes("pipeline")
    if name is None:
        return pipeline_for(draft.object_type, draft.becomes("stage"))
    if name in pipelines:
        return pipelines[name]
    if "pipeline" not in draft.given and not draft.creating:
        return _in_place_of_a_gone_one(draft)
    known = ", ".join(one.name for one in pipelines.values() if not one.retired)
    draft.intake.refuse("/pipeline", "pipeline.unknown", f"There is no pipeline {name}; there are {known}.")
    return None


def _in_place_of_a_gone_one(draft: Draft) -> Pipeline | None:
    """The pipeline of a record whose own was taken away: who moves it to a stage means that stage's pipeline."""
    if "stage" not in draft.given:
        return None
    return pipeline_for(draft.object_type, draft.becomes("stage"))


def pipeline_for(obj: ObjectType, stage: object) -> Pipeline:
    """The pipeline somebody means who names only a stage: the usual one that has it, else the usual one."""
    having = [one for one in obj.pipelines.values() if stage in one.stages]
    return usual_pipeline(having or obj.pipelines.values())


def usual_pipeline(pipelines: Collection[Pipeline]) -> Pipeline:
    """The first that takes records; a retired one where there is no other."""
    return next((one for one in pipelines if not one.retired), next(iter(pipelines)))


def _stage(draft: Draft, pipeline: Pipeline) -> Stage | None:
    name = draft.becomes("stage")
    changed_pipeline = not draft.creating and draft.was("pipeline") != pipeline.name
    if name is None or (changed_pipeline and "stage" not in draft.given):
        return pipeline.first
    if name in pipeline.stages:
        return pipeline.stages[name]
    if "stage" not in draft.given and not draft.creating:
        return None  # the stage it stands in was taken away; nobody moves it
    known = ", ".join(one.name for one in pipeline.stages.values() if not one.retired)
    draft.intake.refuse("/stage", "stage.unknown", f"{pipeline.label} has no stage {name}; it has {known}.")
    return None


def _enter(draft: Draft, stage: Stage) -> None:
    """A record enters a stage: since now; closed now when the stage closes and it was not closed before."""
    values, now = draft.values, draft.ctx.now
    values["stage_status"] = stage.status
    values["stage_since"] = now
    if stage.status == "open":
        values["closed_at"] = None
        return
    values["closed_at"] = now
    if stage.status in ("won", "lost") and draft.has("close_on") and values.get("close_on") is None:
        values["close_on"] = draft.ctx.today


def _probability(draft: Draft, pipeline: Pipeline, stage: Stage, before: str | None, *, moved: bool) -> None:
    """The stage's probability, unless a person set another one; won and lost are always certain."""
    if not draft.has("probability") or not stage.probability:
        return
    if draft.values.get("probability") is not None:
        return
    emptied = "probability" in draft.values
    if emptied or (moved and (stage.status != "open" or not _set_by_hand(draft, pipeline, before))):
        draft.values["probability"] = Decimal(stage.probability)


def _set_by_hand(draft: Draft, pipeline: Pipeline, before: str | None) -> bool:
    """Whether the present probability differs from what the stage before had given (or closing had)."""
    present = draft.was("probability")
    if present is None or draft.creating:
        return False
    old = pipeline.stages.get(before) if before else None
    return old is None or not old.probability or present != Decimal(old.probability)
