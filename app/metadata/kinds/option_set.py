"""Option set: options that several fields share."""

from __future__ import annotations

from app.metadata.kinds import schema as form
from app.metadata.kinds.base import Kind

OPTION = form.record(
    "A choice. Written as a text it is the label.",
    {"label": form.label(), "color": form.color()},
)
OPTIONS = form.collection("The choices.", OPTION, shorthand="label")

KIND = Kind(
    name="option_set",
    help="Options that several fields share: change them once.",
    schema=form.record(
        "Options that several fields share.",
        {"label": form.label(), "help": form.guidance(), "options": OPTIONS} | form.standing(),
        ["label"],
    ),
    example="""
kind: option_set
name: regions
label: Regions
options:
  north: North
  south: {label: South, color: amber}
""",
)
