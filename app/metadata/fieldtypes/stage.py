"""``stage``: where a record stands in its pipeline."""

from __future__ import annotations

from app.metadata.fieldtypes.select import SelectType


class StageType(SelectType):
    """A stage by name; whether the record's pipeline has it is the write path's question."""

    name = "stage"


TYPE = StageType()
