"""Settings → Translations: what objects, fields, options and stages are called in other languages, what is missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

from babel import Locale, UnknownLocaleError
from flask import Blueprint, request

from app.access.rights import METADATA_EDIT
from app.core.errors import NotFound
from app.http.guard import workspace
from app.http.respond import see_other
from app.metadata import catalog, kinds
from app.metadata.leaves import nest
from app.shaping.pages import typed
from app.shaping.pages.objects import answer
from app.shaping.pages.previews import Asked, preview
from app.shaping.pages.reading import Reading
from tenants.identity.preferences import locales

if TYPE_CHECKING:
    from collections.abc import Iterator

    from werkzeug.wrappers import Response

    from app.metadata.leaves import Leaves
    from app.metadata.model import Catalog, ObjectType
    from tenants.scope import TenantScope

blueprint = Blueprint("shaping_translations", __name__)
_TRANSLATIONS: Final = "/settings/translations"
_TRANSLATION: Final = f"{_TRANSLATIONS}/<language>"
#: Parts that are no object: what stands for them in addresses.
_SETS: Final = "option-sets"
_NO_LABEL: Final = frozenset({"id", "version", "deleted_at"})


@dataclass(frozen=True, slots=True)
class Row:
    """One thing to translate: its leaf, what it is, what it says, what it says in the language."""

    path: str
    what: str
    text: str
    said: str


@dataclass(frozen=True, slots=True)
class Part:
    """An object, or the option sets: how much of it is translated."""

    name: str
    label: str
    rows: tuple[Row, ...]

    @property
    def done(self) -> int:
        """How many are translated."""
        return sum(bool(row.said) for row in self.rows)


@blueprint.get(_TRANSLATIONS)
@workspace(METADATA_EDIT, member=True)
def show_translations(scope: TenantScope) -> Response:
    """The languages there are something in, and how complete each is; ``language`` opens another."""
    asked = request.args.get("language", "")
    if asked:
        _known(asked)
        return see_other(f"{_TRANSLATIONS}/{asked}")
    reading, whole = Reading(scope), catalog.whole(scope)
    lines: list[tuple[str, str, int, int]] = []
    for one in reading.all_of("translation"):
        parts = _parts(whole, reading, one.name)
        lines.append((one.name, _name(one.name), sum(part.done for part in parts), sum(len(p.rows) for p in parts)))
    taken = {tag for tag, _, _, _ in lines}
    return answer(
        "translations.html", reading, lines=lines, own=_name(scope.tenant.locale),
        choices=[one for one in _choices() if one[0] not in taken],
    )  # fmt: skip


@blueprint.get(_TRANSLATION)
@workspace(METADATA_EDIT, member=True)
def show_translation(scope: TenantScope, language: str) -> Response:
    """One language, a part at a time: ``part`` an object or the option sets; ``missing`` only what is not there."""
    _known(language)
    reading, parts = Reading(scope), _parts(catalog.whole(scope), Reading(scope), language)
    part = next((one for one in parts if one.name == request.args.get("part")), parts[0])
    missing = "missing" in request.args
    return answer(
        "translation.html", reading, language=language, name=_name(language), parts=parts, part=part, missing=missing,
        rows=[row for row in part.rows if not (missing and row.said)],
        there=f"translation/{language}" in reading.live,
    )  # fmt: skip


@blueprint.post(_TRANSLATION)
@workspace(METADATA_EDIT, member=True, write=False)
def plan_translation(scope: TenantScope, language: str) -> Response:
    """What saving would do: texts of one part, an empty one taken away; ``act`` remove takes the language away."""
    _known(language)
    component: dict[str, Any] = {"kind": "translation", "name": language}
    if request.form.get("act") == "remove":
        asked = Asked(components=[component | {"remove": True}], next=_TRANSLATIONS, title=f"Remove {_name(language)}?")
        return preview(scope, asked)
    part = next(
        (one for one in _parts(catalog.whole(scope), Reading(scope), language) if one.name == typed.text("part")), None
    )
    if part is None:
        raise NotFound("There is nothing of that name to translate.")
    said: Leaves = {}
    for row in part.rows:
        if f"t.{row.path}" in request.form:
            text = typed.text(f"t.{row.path}")[:1_000]
            if text != row.said:
                said[row.path] = text or None
    component |= cast("dict[str, Any]", nest(said))
    following = f"{_TRANSLATIONS}/{language}"
    return preview(scope, Asked(components=[component], next=following, base=typed.base()))


def _choices() -> list[tuple[str, str]]:
    """Languages, and what is said otherwise in some country, by name."""
    tags = {tag.partition("-")[0] for tag, _ in locales()} | {tag for tag, _ in locales()}
    return sorted(((tag, _name(tag)) for tag in tags), key=lambda one: one[1].casefold())


def _parts(whole: Catalog, reading: Reading, language: str) -> list[Part]:
    """Everything there is to translate, by object."""
    leaves = reading.live.get(f"translation/{language}", {})
    found = [
        Part(name, obj.plural, tuple(_with(leaves, _of_object(obj)))) for name, obj in whole.objects.items()
    ]  # fmt: skip
    sets = [
        (f"option_sets/{one.name}/{option}", f"{one.label} · option", str(spec.get("label") or option))
        for one in reading.all_of("option_set")
        for option, spec in (one.spec.get("options") or {}).items()
    ]
    return [*found, *([Part(_SETS, "Option sets", tuple(_with(leaves, sets)))] if sets else [])]


def _with(leaves: Leaves, rows: Any) -> Iterator[Row]:
    for path, what, text in rows:
        yield Row(path, what, text, str(leaves.get(path) or ""))


def _of_object(obj: ObjectType) -> Iterator[tuple[str, str, str]]:
    """Leaf, what it is, what it says in the workspace's own words."""
    node = f"objects/{obj.name}"
    yield f"{node}/label/one", "One is called", obj.label
    yield f"{node}/label/other", "Several are called", obj.plural
    if obj.help:
        yield f"{node}/help", "What it is for", obj.help
    for view in obj.views:
        yield f"views/{obj.name}.{view.name.rpartition('.')[2]}", "View", view.label
    for name, field in obj.fields.items():
        if name in _NO_LABEL:
            continue
        yield f"{node}/fields/{name}/label", "Field", field.label
        if field.help:
            yield f"{node}/fields/{name}/help", f"{field.label} · help", field.help
        for option in field.options.values() if not field.option_set else ():
            yield f"{node}/fields/{name}/options/{option.name}", f"{field.label} · option", option.label
    for name, pipeline in obj.pipelines.items():
        yield f"{node}/pipelines/{name}/label", "Pipeline", pipeline.label
        for stage in pipeline.stages.values():
            yield f"{node}/pipelines/{name}/stages/{stage.name}/label", f"{pipeline.label} · stage", stage.label


def _known(language: str) -> None:
    """Raise NotFound for what is no language."""
    try:
        good = kinds.ROOTS["translation"].takes(language) and Locale.parse(language, sep="-") is not None
    except (ValueError, UnknownLocaleError):
        good = False
    if not good:
        raise NotFound("There is no such language.")


def _name(tag: str) -> str:
    """A language in its own words."""
    locale = Locale.parse(tag.replace("_", "-"), sep="-")
    name = locale.get_display_name(locale) or tag
    return name[:1].upper() + name[1:]
