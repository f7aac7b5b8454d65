"""Notes, tasks and calls written on a record's page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import request
from werkzeug.wrappers import Response

from app.core import clock
from app.core.errors import InvalidInput
from app.http.guard import workspace
from app.records.pages.answers import agree, fragment
from app.records.pages.controls import paragraphs
from app.records.pages.timeline import timeline
from app.records.read import find_object, get_record
from app.records.write import create_record, update_record

if TYPE_CHECKING:
    from uuid import UUID

    from tenants.scope import TenantScope


@workspace("record.create")
def add(scope: TenantScope, object_name: str, record_id: UUID) -> Response:
    """Create the note, task or interaction, link it here and show the history again."""
    _, obj = find_object(scope, object_name)
    get_record(scope, object_name, record_id, fields=("id",))
    kind, payload = _payload(scope)
    agree(scope)
    made = create_record(scope, kind, payload)
    ends = {"from": {"object": kind, "id": made["id"]}, "to": {"object": object_name, "id": str(record_id)}}
    create_record(scope, "record_link", {**ends, "role": "about"})
    said = {"note": "Note saved", "task": "Task added", "interaction": "Logged"}[kind]
    return fragment("records/_timeline_again.html", object=obj, timeline=timeline(scope, obj, record_id), said=said)


@workspace("record.edit")
def tick(scope: TenantScope, object_name: str, record_id: UUID) -> Response:
    """Mark a task done, or not done after all."""
    if object_name != "task":
        raise InvalidInput("Only tasks can be done.")
    done = request.form.get("done") == "true"
    moment = clock.now().isoformat() if done else None
    agree(scope)
    update_record(scope, "task", record_id, {"done_at": moment})
    if "page" in request.form:  # the task's own page shows it in several places
        return Response("", 200, {"HX-Refresh": "true"})
    return fragment("records/_ticked.html", id=str(record_id), done=done)


@workspace("record.read")
def more(scope: TenantScope, object_name: str, record_id: UUID) -> Response:
    """The history by itself, to be read again after a change elsewhere."""
    _, obj = find_object(scope, object_name)
    get_record(scope, object_name, record_id, fields=("id",), trash=True)
    return fragment("records/_timeline_again.html", object=obj, timeline=timeline(scope, obj, record_id), said="")


def _payload(scope: TenantScope) -> tuple[str, dict[str, Any]]:
    form = request.form
    kind = form.get("kind", "note")
    text = form.get("text", "").strip()
    if not text:
        raise InvalidInput("Write something first.")
    if kind == "task":
        task: dict[str, Any] = {"title": text, "due_at": form.get("due_at") or None}
        if scope.member is not None:
            task |= {"assignee": str(scope.member.id), "owner": str(scope.member.id)}
        return "task", task
    if kind in {"call", "meeting", "email"}:
        subject = form.get("subject", "").strip() or {"call": "Call", "meeting": "Meeting", "email": "E-mail"}[kind]
        return "interaction", {
            "channel": kind, "subject": subject, "body": paragraphs(text), "starts_at": clock.now().isoformat(),
            "direction": form.get("direction") or None,
        }  # fmt: skip
    return "note", {"body": paragraphs(text)}
