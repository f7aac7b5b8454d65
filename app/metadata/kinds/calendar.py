"""Calendar: working hours and holidays; due dates and service levels count by it."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, Final
from zoneinfo import available_timezones

from app.metadata.kinds import schema as form
from app.metadata.kinds.base import Complaint, Kind
from app.metadata.kinds.currency import DAY, days_there_are
from app.metadata.problems import near

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from app.metadata.leaves import Plain
    from app.metadata.vocabulary import Vocabulary

WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_CLOCK: Final = r"([01][0-9]|2[0-3]):[0-5][0-9]"
_SPAN: Final = rf"^{_CLOCK}-({_CLOCK}|24:00)$"


def _check(name: str, leaves: Mapping[str, Plain], names: Vocabulary) -> Iterator[Complaint]:  # noqa: ARG001
    zone = leaves.get("timezone")
    if isinstance(zone, str) and zone not in available_timezones():
        yield Complaint("timezone", "timezone.unknown", f"is {zone!r}, which is no time zone{near(zone, _zones())}")
    for day in WEEKDAYS:
        spans = leaves.get(f"hours/{day}")
        if isinstance(spans, list) and not _in_order(spans):
            yield Complaint(f"hours/{day}", "hours.order", "must be spans that follow each other, like 09:00-12:00")
    for path in leaves:
        if path.startswith("holidays/"):
            yield from days_there_are(path)


def _zones() -> list[str]:
    return sorted(available_timezones())


def _in_order(spans: list[str]) -> bool:
    ends = [end for span in spans if re.fullmatch(_SPAN, span) for end in span.split("-")]
    return all(one < other for one, other in itertools.pairwise(ends))


KIND = Kind(
    name="calendar",
    help="Working hours and holidays. `default` is the workspace's own.",
    schema=form.record(
        "A calendar.",
        {
            "label": form.label(),
            "help": form.guidance(),
            "timezone": form.text("The IANA time zone its hours are in; the workspace's if left out.", 60),
            "hours": form.record(
                "By weekday: spans of working time. A day left out is free.",
                {
                    day: form.several(f"Spans on a {day.capitalize()}.", {"type": "string", "pattern": _SPAN}, least=1)
                    for day in WEEKDAYS
                },
            ),
            "holidays": form.mapping("By day: the holiday's name.", form.label("The holiday."), keys=DAY),
        }
        | form.standing(),
        ["label"],
    ),
    check=_check,
    example="""
kind: calendar
name: default
label: Office
timezone: Europe/Berlin
hours:
  monday: ["09:00-12:00", "13:00-17:30"]
  friday: "09:00-13:00"
holidays:
  2026-12-25: Christmas Day
""",
)
