"""``pipeline``: which of an object's pipelines a record goes through."""

from __future__ import annotations

from app.metadata.fieldtypes.select import SelectType


class PipelineType(SelectType):
    """A pipeline by name."""

    name = "pipeline"


TYPE = PipelineType()
