"""The start page, the checklist and the sample data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from flask import Blueprint, render_template
from werkzeug.wrappers import Response

from app.access import catalogs
from app.access.rights import METADATA_EDIT, allows
from app.home import checklist
from app.http.guard import workspace
from app.http.respond import see_other
from app.metadata import catalog
from app.records.aggregate import aggregate
from app.records.pages.timeline import lately
from app.records.pages.values import gather_titles, reader_of, show
from app.records.paths import TITLE
from app.records.query import AggregateQuery, ListQuery
from app.records.read import list_records
from app.samples import service as samples
from app.ui import formats

if TYPE_CHECKING:
    from app.metadata.model import ObjectType
    from tenants.scope import TenantScope

blueprint = Blueprint("home", __name__)

_FEW: Final = 6


@dataclass(frozen=True, slots=True)
class Line:
    """A task or a deal on the start page."""

    id: str
    title: str
    href: str
    text: str
    date: str = ""
    late: bool = False
    amount: str = ""
    stage: Any = None


@blueprint.get("/")
@workspace("record.read")
def home(scope: TenantScope) -> Response:
    """What is next for me."""
    reader = reader_of(scope)
    steps = [step for step in checklist.steps(scope) if allows(scope, step.right)]
    hour = formats.moment(datetime.now(UTC), reader.timezone).hour
    values = {
        "greeting": "Good morning" if hour < 12 else "Good afternoon" if hour < 18 else "Good evening",
        "name": scope.actor.name.split()[0] if scope.actor.name else "",
        "steps": steps,
        "show_steps": bool(steps) and not checklist.is_dismissed(scope),
        "has_samples": samples.has_samples(scope),
        "tasks": _tasks(scope),
        "deals": _deals(scope),
        "deal_object": _readable(scope, "deal"),
        "figures": _figures(scope),
        "lately": lately(scope),
        "conflicts": catalog.whole(scope).conflicts if allows(scope, METADATA_EDIT) else 0,
    }
    return Response(render_template("home/home.html", **values), content_type="text/html; charset=utf-8")


@blueprint.post("/onboarding/dismiss")
@workspace("record.create")
def dismiss(scope: TenantScope) -> Response:
    """Put the checklist away."""
    checklist.dismiss(scope, dismissed=True)
    return see_other("/")


@blueprint.post("/onboarding/show")
@workspace("record.create")
def bring_back(scope: TenantScope) -> Response:
    """Show the checklist again."""
    checklist.dismiss(scope, dismissed=False)
    return see_other("/")


@blueprint.post("/samples/load")
@workspace("record.bulk")
def load_samples(scope: TenantScope) -> Response:
    """Fill the workspace with a small made-up company."""
    samples.load_samples(scope)
    return see_other("/")


@blueprint.post("/samples/remove")
@workspace("record.bulk")
def remove_samples(scope: TenantScope) -> Response:
    """Take every sample record away again."""
    samples.remove_samples(scope)
    return see_other("/")


def _readable(scope: TenantScope, object_name: str, *names: str) -> ObjectType | None:
    """The object, unless it or one of the fields may not be read."""
    obj = catalogs.for_scope(scope).objects.get(object_name)
    return obj if obj is not None and obj.fields.keys() >= set(names) else None


def _tasks(scope: TenantScope) -> list[Line]:
    if _readable(scope, "task", "assignee", "owner", "done_at", "due_at") is None:
        return []
    mine = "(assignee == me || (!has(assignee) && owner == me)) && !has(done_at)"
    query = ListQuery(filter=mine, sort="due_at", fields=(TITLE, "due_at"), limit=_FEW)
    reader = reader_of(scope)
    now = datetime.now(UTC)

    def line(row: dict[str, Any]) -> Line:
        due = formats.moment(row["due_at"], reader.timezone) if row.get("due_at") else None
        return Line(
            str(row["id"]), str(row[TITLE] or "Untitled"), f"/records/task/{row['id']}", "",
            formats.day(due.date(), reader.locale) if due else "", bool(due and due < now),
        )  # fmt: skip

    return [line(row) for row in list_records(scope, "task", query).rows]


def _deals(scope: TenantScope) -> list[Line]:
    deal = _readable(scope, "deal", "owner", "stage_status")
    if deal is None:
        return []
    names = [name for name in ("company", "amount", "close_on", "stage") if name in deal.fields]
    mine = 'owner == me && stage_status == "open"'
    sort = "close_on" if "close_on" in names else deal.default_sort
    query = ListQuery(filter=mine, sort=sort, fields=(TITLE, *names), limit=_FEW)
    rows = list_records(scope, "deal", query).rows
    known = gather_titles(scope, deal, names, rows)
    reader = reader_of(scope)
    found: list[Line] = []
    for row in rows:
        shown = {name: show(deal.fields[name], row.get(name), reader, known, deal) for name in names}
        text = {name: value.text for name, value in shown.items()}
        found.append(
            Line(
                str(row["id"]),
                str(row[TITLE] or "Untitled"),
                f"/records/deal/{row['id']}",
                text.get("company", ""),
                text.get("close_on", ""),
                amount=text.get("amount", ""),
                stage=shown.get("stage"),
            )
        )
    return found


def _figures(scope: TenantScope) -> list[dict[str, Any]]:
    """Open and won deals of the workspace, each with the list behind it."""
    deal = _readable(scope, "deal", "stage_status")
    if deal is None:
        return []
    metrics = ("count", "sum:amount") if "amount" in deal.fields else ("count",)
    query = AggregateQuery(group_by=("stage_status",), metrics=metrics)
    data: Any = aggregate(scope, "deal", query)["data"]
    by_status = {row["group"]["stage_status"]: row for row in data}
    labels = {"open": f"Open {deal.plural.lower()}", "won": "Won", "lost": "Lost"}
    return [
        {
            "label": label,
            "count": by_status[status]["count"],
            "what": (deal.label if by_status[status]["count"] == 1 else deal.plural).lower(),
            "sum": by_status[status].get("sum_amount"),
            "href": f'/records/deal?filter=stage_status == "{status}"',
        }
        for status, label in labels.items()
        if status in by_status
    ]
