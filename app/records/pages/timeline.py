"""The history of one record: the log's events and the notes, tasks and interactions linked to it, newest first."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, cast

from babel.dates import format_date
from markupsafe import Markup, escape

from app.access import catalogs
from app.access.rights import RECORD_IMPORT, allows
from app.events import words
from app.events.read import latest_events, record_history
from app.metadata.fieldtypes import rich_text
from app.records.activities import Activity, linked_activities
from app.records.pages.values import Reader, Shown, Titles, gather_titles, reader_of, show
from app.records.titles import titles
from app.ui import formats

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from uuid import UUID

    from app.metadata.model import Catalog, Field, ObjectType
    from tenants.scope import TenantScope

_EVENTS: Final = 40
#: Changes of one field on a page of its history.
_CHANGES: Final = 25
_WEEK: Final = 7
#: Objects whose events are told with the records they link.
_NO_NEWS: Final = frozenset({"record_link"})
_CHANNELS: Final = {
    "call": "phone", "meeting": "calendar", "email": "mail", "letter": "mail", "chat": "message-square",
    "sms": "message-square", "web": "globe", "social": "share-2", "in_person": "users", "fax": "printer",
}  # fmt: skip
_LOGGED: Final = {"call": "logged a call", "meeting": "logged a meeting", "email": "logged an e-mail"}
_LOOKS: Final[dict[words.Act, tuple[str, str]]] = {
    "created": ("plus", "slate"), "imported": ("upload", "slate"), "moved": ("arrow-right-left", "indigo"),
    "changed": ("pencil", "slate"), "converted": ("arrow-right-left", "indigo"), "trashed": ("trash-2", "slate"),
    "restored": ("rotate-ccw", "slate"), "destroyed": ("trash-2", "slate"), "merged": ("git-branch", "slate"),
    "erased": ("trash-2", "slate"), "other": ("history", "slate"),
}  # fmt: skip
#: Causes as the history of a field names them.
_HOW: Final = {
    "import_undo": "taking an import back", "bulk": "among many at once", "batch": "with other changes in one step",
    "conversion": "by converting a lead",
    "handover": "handing over records", "trash": "the record it named was deleted",
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
    may_tick: bool = True


@dataclass(frozen=True, slots=True)
class Step:
    """One change of one field."""

    at: datetime
    who: str
    how: str
    before: Shown
    after: Shown


@dataclass(frozen=True, slots=True)
class History:
    """Changes of one field, newest first; ``after`` begins the next page, "" at the end."""

    steps: tuple[Step, ...]
    after: str


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


def lately(scope: TenantScope, limit: int = 8) -> list[Entry]:
    """What happened last in the workspace, each with the record it happened to; nothing of what was destroyed since."""
    catalog = catalogs.for_scope(scope)
    events = latest_events(scope, [name for name in catalog.objects if name not in _NO_NEWS], 3 * limit)
    wanted = words.links_of(events, catalog)
    for event in events:
        wanted.setdefault(event["object"], set()).add(str(event["record_id"]))
    known, reader = titles(scope, wanted), reader_of(scope)
    linked = allows(scope, RECORD_IMPORT)
    newest = {event["record_id"]: event["kind"] for event in reversed(events)}
    found: list[Entry] = []
    for event in events:
        obj = catalog.objects[event["object"]]
        title = known.get((obj.name, str(event["record_id"])))
        entry = _event(catalog, obj, event, reader, known, linked=linked, this="the")
        of_many = event["record_version"] is None and not obj.reach
        if entry is not None and (title is not None or of_many):
            found.append(_named(event, entry, title, trashed=newest[event["record_id"]] == "trashed"))
    return found[:limit]


def _named(event: Mapping[str, Any], entry: Entry, title: str | None, *, trashed: bool) -> Entry:
    """With the record's title, and where it is unless that is the trash."""
    if title is None:
        return entry
    if trashed:
        return replace(entry, what=Markup("{} <bdi>{}</bdi>").format(entry.what, title))
    return replace(entry, title=title or "Untitled", href=f"/records/{event['object']}/{event['record_id']}")


def field_history(scope: TenantScope, obj: ObjectType, field: Field, record_id: UUID, after: str = "") -> History:
    """Who changed one field from what to what and when, newest first."""
    reader = reader_of(scope)
    events, following = record_history(
        scope, obj.name, record_id, after=after, limit=_CHANGES, newest_first=True, field=field.name
    )
    known = _titles(scope, obj, events)
    return History(tuple(_step(obj, field, event, reader, known) for event in events), following or "")


def _step(obj: ObjectType, field: Field, event: Mapping[str, Any], reader: Reader, known: Titles) -> Step:
    before, after = (show(field, side, reader, known, obj) for side in event["diff"][field.name])
    cause: Mapping[str, Any] = event["cause"] or {}
    by_import = cause.get("kind") == "import"
    who = words.who((cause.get("by") if by_import else None) or event["actor"])
    how = f"import of {event['file'] or 'a file'}" if by_import else _HOW.get(str(cause.get("kind")), "")
    return Step(formats.moment(event["at"], reader.timezone), who, how, before, after)


def _events(scope: TenantScope, obj: ObjectType, record_id: UUID, reader: Reader) -> list[Entry]:
    events, _ = record_history(scope, obj.name, record_id, limit=_EVENTS, newest_first=True)
    known = _titles(scope, obj, events)
    catalog = catalogs.for_scope(scope)
    linked = allows(scope, RECORD_IMPORT, obj.name)
    return [entry for event in events if (entry := _event(catalog, obj, event, reader, known, linked=linked))]


def _titles(scope: TenantScope, obj: ObjectType, events: Sequence[Mapping[str, Any]]) -> Titles:
    """Titles of all that the events' changes link to, by one statement."""
    both: list[dict[str, Any]] = []
    for event in events:
        if event["kind"] == "updated" and event.get("diff"):
            pairs = {
                name: cast("list[Any]", change) for name, change in event["diff"].items() if isinstance(change, list)
            }
            both += [{name: pair[side] for name, pair in pairs.items()} for side in (0, 1)]
    return gather_titles(scope, obj, list(obj.fields), both)


def _event(
    catalog: Catalog,
    obj: ObjectType,
    event: Mapping[str, Any],
    reader: Reader,
    known: Titles,
    *,
    linked: bool,
    this: str = "this",
) -> Entry | None:
    told = words.tell(event, catalog, lambda field, value: show(field, value, reader, known, obj).text, this=this)
    if told is None:
        return None
    icon, tone = _LOOKS[told.act]
    at = formats.moment(event["at"], reader.timezone)
    return Entry(at, icon, tone, told.who, _markup(told.parts, linked=linked), told.changes)


def _markup(parts: Iterable[words.Part], *, linked: bool) -> Markup:
    """The sentence; values stand apart from it, whichever way they are written. ``linked``: imports may be opened."""
    said: list[Markup] = []
    for part in parts:
        text = Markup("<bdi>{}</bdi>").format(part.text) if part.value else escape(part.text)
        if part.link is not None and (linked or part.link[0] != "import"):
            kind, target = part.link
            href = f"/imports/{target}" if kind == "import" else f"/records/{kind}/{target}"
            text = Markup('<a class="underline underline-offset-2" href="{}">{}</a>').format(href, text)
        said.append(text)
    return Markup().join(said)


def _activity(activity: Activity, reader: Reader) -> Entry:
    at = formats.moment(activity.at, reader.timezone)
    href = f"/records/{activity.object}/{activity.id}"
    body = Markup(rich_text.shown(activity.body))  # noqa: S704 - sanitised here and before it was stored
    if activity.object == "task":
        due = formats.moment(activity.due, reader.timezone) if activity.due else None
        return Entry(
            at, "square-check", "teal", activity.who, "added a task", body=body, href=href, title=activity.title,
            task=str(activity.id), done=activity.done, due=formats.day(due.date(), reader.locale) if due else "",
            overdue=bool(due and not activity.done and due < datetime.now(UTC)), may_tick=activity.may_edit,
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
