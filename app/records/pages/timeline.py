"""The history of one record: the log's events and the notes, tasks and interactions linked to it, newest first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, cast

from babel.dates import format_date
from markupsafe import Markup

from app.events.read import record_events
from app.metadata.fieldtypes import rich_text
from app.records.activities import Activity, linked_activities
from app.records.pages.values import Reader, Titles, gather_titles, reader_of, show
from app.ui import formats

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from app.metadata.model import ObjectType
    from tenants.scope import TenantScope

_EVENTS: Final = 40
_WEEK: Final = 7
#: So many changed fields are named in a line.
_NAMED: Final = 3
_QUIET: Final = frozenset({
    "version", "updated_at", "updated_by", "created_at", "created_by", "stage_since", "closed_at", "stage_status",
    "emails", "phones", "pipeline",
})  # fmt: skip
_CHANNELS: Final = {
    "call": "phone", "meeting": "calendar", "email": "mail", "letter": "mail", "chat": "message-square",
    "sms": "message-square", "web": "globe", "social": "share-2", "in_person": "users", "fax": "printer",
}  # fmt: skip
_LOGGED: Final = {"call": "logged a call", "meeting": "logged a meeting", "email": "logged an e-mail"}
_VERBS: Final = {
    "trashed": ("trash-2", "deleted this"), "restored": ("rotate-ccw", "brought this back from the trash"),
    "created": ("plus", "created this"), "merged": ("git-branch", "merged another record into this"),
}  # fmt: skip


_NOTHING: Final = Markup()


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the history. ``changes`` are (label, from, to); ``body`` is sanitised markup of a note."""

    at: datetime
    icon: str
    tone: str
    who: str
    what: str
    changes: tuple[tuple[str, str, str], ...] = ()
    body: Markup = _NOTHING
    href: str = ""
    title: str = ""
    task: str = ""
    done: bool = False
    due: str = ""
    overdue: bool = False


@dataclass(frozen=True, slots=True)
class Day:
    """Entries under one heading."""

    label: str
    entries: tuple[Entry, ...]


def timeline(scope: TenantScope, obj: ObjectType, record_id: UUID) -> list[Day]:
    """All of it, grouped by day."""
    reader = reader_of(scope)
    activities = linked_activities(scope, obj, record_id)
    entries = [_activity(activity, reader) for activity in activities]
    entries += _events(scope, obj, record_id, reader)
    entries.sort(key=lambda entry: entry.at, reverse=True)
    return _by_day(entries, reader)


def _events(scope: TenantScope, obj: ObjectType, record_id: UUID, reader: Reader) -> list[Entry]:
    answer = record_events(scope, obj.name, record_id, limit=_EVENTS, newest_first=True)
    data: Sequence[Mapping[str, Any]] = answer["data"]
    known = _titles(scope, obj, data)
    starters = _starters(scope, data)
    return [entry for event in data if (entry := _event(obj, event, reader, known, starters)) is not None]


def _starters(scope: TenantScope, data: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Who started the imports among the actors: import id → name."""
    actors: list[Mapping[str, Any]] = [event.get("actor") or {} for event in data]
    imports = {str(actor["id"]) for actor in actors if actor.get("kind") == "import"}
    if not imports:
        return {}
    rows = scope.execute(
        "SELECT i.id::text, m.name FROM import i JOIN member m ON m.id = i.created_by WHERE i.id = ANY(%s::uuid[])",
        (sorted(imports),),
    ).fetchall()
    return {row[0]: row[1] for row in rows if row[1]}


def _titles(scope: TenantScope, obj: ObjectType, data: Sequence[Mapping[str, Any]]) -> Titles:
    both: list[dict[str, Any]] = []
    for event in data:
        if event["kind"] == "updated" and event.get("diff"):
            pairs = {
                name: cast("list[Any]", change) for name, change in event["diff"].items() if isinstance(change, list)
            }
            both += [{name: pair[side] for name, pair in pairs.items()} for side in (0, 1)]
    return gather_titles(scope, obj, list(obj.fields), both)


def _event(
    obj: ObjectType, event: Mapping[str, Any], reader: Reader, known: Titles, starters: Mapping[str, str]
) -> Entry | None:
    at = formats.moment(event["at"], reader.timezone)
    actor: Mapping[str, Any] = event.get("actor") or {}
    this = obj.label.lower()
    if event["kind"] == "created" and actor.get("kind") == "import":
        starter = starters.get(str(actor.get("id")), "")
        by = f" by {starter}" if starter else ""
        return Entry(at, "upload", "slate", "", f"Imported from {actor.get('name') or 'a file'}{by}")
    who = _who(actor)
    if event["kind"] != "updated":
        icon, what = _VERBS.get(event["kind"], ("history", str(event["kind"])))
        return Entry(at, icon, "slate", who, what.replace("this", f"this {this}", 1))
    diff: Mapping[str, Any] = event.get("diff") or {}
    changes = _changes(obj, {name: change for name, change in diff.items() if name != "stage"}, reader, known)
    moves = _changes(obj, {name: change for name, change in diff.items() if name == "stage"}, reader, known)
    if moves:
        _, before, after = moves[0]
        what = f"moved the {this} from {before} to {after}" if before else f"put the {this} into {after}"
        return Entry(at, "arrow-right-left", "indigo", who, what, tuple(changes))
    if not changes:
        return None
    if len(changes) == 1:
        return Entry(at, "pencil", "slate", who, _one_change(*changes[0]))
    return Entry(at, "pencil", "slate", who, f"changed {_listed([label for label, _, _ in changes])}", tuple(changes))


def _who(actor: Mapping[str, Any]) -> str:
    name = str(actor.get("name") or "")
    if actor.get("kind") == "key":
        return f"{name} (API key)" if name else "A deleted API key"
    if actor.get("kind") == "import":
        return f"Import of {name or 'a file'}"
    return name or ("Former member" if actor.get("kind") == "member" else "Rapport")


def _listed(labels: Sequence[str]) -> str:
    """Up to three names in words, the rest as a number."""
    if len(labels) <= _NAMED:
        return f"{', '.join(labels[:-1])} and {labels[-1]}"
    return f"{', '.join(labels[: _NAMED - 1])} and {len(labels) - _NAMED + 1} more"


def _one_change(label: str, before: str, after: str) -> Markup:
    # values stand apart from the sentence, whichever way they are written
    if not before:
        return Markup("set {} to <bdi>{}</bdi>").format(label, after)
    if not after:
        return Markup("cleared {} (was <bdi>{}</bdi>)").format(label, before)
    return Markup("changed {} from <bdi>{}</bdi> to <bdi>{}</bdi>").format(label, before, after)


def _changes(obj: ObjectType, diff: Mapping[str, Any], reader: Reader, known: Titles) -> list[tuple[str, str, str]]:
    found: list[tuple[str, str, str]] = []
    for name, change in diff.items():
        field = obj.fields.get(name)
        if field is None or name in _QUIET or not isinstance(change, list):
            continue
        before, after = (show(field, side, reader, known, obj).text for side in cast("list[Any]", change))
        if before != after:
            found.append((field.label, _short(before), _short(after)))
    return found


def _short(text: str) -> str:
    return text if len(text) <= 120 else text[:119].rstrip() + "…"


def _activity(activity: Activity, reader: Reader) -> Entry:
    at = formats.moment(activity.at, reader.timezone)
    href = f"/records/{activity.object}/{activity.id}"
    body = Markup(rich_text.shown(activity.body))  # noqa: S704 - sanitised here and before it was stored
    if activity.object == "task":
        due = formats.moment(activity.due, reader.timezone) if activity.due else None
        return Entry(
            at, "square-check", "teal", activity.who, "added a task", body=body, href=href, title=activity.title,
            task=str(activity.id), done=activity.done, due=formats.day(due.date(), reader.locale) if due else "",
            overdue=bool(due and not activity.done and due < datetime.now(UTC)),
        )  # fmt: skip
    if activity.object == "note":
        return Entry(
            at, "sticky-note", "amber", activity.who, "wrote a note", body=body, href=href, title=activity.title
        )
    what = _LOGGED.get(activity.channel, f"logged: {activity.channel.replace('_', ' ')}")
    icon = _CHANNELS.get(activity.channel, "messages-square")
    return Entry(at, icon, "green", activity.who, what, body=body, href=href, title=activity.title)


def _by_day(entries: Sequence[Entry], reader: Reader) -> list[Day]:
    today = formats.moment(datetime.now(UTC), reader.timezone).date()
    days: dict[str, list[Entry]] = {}
    for entry in entries:
        days.setdefault(_heading(entry.at.date(), today, reader.locale), []).append(entry)
    return [Day(label, tuple(found)) for label, found in days.items()]


def _heading(day: date, today: date, locale: str) -> str:
    if day > today:
        return "Coming up"
    if day == today:
        return "Today"
    if day == today - timedelta(days=1):
        return "Yesterday"
    if day > today - timedelta(days=_WEEK):
        return "Last 7 days"
    return format_date(day, "MMMM y", locale=formats.locale_of(locale))
