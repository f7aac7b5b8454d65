"""Stage: a step of a pipeline, with what must hold to enter and to leave it."""

from __future__ import annotations

from typing import Final

from app.metadata.kinds import schema as form
from app.metadata.kinds.base import Nested

STATUSES: Final = ("open", "won", "lost", "done", "cancelled")


def _gate(description: str) -> form.Schema:
    return form.record(
        description,
        {
            "when": form.condition("What must hold."),
            "message": form.text("What people read when it does not.", form.HELP_LIMIT),
        },
        ["when", "message"],
    )


STAGE = form.record(
    "A stage.",
    {
        "label": form.label(),
        "help": form.guidance(),
        "status": form.choice("Whether records in it are open or how they ended.", STATUSES, locked=True),
        "probability": form.decimal(
            "How likely records in it are won: a fraction from 0 to 1.", r"^(0(\.[0-9]{1,4})?|1(\.0{1,4})?)$"
        ),
        "color": form.color(),
        "enter_if": _gate("A record enters it only when this holds."),
        "leave_if": _gate("A record leaves it only when this holds."),
    },
    ["status"],
)

KIND = Nested(
    name="stage",
    help="A stage of a pipeline. The object may be left out of the name where one only has such a pipeline.",
    root="object",
    collections=("pipelines", "stages"),
    schema=STAGE,
    short=True,
    example="""
kind: stage
name: deal.sales.won
status: won
label: Won
probability: 1
enter_if: {when: "has(amount) && amount > 0", message: Enter the amount first.}
""",
)
