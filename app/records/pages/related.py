"""What stands beside a record: its people, its company, open tasks, and whatever else links to it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode
from uuid import UUID

from app.access import catalogs
from app.access.rights import allows
from app.records.activities import open_tasks, subjects
from app.records.errors import RecordNotFound
from app.records.pages.columns import cell, path_columns, titles_for
from app.records.pages.values import Record, Shown, gather_titles, reader_of, show
from app.records.paths import TITLE
from app.records.query import ListQuery
from app.records.read import get_record, list_records
from app.records.titles import titles
from app.ui import formats

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from app.metadata.arrangement import RelatedList
    from app.metadata.model import Field, ObjectType
    from tenants.scope import TenantScope

_FEW: Final = 5
#: Rows of a list with columns.
_ROWS: Final = 10
#: Links of a pair, of which the other end is the interesting one: shown as the records at the far side.
_ENDS: Final = 2
_NOT_TELLING: Final = frozenset({"address", "boolean"})
#: How links of a lead to what it became are called, and what lists it there.
_BECAME: Final = "converted_"
_FROM: Final = "Made from"
_SKIPPED: Final = frozenset({"record_link"})
_PEOPLE: Final = frozenset({"contact", "lead", "member"})

#: Per object the sections that always stand there: ``object.field`` of what links here, ``>field`` of what is linked
#: to, ``tasks``, ``about`` for what a note, task or interaction belongs to.
_STANDARD: Final[dict[str, tuple[str, ...]]] = {
    "deal": ("deal_contact.deal", ">company", "tasks", "deal_line.deal"),
    "company": ("contact.company", "deal.company", "tasks"),
    "contact": (">company", "deal.contact", "tasks"),
    "lead": ("tasks",),
    "product": ("deal.product", "deal_line.product"),
    "note": ("about",),
    "task": ("about",),
    "interaction": ("about",),
}
#: What people call a section.
_LABELS: Final = {
    "deal_contact.deal": "People", "deal_contact.contact": "Takes part in", "deal_line.deal": "Line items",
    "contact.company": "People", "affiliation.company": "Also work here", "affiliation.contact": "Also works for",
    "deal_line.product": "Sold in", "company.parent": "Subsidiaries", "contact.reports_to": "Reports",
    "company_relation.company": "Related companies", "company_relation.related": "Related to",
}  # fmt: skip
_HINTS: Final = {
    "deal_contact.deal": "Who decides, who signs? Add the people of this {here}.",
    "deal_line.deal": "What is sold, how many, at which price.",
    "contact.company": "Nobody known here yet.",
    "deal.company": "No {one} is open with this {here}.",
    "deal.contact": "No {one} is open with this person.",
    "deal.product": "No open {one} is about this {here}.",
    "tasks": "Nothing left to do here.",
}
#: Sections that list open ones only, and what "open" means there.
_OPEN_ONLY: Final = frozenset({"deal.company", "deal.contact", "deal.product"})
_OPEN: Final = ' && stage_status == "open"'


@dataclass(frozen=True, slots=True)
class Item:
    """A related record: title, a second line, where it is; ``late`` marks a line that is overdue."""

    title: str
    text: str
    href: str
    square: bool
    late: bool = False


@dataclass(frozen=True, slots=True)
class Related:
    """A section: ``more`` leads to all of them, ``add`` to a form, ``compose`` to the composer's tab of that kind.

    ``part``: what is added belongs to the record and needs leave to change it.
    """

    label: str
    items: tuple[Item, ...]
    total: int
    hint: str = ""
    more: str = ""
    add: str = ""
    compose: str = ""
    part: bool = False
    icon: str = field(default="")
    #: As a table: its heads, and of each item its values.
    heads: tuple[tuple[str, bool], ...] = ()
    cells: tuple[tuple[Shown, ...], ...] = ()


def related_lists(scope: TenantScope, obj: ObjectType, record: Record, without: Collection[str] = ()) -> list[Related]:
    """The standard sections of the object, then every other link that has records or was made by the workspace.

    ``without`` those that stand elsewhere: names of links as a layout has them, ``tasks``.
    """
    standard = [name for name in _STANDARD.get(obj.name, ("tasks",) if obj.timeline else ()) if name not in without]
    links = {name: link for name, link in _links_here(scope, obj).items() if link[1].inverse not in without}
    found: list[Related] = []
    for name in standard:
        if name == "tasks":
            found.append(_tasks(scope, obj, record))
        elif name == "about":
            found.append(_about(scope, obj, record))
        elif name.startswith(">"):
            found += _linked(scope, obj.fields.get(name[1:]), record)
        elif name in links:
            found.append(_related(scope, name, links[name], record))
    shown = {item.href for section in found for item in section.items}
    for name, link in links.items():
        if name not in standard:
            section = _without(_related(scope, name, link, record), shown)
            found += [section] if section.total or _own(link[1]) else []
    return found


def _own(link: Field) -> bool:
    """Whether the workspace made the link: columns of the standard fields are called as these (docs/adr/0002)."""
    return link.columns[0].name != link.name


def layout_lists(scope: TenantScope, obj: ObjectType, record: Record, lists: Sequence[RelatedList]) -> list[Related]:
    """The lists a layout chooses, with its columns; what may not be read is left out."""
    by_inverse = {link.inverse: (name, (other, link)) for name, (other, link) in _links_here(scope, obj).items()}
    found: list[Related] = []
    for one in lists:
        if one.name in by_inverse:
            name, link = by_inverse[one.name]
            section = (
                _table(scope, name, link, record, one.columns) if one.columns else _related(scope, name, link, record)
            )
            found.append(replace(section, label=one.label or section.label))
    return found


def left_out(scope: TenantScope, obj: ObjectType, record: Record, placed: Collection[str]) -> list[Related]:
    """What a layout shows nowhere, and leads that became the record: nothing that links to it is out of reach."""
    found = related_lists(scope, obj, record, {*placed, "tasks"})
    for name, link in _links_here(scope, obj, _BECAME).items():
        section = _related(scope, name, link, record) if link[1].inverse not in placed else None
        found += [replace(section, label=_FROM, add="")] if section is not None and section.total else []
    return found


def tasks_of(scope: TenantScope, obj: ObjectType, record: Record) -> list[Related]:
    """What is left to do, which stands beside a record whatever its layout."""
    return [_tasks(scope, obj, record)] if obj.timeline and "task" in catalogs.for_scope(scope).objects else []


def _table(
    scope: TenantScope, name: str, link: tuple[ObjectType, Field], record: Record, paths: Sequence[str]
) -> Related:
    other, by = link
    columns = path_columns(catalogs.for_scope(scope), other, [path for path in paths if path not in other.title])
    condition = f'{by.name} == "{record["id"]}"'
    wanted = (TITLE, *(column.path for column in columns))
    page = list_records(
        scope, other.name, ListQuery(filter=condition, sort="-id", fields=wanted, limit=_ROWS, total="exact")
    )
    known, reader = titles_for(scope, columns, page.rows), reader_of(scope)
    items = tuple(
        Item(str(row.get(TITLE) or "Untitled"), "", f"/records/{other.name}/{row['id']}", other.name not in _PEOPLE)
        for row in page.rows
    )
    cells = tuple(tuple(cell(one, row.get(one.path), reader, known, other) for one in columns) for row in page.rows)
    total = page.total or len(page.rows)
    more = f"/records/{other.name}?{urlencode({'filter': condition})}" if total > _ROWS else ""
    return Related(
        _label(name, other, by), items, total, _hint(scope, name, other, by), more, _add(scope, other, by, record),
        part=any(by.name in way.follows[:1] for way in other.reach),
        heads=tuple((one.label, one.numeric) for one in columns), cells=cells,
    )  # fmt: skip


def _add(scope: TenantScope, other: ObjectType, by: Field, record: Record) -> str:
    """The form of one more record that links here."""
    allowed = allows(scope, "record.create", other.name)
    return f"/records/{other.name}/new?{by.name}={record['id']}&stay=1" if allowed else ""


def _without(section: Related, shown: set[str]) -> Related:
    """The section without what stands in another one already; whole where it leads to more than that."""
    items = tuple(item for item in section.items if item.href not in shown)
    if not items and section.total > len(section.items):
        return section
    return replace(section, items=items, total=section.total - len(section.items) + len(items))


def _links_here(scope: TenantScope, obj: ObjectType, kind: str = "") -> dict[str, tuple[ObjectType, Field]]:
    """The links to the object, by ``object.field``: those of ``kind``, else all others."""
    found: dict[str, tuple[ObjectType, Field]] = {}
    for other in catalogs.for_scope(scope).objects.values():
        if other.name in _SKIPPED:
            continue
        for link in other.fields.values():
            if link.type.name == "link" and link.to == (obj.name,) and link.name.startswith(_BECAME) == bool(kind):
                found[f"{other.name}.{link.name}"] = (other, link)
    return found


def _related(scope: TenantScope, name: str, link: tuple[ObjectType, Field], record: Record) -> Related:
    other, by = link
    condition = f'{by.name} == "{record["id"]}"'
    only_open = name in _OPEN_ONLY and "stage_status" in other.fields
    contact = catalogs.for_scope(scope).objects.get("contact") if name == "affiliation.company" else None
    if contact is not None and "company" in contact.fields:  # who belongs here anyway stands among the people
        condition += f' && contact.company != "{record["id"]}"'
    second, far = _second_line(other, by), _far_end(other, by)
    names = [f.name for f in (*second, *((far,) if far else ()))]
    query = ListQuery(
        filter=condition + (_OPEN if only_open else ""), sort="-id", fields=(TITLE, *names), limit=_FEW, total="exact"
    )
    page = list_records(scope, other.name, query)
    known = gather_titles(scope, other, names, page.rows)
    reader = reader_of(scope)

    def item(row: Record) -> Item:
        texts = [show(f, row.get(f.name), reader, known, other).text for f in second]
        title, href = str(row.get(TITLE) or "Untitled"), f"/records/{other.name}/{row['id']}"
        if far is not None and row.get(far.name):
            title, href = known.get((far.to[0], str(row[far.name])), title), f"/records/{far.to[0]}/{row[far.name]}"
        shown_as = far.to[0] if far is not None else other.name
        return Item(title, " · ".join(text for text in texts if text), href, shown_as not in _PEOPLE)

    total = page.total or len(page.rows)
    section = Related(
        _label(name, other, by), tuple(item(row) for row in page.rows), total, _hint(scope, name, other, by),
        f"/records/{other.name}?filter={condition}" if total > _FEW or only_open else "",
        _add(scope, other, by, record),
        part=any(by.name in way.follows[:1] for way in other.reach),
    )  # fmt: skip
    return _with_main_contact(scope, section, record) if name == "deal_contact.deal" else section


def _label(name: str, other: ObjectType, by: Field) -> str:
    if name in _LABELS:
        return _LABELS[name]
    if name in _OPEN_ONLY:
        return f"Open {other.plural.lower()}"
    if by.name == by.to[0] or _far_end(other, by) is not None:
        return other.plural
    return by.inverse.replace("_", " ").capitalize() or f"{other.plural} ({by.label.lower()})"


def _hint(scope: TenantScope, name: str, other: ObjectType, by: Field) -> str:
    """What an empty section says, in the workspace's own words for its objects."""
    here = catalogs.for_scope(scope).objects.get(by.to[0])
    words = {"one": other.label.lower(), "here": here.label.lower() if here is not None else "record"}
    return _HINTS.get(name, "None yet.").format(**words)


def _with_main_contact(scope: TenantScope, section: Related, record: Record) -> Related:
    """The person the deal itself names stands among its people."""
    href = f"/records/contact/{record.get('contact')}"
    if not record.get("contact") or any(item.href == href for item in section.items):
        return section
    title = _title(scope, "contact", str(record["contact"]))
    if not title:
        return section
    first = Item(title, "Main contact", href, square=False)
    return replace(section, items=(first, *section.items), total=section.total + 1)


def _linked(scope: TenantScope, link: Field | None, record: Record) -> list[Related]:
    """The record a link of this one points to, as a card."""
    if link is None or not link.to:
        return []
    target = catalogs.for_scope(scope).object(link.to[0])
    name, value = f">{link.name}", str(record.get(link.name) or "")
    empty = Related(link.label, (), 0, _HINTS.get(name, f"No {link.label.lower()} chosen."))
    if not value:
        return [empty]
    second = [target.fields[n] for n in target.highlights if n in target.fields and n not in target.title]
    second = [f for f in second if f.type.name not in _NOT_TELLING and f.name != "owner"]
    try:
        row = get_record(scope, target.name, value, fields=(TITLE, *(f.name for f in second)))
    except RecordNotFound:
        return [empty]
    reader = reader_of(scope)
    known = gather_titles(scope, target, [f.name for f in second], [row])
    texts = [show(f, row.get(f.name), reader, known, target).text for f in second]
    text = " · ".join([text for text in texts if text][:2])
    item = Item(str(row[TITLE] or "Untitled"), text, f"/records/{target.name}/{value}", target.name not in _PEOPLE)
    return [Related(link.label, (item,), 1)]


def _tasks(scope: TenantScope, obj: ObjectType, record: Record) -> Related:
    found, total = open_tasks(scope, obj, UUID(str(record["id"])), _FEW)
    reader = reader_of(scope)
    items: list[Item] = []
    for task in found:
        due = formats.moment(task.due, reader.timezone) if task.due else None
        text = f"Due {formats.day(due.date(), reader.locale)}" if due else "No due date"
        href = f"/records/task/{task.id}"
        items.append(Item(task.title or "Untitled", text, href, square=True, late=task.late))
    return Related("Open tasks", tuple(items), total, _HINTS["tasks"], compose="task", icon="square-check")


def _about(scope: TenantScope, obj: ObjectType, record: Record) -> Related:
    objects = catalogs.for_scope(scope).objects
    found = subjects(scope, obj, UUID(str(record["id"])))
    wanted: dict[str, list[str]] = {}
    for name, record_id in found:
        wanted.setdefault(name, []).append(record_id)
    named = titles(scope, wanted) if wanted else {}
    items = [
        Item(named[name, key], objects[name].label, f"/records/{name}/{key}", name not in _PEOPLE)
        for name, key in found
        if (name, key) in named and name in objects
    ]
    return Related("About", tuple(items), len(items), "Belongs to no record. Write it on a record's page.")


def _title(scope: TenantScope, object_name: str, record_id: str) -> str:
    try:
        return str(get_record(scope, object_name, record_id, fields=(TITLE,)).get(TITLE) or "Untitled")
    except RecordNotFound:
        return ""


def _second_line(other: ObjectType, link: Field) -> list[Field]:
    """Up to two telling fields for the line under the title."""
    known = [other.fields[n] for n in dict.fromkeys((*other.highlights, *other.list_columns)) if n in other.fields]
    usable = [f for f in known if f is not link and f.name not in other.title and f.type.name not in _NOT_TELLING]
    far = _far_end(other, link)
    return [f for f in usable if f is not far and f.name != "owner"][:2]


def _far_end(other: ObjectType, link: Field) -> Field | None:
    """The other end of a pair: of what goes with either of two records, and people do not work with by itself."""
    ends = [f for f in other.fields.values() if f.type.name == "link" and f.required and f.on_delete == "cascade"]
    if other.navigation or len(ends) != _ENDS or link not in ends:
        return None
    return next(f for f in ends if f is not link)
