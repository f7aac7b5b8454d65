"""The stage of a record that is to be made where several pipelines take records: one box names both."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from app.records.retired import pipelines_offered
from app.records.stages import pipeline_for

if TYPE_CHECKING:
    from app.metadata.model import ObjectType
    from app.records.pages.controls import Control
    from app.records.pages.values import Record


def standing(control: Control, obj: ObjectType, values: Record) -> Control:
    """The control of the stage with the stages of each pipeline, where there are several."""
    lines = pipelines_offered(obj)
    named = obj.fields.get("pipeline")
    if len(lines) < 2 or named is None or not named.writable:
        return control
    pairs = [(line, stage) for line in lines for stage in line.stages.values() if not stage.retired]
    options = tuple((f"{line.name}/{stage.name}", f"{line.label}: {stage.label}") for line, stage in pairs)
    stage = str(values.get("stage") or "")
    line = values.get("pipeline") or pipeline_for(obj, stage).name
    return replace(control, options=options, value=f"{line}/{stage}" if stage else "")


def in_pipeline(sent: dict[str, Any]) -> dict[str, Any]:
    """What a form sent, with ``pipeline/stage`` taken apart."""
    line, slash, stage = str(sent.get("stage") or "").partition("/")
    return sent | {"pipeline": line, "stage": stage} if slash else sent
