"""What a value looks like to a reader: text by locale, link, badge, mail address."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, cast

from markupsafe import Markup, escape

from app.metadata.fieldtypes import rich_text
from app.metadata.fieldtypes.image import IMAGES
from app.metadata.fieldtypes.json import pretty
from app.records.titles import titles
from app.ui import formats

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from app.metadata.model import Field, ObjectType
    from tenants.scope import TenantScope

Record = dict[str, Any]
Titles = dict[tuple[str, str], str]

#: Field type → icon of the sprite; a link shows its target's own icon.
ICONS: Final[dict[str, str]] = {
    "text": "type", "long_text": "align-left", "rich_text": "text-quote", "integer": "hash", "decimal": "hash",
    "percent": "percent", "money": "banknote", "boolean": "toggle-left", "date": "calendar", "datetime": "clock",
    "select": "tag", "multi_select": "list-checks", "tags": "tag", "link": "link-2", "reference": "link-2",
    "email": "mail", "emails": "mail", "phone": "phone", "phones": "phone", "url": "link", "domain": "globe",
    "address": "map-pin", "file": "paperclip", "image": "image", "stage": "circle-dot", "pipeline": "git-branch",
    "duration": "hourglass", "time": "clock", "geo": "map-pin", "rating": "star", "json": "code",
}  # fmt: skip
_LINK_ICONS: Final = {
    "member": "user", "team": "users", "company": "building-2", "contact": "user", "deal": "handshake",
}  # fmt: skip
#: Field types whose values are set flush with the end.
NUMERIC: Final = frozenset({"integer", "decimal", "percent", "money", "duration"})
#: What a list shows of a JSON text.
_GLIMPSE: Final = 80
_STATUS_TONES: Final = {"open": "blue", "won": "green", "lost": "red", "done": "green", "cancelled": "slate"}
_TONES: Final = ("slate", "blue", "indigo", "violet", "teal", "green", "amber", "orange", "red", "pink")


#: Bytes up to which a picture is shown by itself, small, in a list of many.
_PICTURED: Final = 1_000_000
_NOTHING: Final = Markup()


@dataclass(frozen=True, slots=True)
class Shown:
    """A value ready to be rendered. ``look`` picks the macro's branch, ``items`` are (text, tone) of badges."""

    name: str
    label: str
    look: str
    text: str = ""
    href: str = ""
    tone: str = ""
    icon: str = ""
    items: tuple[tuple[str, str], ...] = ()
    html: Markup = _NOTHING
    editable: bool = False
    #: What stands behind it in small letters.
    note: str = ""

    @property
    def empty(self) -> bool:
        """Whether there is nothing to show."""
        return not self.text and not self.items

    @property
    def numeric(self) -> bool:
        """Whether columns of it are set flush with the end."""
        return self.look == "number"


@dataclass(frozen=True, slots=True)
class Reader:
    """For whom values are written."""

    locale: str
    timezone: str


def reader_of(scope: TenantScope) -> Reader:
    """The member's own locale and zone, else the workspace's."""
    preferences = scope.member.preferences if scope.member is not None else {}
    # the browser's spelling (en-ie) becomes CLDR's (en_IE), which is all that field types take
    locale = formats.locale_of(str(preferences.get("locale") or scope.tenant.locale))
    return Reader(str(locale), str(preferences.get("timezone") or scope.tenant.timezone))


def gather_titles(scope: TenantScope, obj: ObjectType, fields: Iterable[str], records: Sequence[Record]) -> Titles:
    """Titles of everything the ``fields`` of ``records`` link to, by one statement."""
    wanted: dict[str, set[str]] = {}
    for name in fields:
        field = obj.fields.get(name)
        if field is None or not field.to:
            continue
        for record in records:
            found = link_of(field, record.get(name))
            if found is not None:
                wanted.setdefault(found[0], set()).add(found[1])
    return titles(scope, wanted) if wanted else {}


def link_of(field: Field, value: object) -> tuple[str, str] | None:
    """(object, id) a link or reference points to."""
    if isinstance(value, dict):
        link = cast("Mapping[str, object]", value)
        return str(link["object"]), str(link["id"])
    if isinstance(value, str) and len(field.to) >= 1:
        return field.to[0], value
    return None


def show(field: Field, value: object, reader: Reader, known: Titles, obj: ObjectType | None = None) -> Shown:
    """``value`` (JSON form) of ``field`` for ``reader``."""
    seen = _Seen(field, value, reader, known, obj)
    kind = field.type.name
    look = "number" if kind in NUMERIC else "text"
    if value is None or (value in ("", [], {}) and kind != "json"):
        return seen.shown(look, "")
    special = _SPECIAL.get(kind)
    return special(seen) if special is not None else seen.shown(look, seen.text())


@dataclass(frozen=True, slots=True)
class _Seen:
    """A value on its way to being shown."""

    field: Field
    value: object
    reader: Reader
    known: Titles
    obj: ObjectType | None

    def text(self) -> str:
        """The field type's own text."""
        return self.field.type.format(self.field, self.value, self.reader.locale, self.reader.timezone)

    def shown(
        self, look: str, text: str, *, href: str = "", items: tuple[tuple[str, str], ...] = (), html: Markup = _NOTHING
    ) -> Shown:
        """The result with what the field itself says."""
        field = self.field
        return Shown(
            field.name, field.label, look, text, href, icon=icon_of(field), items=items, html=html,
            editable=is_editable(field),
        )  # fmt: skip


def is_editable(field: Field) -> bool:
    """Whether people may write it here: the engine's own fields and whole lists of addresses are not edited inline."""
    never = {"emails", "phones", "pipeline", "stage", "reference"}
    return field.writable and field.type.name not in never


def icon_of(field: Field) -> str:
    """The icon beside the field's label."""
    if field.to and field.type.name == "link":
        return _LINK_ICONS.get(field.to[0], "link-2")
    return ICONS.get(field.type.name, "circle")


def stage_tone(obj: ObjectType, name: str) -> str:
    """The colour of a stage: its own, else by what it means."""
    for pipeline in obj.pipelines.values():
        stage = pipeline.stages.get(name)
        if stage is not None:
            return stage.color if stage.color in _TONES else _STATUS_TONES.get(stage.status, "slate")
    return "slate"


def stage_label(obj: ObjectType, name: str) -> str:
    """A stage as people call it."""
    for pipeline in obj.pipelines.values():
        if name in pipeline.stages:
            return pipeline.stages[name].label
    return name


def _option(field: Field, name: str) -> tuple[str, str]:
    option = field.options.get(name)
    if option is None:
        return name, "slate"
    tone = option.color if option.color in _TONES else formats.tone(option.label).removeprefix("tone-")
    return option.label, tone


def _select(seen: _Seen) -> Shown:
    label, tone = _option(seen.field, str(seen.value))
    return seen.shown("badges", label, items=((label, tone),))


def _many(seen: _Seen) -> Shown:
    items = tuple(_option(seen.field, str(name)) for name in cast("list[object]", seen.value))
    return seen.shown("badges", ", ".join(label for label, _ in items), items=items)


def _stage(seen: _Seen) -> Shown:
    name = str(seen.value)
    label = stage_label(seen.obj, name) if seen.obj else name
    return seen.shown("stage", label, items=((label, stage_tone(seen.obj, name) if seen.obj else "slate"),))


def _link(seen: _Seen) -> Shown:
    found = link_of(seen.field, seen.value)
    if found is None:
        return seen.shown("text", str(seen.value))
    title = seen.known.get(found, "")
    if found[0] in {"member", "team"}:
        return seen.shown("member", title or "Former member")
    return seen.shown("link", title or "Untitled", href=f"/records/{found[0]}/{found[1]}")


def _money(seen: _Seen) -> Shown:
    return seen.shown("number", formats.money(seen.value, seen.reader.locale))


def _email(seen: _Seen) -> Shown:
    return seen.shown("href", str(seen.value), href=f"mailto:{seen.value}")


def _phone(seen: _Seen) -> Shown:
    return seen.shown("href", seen.text(), href=f"tel:{seen.value}")


def _url(seen: _Seen) -> Shown:
    address = str(seen.value)
    safe = address.startswith(("https://", "http://"))
    return seen.shown(
        "external" if safe else "text", address.split("://", 1)[-1].rstrip("/"), href=address if safe else ""
    )


def _domain(seen: _Seen) -> Shown:
    return seen.shown("external", seen.text(), href=f"https://{seen.value}")


def _rich(seen: _Seen) -> Shown:
    # sanitised here and before it was stored: only tags and attributes of the field type's list are left
    return seen.shown("rich", seen.text(), html=Markup(rich_text.shown(str(seen.value))))  # noqa: S704


def _file(seen: _Seen) -> Shown:
    """A file by its name, opened where pages have it; a picture that is not too large shows itself."""
    file = cast("Mapping[str, Any]", seen.value)
    pictured = file.get("type") in IMAGES and file.get("size", 0) <= _PICTURED
    shown = seen.shown("image" if pictured else "file", str(file.get("name", "")), href=f"/files/{file['id']}")
    return replace(shown, note=formats.file_size(file["size"], seen.reader.locale) if "size" in file else "")


def _rating(seen: _Seen) -> Shown:
    """Stars that are there and stars that are not; ``note`` says the same in words."""
    most, given = seen.field.most, cast("int", seen.value)
    stars = (("★" * given, "there"), ("☆" * (most - given), "not"))
    return replace(seen.shown("rating", seen.text(), items=stars), note=f"{given} of {most} stars")


def _json(seen: _Seen) -> Shown:
    """One line of its text; ``html`` holds all of it."""
    line = seen.text()
    shown = line if len(line) <= _GLIMPSE else f"{line[: _GLIMPSE - 1]}…"
    return seen.shown("json", shown, html=escape(pretty(seen.value)))


def _date(seen: _Seen) -> Shown:
    return seen.shown("date", formats.day(str(seen.value), seen.reader.locale))


def _moment(seen: _Seen) -> Shown:
    return seen.shown("date", formats.stamp(str(seen.value), seen.reader.locale, seen.reader.timezone))


_SPECIAL: Final[dict[str, Callable[[_Seen], Shown]]] = {
    "select": _select, "multi_select": _many, "stage": _stage, "link": _link, "reference": _link,
    "money": _money, "email": _email, "phone": _phone, "url": _url, "domain": _domain, "rich_text": _rich,
    "date": _date, "datetime": _moment, "file": _file, "image": _file,
    "rating": _rating, "json": _json,
}  # fmt: skip
