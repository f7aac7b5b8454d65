"""Pipeline: the ordered stages records of an object move through."""

from __future__ import annotations

from app.metadata.kinds import schema as form
from app.metadata.kinds.base import Nested
from app.metadata.kinds.stage import STAGE

PIPELINE = form.record(
    "A pipeline.",
    {"label": form.label(), "help": form.guidance(), "stages": form.collection("Its stages, in order.", STAGE)},
    ["stages"],
)
PIPELINES = form.collection("The pipelines its records move through.", PIPELINE)

KIND = Nested(
    name="pipeline",
    help="A pipeline of an object.",
    root="object",
    collections=("pipelines",),
    schema=PIPELINE,
    short=True,
    example="""
kind: pipeline
name: deal.renewals
label: Renewals
stages:
  due: {label: Due, status: open, probability: 0.5}
  renewed: {label: Renewed, status: won, probability: 1}
  gone: {label: Gone, status: lost, probability: 0}
""",
)
