"""Form controls of fields: what a control shows, and how a sent form becomes the JSON the write path takes."""

from __future__ import annotations

import html
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Final, cast

from markupsafe import Markup

from app.metadata.fieldtypes.base import ValueProblem
from app.metadata.fieldtypes.choices import offered
from app.metadata.fieldtypes.duration import clock_text, read_duration
from app.metadata.fieldtypes.geo import typed_text
from app.metadata.fieldtypes.json import JsonText, pretty
from app.metadata.fieldtypes.rich_text import shown
from app.records.pages.standing import in_pipeline
from app.records.pages.values import Reader, Titles, link_of
from app.records.retired import stages_offered
from app.ui import formats

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from werkzeug.datastructures import MultiDict

    from app.metadata.model import Field, ObjectType

_KINDS: Final[dict[str, str]] = {
    "long_text": "textarea", "rich_text": "rich", "integer": "number", "decimal": "decimal", "percent": "percent",
    "money": "money", "boolean": "boolean", "date": "date", "datetime": "datetime", "select": "select",
    "multi_select": "checkboxes", "tags": "tags", "link": "combobox", "email": "email", "phone": "tel", "url": "url",
    "address": "address", "stage": "select", "duration": "duration", "time": "time", "geo": "geo", "rating": "rating",
    "json": "json", "file": "file", "image": "image",
}  # fmt: skip
ADDRESS_PARTS: Final = (
    ("line1", "Street"), ("line2", "More"), ("postal_code", "Postal code"), ("city", "City"), ("region", "Region"),
    ("country", "Country"),
)  # fmt: skip
#: Codes of CLDR that name groups of countries or nothing.
_NO_COUNTRY: Final = frozenset({"EU", "UN", "EZ", "QO", "ZZ", "XA", "XB"})
#: Written by other means, or by nobody who fills in a form.
_NOT_IN_FORMS: Final = frozenset(
    {"external_id", "source_system", "team", "pipeline", "amount_from_lines", "emails", "phones", "deleted_at"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """One control. ``value`` is what the inputs hold, ``text`` the title beside a link's id."""

    name: str
    label: str
    kind: str
    value: Any = ""
    text: str = ""
    required: bool = False
    hint: str = ""
    error: str = ""
    options: tuple[tuple[str, str], ...] = ()
    url: str = ""
    parts: tuple[tuple[str, str], ...] = ()
    currency: str = ""


def form_fields(obj: ObjectType) -> list[Field]:
    """Fields people fill in when they create a record, the required and prominent ones first."""
    usable = [
        f for f in obj.fields.values()
        if f.columns and f.writable and f.name not in _NOT_IN_FORMS
        and f.type.name != "reference" and not f.name.startswith("converted_")
    ]  # fmt: skip
    prominent = dict.fromkeys(
        (*obj.title, *(("stage",) if obj.has_pipeline else ()), *obj.highlights, *obj.list_columns)
    )
    order = {name: place for place, name in enumerate(prominent)}
    return sorted(usable, key=lambda f: (not f.required, order.get(f.name, len(order))))


def control(
    obj: ObjectType, field: Field, value: object, known: Titles, reader: Reader, *, currency: str, error: str = ""
) -> Control:
    """The control of ``field`` holding ``value``: its JSON form, or what somebody typed and has to correct."""
    kind = _KINDS.get(field.type.name, "text")
    found = link_of(field, value) if field.to else None
    return Control(
        name=field.name,
        label=field.label,
        kind=kind,
        value=_held(kind, value, reader),
        text=known.get(found, "") if found else "",
        required=field.required,
        hint=field.help,
        error=error,
        options=choices(obj, field, value),
        url=f"/records/{obj.name}/options?field={field.name}" if kind == "combobox" else "",
        parts=ADDRESS_PARTS if kind == "address" else (),
        currency=_part(value, "currency") or currency,
    )


def choices(obj: ObjectType, field: Field, held: object = None) -> tuple[tuple[str, str], ...]:
    """(value, label) of a select, stages and booleans included; of what is retired only what the record holds."""
    if field.type.name == "stage":
        return tuple((one.name, one.label) for one in stages_offered(obj, held))
    if field.type.name == "rating":
        return tuple((str(stars), f"{stars} of {field.most}") for stars in range(1, field.most + 1))
    kept = cast("list[object]", held) if isinstance(held, list) else [held]
    return tuple((one.name, one.label) for one in offered(field, kept))


def read_form(obj: ObjectType, names: Sequence[str], form: MultiDict[str, str], locale: str) -> dict[str, Any]:
    """The JSON payload of the fields called ``names`` from a sent form; numbers were typed by ``locale``'s rules."""
    found = {name: _sent(obj.fields[name], form, locale) for name in names if name in obj.fields}
    return in_pipeline(found) if obj.has_pipeline else found


def country_names(locale: str) -> tuple[tuple[str, str], ...]:
    """(code, name) of all countries in the reader's language, by name."""
    territories = cast("Mapping[str, str]", formats.locale_of(locale).territories)
    codes = (code for code in territories if len(code) == 2 and code.isalpha() and code not in _NO_COUNTRY)
    return tuple(sorted(((code, territories[code]) for code in codes), key=lambda pair: pair[1]))


def _held(kind: str, value: object, reader: Reader) -> Any:
    """What the control holds before anybody touches it."""
    if value is None or value == "":
        return {} if kind in {"money", "address"} else [] if kind == "checkboxes" else ""
    as_held = _SHOWN_AS.get(kind)
    try:
        return as_held(value, reader) if as_held is not None else value
    except (ValueError, InvalidOperation):
        return value


def _shown_percent(value: object, reader: Reader) -> object:
    return formats.typed_number(Decimal(str(value)) * 100, reader.locale)


def _shown_number(value: object, reader: Reader) -> object:
    return formats.typed_number(value, reader.locale)


def _shown_moment(value: object, reader: Reader) -> object:
    return formats.moment(str(value), reader.timezone).strftime("%Y-%m-%dT%H:%M")


def _shown_tags(value: object, reader: Reader) -> object:  # noqa: ARG001
    return ", ".join(str(tag) for tag in cast("list[object]", value))


def _shown_rich(value: object, reader: Reader) -> object:  # noqa: ARG001
    return Markup(shown(str(value)))  # noqa: S704 - sanitised here and before it was stored


def _shown_boolean(value: object, reader: Reader) -> object:  # noqa: ARG001
    return "true" if value in {True, "true"} else "false"


def _shown_money(value: object, reader: Reader) -> object:
    return {"amount": formats.typed_number(_part(value, "amount"), reader.locale), "currency": _part(value, "currency")}


def _shown_file(value: object, reader: Reader) -> object:
    if not isinstance(value, dict):
        return {"id": str(value)}
    file = cast("Mapping[str, Any]", value)
    return dict(file) | ({"note": formats.file_size(file["size"], reader.locale)} if "size" in file else {})


def _shown_duration(value: object, reader: Reader) -> object:  # noqa: ARG001
    try:
        seconds = read_duration(str(value))
    except ValueProblem:
        return value
    return value if seconds is None else clock_text(seconds)


def _shown_place(value: object, reader: Reader) -> object:  # noqa: ARG001
    return typed_text(cast("dict[str, object]", value)) if isinstance(value, dict) else value


def _shown_json(value: object, reader: Reader) -> object:  # noqa: ARG001
    return str(value) if isinstance(value, JsonText) else pretty(value)


_SHOWN_AS: Final[dict[str, Callable[[object, Reader], object]]] = {
    "percent": _shown_percent,
    "decimal": _shown_number,
    "number": _shown_number,
    "datetime": _shown_moment,
    "tags": _shown_tags,
    "rich": _shown_rich,
    "boolean": _shown_boolean,
    "money": _shown_money,
    "duration": _shown_duration,
    "geo": _shown_place,
    "json": _shown_json,
    "file": _shown_file,
    "image": _shown_file,
}


def _sent(field: Field, form: MultiDict[str, str], locale: str) -> Any:
    kind = _KINDS.get(field.type.name, "text")
    text = form.get(field.name, "").strip()
    if kind == "checkboxes":
        return form.getlist(field.name) or None
    if kind in {"file", "image"}:
        return {"id": text, "name": form.get(f"{field.name}.name", "")} if text else None
    if kind == "tags":
        return [tag.strip() for tag in text.split(",") if tag.strip()]
    if kind == "address":
        parts = {part: form.get(f"{field.name}.{part}", "").strip() or None for part, _ in ADDRESS_PARTS}
        return parts if any(parts.values()) else None
    if kind == "money":
        amount = formats.read_number(form.get(f"{field.name}.amount", "").strip(), locale)
        currency = form.get(f"{field.name}.currency", "").strip().upper()
        return {"amount": amount, "currency": currency} if amount else None
    return _converted(kind, text, locale) if text else None


def _converted(kind: str, text: str, locale: str) -> Any:
    if kind == "percent":
        return _fraction(text, locale)
    if kind == "boolean":
        return text == "true"
    if kind == "number":
        number = formats.read_number(text, locale)
        return int(number) if number.lstrip("+-").isdigit() else number
    if kind == "decimal":
        return formats.read_number(text, locale)
    return JsonText(text) if kind == "json" else text


def paragraphs(text: str) -> str:
    """Plain text as the rich text it stands for."""
    return "".join(f"<p>{html.escape(line, quote=False)}</p>" for line in text.splitlines() if line.strip())


def _fraction(text: str, locale: str) -> str:
    try:
        return str(Decimal(formats.read_number(text.rstrip("% "), locale)) / 100)
    except InvalidOperation:
        return text


def _part(value: object, name: str) -> str:
    return str(cast("Mapping[str, object]", value).get(name) or "") if isinstance(value, dict) else ""
