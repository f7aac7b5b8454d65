"""Settings → Calendars: working hours by weekday, holidays, time zone; due dates and service levels count by them."""

from __future__ import annotations

import re
from datetime import date
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import available_timezones

from flask import Blueprint, request

from app.access.rights import METADATA_EDIT
from app.core.errors import NotFound
from app.http.guard import workspace
from app.metadata.kinds.calendar import WEEKDAYS
from app.shaping.pages import typed
from app.shaping.pages.objects import answer
from app.shaping.pages.previews import Asked, preview, refused
from app.shaping.pages.reading import Reading

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from app.shaping.pages.reading import Line
    from tenants.scope import TenantScope

blueprint = Blueprint("shaping_calendars", __name__)
_CALENDARS: Final = "/settings/calendars"
_CALENDAR: Final = f"{_CALENDARS}/<calendar>"
#: The workspace's own, which is meant where none is named.
DEFAULT: Final = "default"
#: How many spans of a day have boxes: before and after a break.
_SPANS: Final = 2
_CLOCK: Final = r"([01]?[0-9]|2[0-3]):[0-5][0-9]|24:00"
_USUAL: Final = {day: ["09:00-17:00"] for day in WEEKDAYS[:5]}


@blueprint.get(_CALENDARS)
@workspace(METADATA_EDIT, member=True)
def show_calendars(scope: TenantScope) -> Response:
    """All calendars; without one of the workspace's own the form for it stands first."""
    reading = Reading(scope)
    lines = [(one, _hours_of(one), len(one.spec.get("holidays", {}))) for one in reading.all_of("calendar")]
    missing = DEFAULT not in {one.name for one, _, _ in lines}
    return answer("calendars.html", reading, lines=lines, missing=missing, default=DEFAULT, weekdays=WEEKDAYS)


@blueprint.post(_CALENDARS)
@workspace(METADATA_EDIT, member=True, write=False)
def plan_new(scope: TenantScope) -> Response:
    """What making one would do: the default one first, Monday to Friday until its page says otherwise."""
    taken = {one.name for one in Reading(scope).all_of("calendar")}
    try:
        typed.needs(typed.text("label"), "Label: say what people call the calendar.")
        name = typed.named(typed.text("label"), taken) if DEFAULT in taken else DEFAULT
    except typed.Wrong as error:
        return refused(error.messages)
    component = {"kind": "calendar", "name": name, "label": typed.text("label"), "hours": _USUAL}
    title = f"Make the calendar {component['label']}?"
    return preview(scope, Asked(components=[component], next=f"{_CALENDARS}/{name}", title=title, base=typed.base()))


@blueprint.get(_CALENDAR)
@workspace(METADATA_EDIT, member=True)
def show_calendar(scope: TenantScope, calendar: str) -> Response:
    """One calendar: the week, the holidays."""
    reading = Reading(scope)
    one = reading.one_of("calendar", calendar)
    hours = one.spec.get("hours", {})
    week = [(day, [span.split("-") for span in hours.get(day, [])]) for day in WEEKDAYS]
    zones = [(zone, zone.replace("_", " ")) for zone in sorted(available_timezones()) if "/" in zone]
    return answer(
        "calendar.html", reading, one=one, default=DEFAULT, own_zone=scope.tenant.timezone, zones=zones,
        week=[(day, (spans + [["", ""]] * _SPANS)[: max(_SPANS, len(spans))]) for day, spans in week],
        holidays=sorted(one.spec.get("holidays", {}).items()),
    )  # fmt: skip


@blueprint.post(_CALENDAR)
@workspace(METADATA_EDIT, member=True, write=False)
def plan_calendar(scope: TenantScope, calendar: str) -> Response:
    """What changing it would do: ``act`` is hours, holidays or remove."""
    one, act = Reading(scope).one_of("calendar", calendar), request.form.get("act", "hours")
    following, title = f"{_CALENDARS}/{calendar}", "Apply this change?"
    acts = {"hours": _said, "holidays": _holidays}
    component: dict[str, Any] = {"kind": "calendar", "name": calendar}
    try:
        if act == "remove":
            component, following, title = component | {"remove": True}, _CALENDARS, f"Remove {one.label}?"
        elif act in acts:
            component |= acts[act](one)
        else:
            raise NotFound("There is nothing of that name to do.")
    except typed.Wrong as error:
        return refused(error.messages)
    return preview(scope, Asked(components=[component], next=following, title=title, base=typed.base()))


def _said(one: Line) -> dict[str, Any]:
    """Label, time zone and the week, as far as they are new. Raises Wrong."""
    typed.needs(typed.text("label"), "Label: say what people call the calendar.")
    now: dict[str, Any] = {"label": typed.text("label"), "timezone": typed.text("timezone") or None}
    found = {name: value for name, value in now.items() if typed.differs(one.spec.get(name), value)}
    known, hours = one.spec.get("hours", {}), dict[str, Any]()
    for day in WEEKDAYS:
        spans = _spans(day)
        if typed.differs(known.get(day), spans or None):
            hours[day] = spans or None
    return found | ({"hours": hours} if hours else {})


def _spans(day: str) -> list[str]:
    """A day's spans, in order. Raises Wrong."""
    named, found = day.capitalize(), list[str]()
    starts, ends = request.form.getlist(f"{day}.from"), request.form.getlist(f"{day}.to")
    for start, end in zip(starts, ends, strict=False):
        if not start.strip() and not end.strip():
            continue
        both = [start.strip(), "24:00" if end.strip() in ("00:00", "0:00") else end.strip()]
        if not all(re.fullmatch(_CLOCK, one) for one in both):
            raise typed.Wrong(f"{named}: say from when to when, like 09:00 and 17:30.")
        found.append("-".join(one.zfill(5) for one in both))
    times = [time for span in found for time in span.split("-")]
    if any(one >= other for one, other in pairwise(times)):
        raise typed.Wrong(f"{named}: the times must follow each other.")
    return found


def _holidays(one: Line) -> dict[str, Any]:
    """The holidays as the form lists them; those that are not there any more are taken away. Raises Wrong."""
    known: dict[str, str] = one.spec.get("holidays", {})
    now: dict[str, str] = {}
    for day, label in zip(request.form.getlist("holiday.day"), request.form.getlist("holiday.label"), strict=False):
        if not day.strip() and not label.strip():
            continue
        try:
            when = date.fromisoformat(day.strip()).isoformat()
        except ValueError as error:
            raise typed.Wrong(f"{label.strip() or 'Holiday'}: choose its day.") from error
        now[when] = label.strip()[:100] or "Holiday"
    gone: dict[str, str | None] = {day: None for day in known if day not in now}
    return {"holidays": gone | {day: label for day, label in now.items() if known.get(day) != label}}


def _hours_of(one: Line) -> float:
    """How many hours a week has."""
    spans = [span.split("-") for day in one.spec.get("hours", {}).values() for span in day]
    minutes = [[int(time[:2]) * 60 + int(time[3:]) for time in span] for span in spans]
    return sum(end - start for start, end in minutes) / 60
