"""The one dialog before anything is changed: the plan in words, what it touches, what would break, what to agree to."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from flask import current_app, render_template

from app.core.errors import Forbidden
from app.metadata import history
from app.metadata.layers import live
from app.metadata.leaves import SEPARATOR
from app.metadata.problems import InvalidComponents
from app.metadata.words import said, words
from app.shaping import service
from app.shaping.pages.reading import Places, Reading
from app.ui import formats

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from werkzeug.wrappers import Response

    from app.metadata.plan import Plan, PlanStep
    from app.shaping.service import Wanted
    from tenants.scope import TenantScope

SOURCE: Final = "settings"
#: The worst of a plan's steps, told to people.
_SAFETY: Final = {
    "instant": ("At once", "green", "Nobody has to wait."),
    "online": ("In the background", "blue", "It holds at once; a job goes on while people work."),
    "rewrite": ("Rewrites the table", "amber", "The table is written anew; saving waits for a moment."),
    "destructive": ("Takes values away", "red", "They are kept for 30 days, then gone for good."),
}  # fmt: skip
_WORST: Final = tuple(_SAFETY)
_REPAIRS: Final = {
    "required": "have no value in {field}, which is required: fill it in when you next save them",
    "unique": "share a value of {field}, which is to be unique: it is guarded once they differ",
    "long": "have a {field} too long to be guarded: it is guarded once they are shorter",
    "range": "have more stars in {field} than it has now: they keep them until somebody changes {field}",
    "link": "link by {field} to a record that is gone: clear it or link another",
}  # fmt: skip
_LONGEST: Final = 600
#: So many places something is used in are listed; the others are counted.
_PLACES: Final = 8


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What is to be applied: components as over REST, or a change to take back; ``next`` is the page to go to.

    ``newer``: what people changed after it is taken back, too.
    """

    components: Sequence[Mapping[str, Any]] = ()
    change: str = ""
    newer: bool = False
    next: str = "/settings/objects"
    note: str = ""
    base: int | None = None
    title: str = "Apply this change?"
    #: Where the dialog sends what was agreed to.
    address: str = "/settings/changes"
    #: What is wrong already.
    refused: tuple[str, ...] = field(default_factory=tuple)

    @property
    def written(self) -> str:
        """The components as the dialog sends them again."""
        return json.dumps(self.components, ensure_ascii=False)


def preview(scope: TenantScope, asked: Asked, wanted: Wanted | None = None) -> Response:
    """The dialog for what is asked; nothing is changed."""
    try:
        if asked.refused:
            return refused(asked.refused)
        wanted = wanted or service.wanted_of(asked.components, source=SOURCE)
        made = service.plan_in(scope, wanted)
    except InvalidComponents as error:
        return refused(_problems(error.problems))
    except Forbidden as error:
        return not_theirs(error)
    clashes = _clashes(scope, made, asked)
    # Who agrees was told what is since the page was made.
    holding, used = _holding(scope, made), _used(scope, made)
    return dialog(scope, made, asked, base=scope.version, clashes=clashes, holding=holding, used=used)


def refused(messages: Iterable[str], title: str = "This can't be applied yet", status: int = 422) -> Response:
    """The dialog with what has to be mended first."""
    return current_app.make_response(
        (render_template("shaping/_refused.html", messages=list(dict.fromkeys(messages)), title=title), status)
    )


def not_theirs(error: Forbidden) -> Response:
    """The dialog that says who may do it."""
    return refused([error.detail], "This is not yours to change", error.status)


def dialog(
    scope: TenantScope,
    made: Plan,
    asked: Asked,
    *,
    base: int,
    clashes: Sequence[str] = (),
    alert: str = "",
    holding: Sequence[str] = (),
    used: Sequence[Mapping[str, Any]] = (),
) -> Response:
    """The plan in words; ``holding`` tells who holds what would not be offered any more, ``used`` where it is named."""
    changes = made.changes
    if changes.problems:
        return refused(_problems(changes.problems))
    places = Places(changes.before)
    worst = max((_WORST.index(step.safety) for step in made.steps), default=0)
    locale = scope.tenant.locale
    html = render_template(
        "shaping/_plan.html",
        asked=asked,
        base=base,
        empty=changes.empty and not changes.blocked,
        sentences=words(changes.leaves, changes.renames, live(changes.before), live(changes.after)),
        safety=_SAFETY[_WORST[worst]],
        steps=[_step(step, locale) for step in made.steps if step.rows or step.safety != "instant"],
        statements=[text for step in made.steps for text in step.ddl],
        warnings=[*holding, *(one.message for one in changes.warnings)],
        used=used,
        blockers=[_blocker(one, places) for one in (*changes.questions, *changes.broken)],
        repairs=[_repair(one, Places(changes.after), locale) for one in made.repairs],
        confirm=bool(made.destructive),
        clashes=clashes,
        alert=alert,
    )
    return current_app.make_response((html, 409 if alert or clashes else 200))


def told_of(error: Any) -> str:
    """A refusal in one sentence."""
    return f"{error.detail.rstrip('.')}."


def clash_words(changed: Iterable[Mapping[str, Any]]) -> list[str]:
    """What somebody else changed meanwhile."""
    found: dict[str, None] = {}
    for one in changed:
        who, path = one.get("by") or "Somebody", str(one["path"]).replace("/", " · ").replace("_", " ")
        was, now = said(one["before"]), said(one["after"])
        told = f"{who} changed {path} of {str(one['component']).partition('/')[2]}"
        found[
            f"{told}: {'nothing' if one['before'] is None else was} → {'nothing' if one['after'] is None else now}"
        ] = None
    return list(found)


def _clashes(scope: TenantScope, made: Plan, asked: Asked) -> list[str]:
    if asked.base is None or asked.base == scope.version:
        return []
    mine = {(leaf.component, leaf.path) for leaf in made.changes.leaves}
    since = history.since(scope.execute, asked.base)
    return clash_words(one for one in since if (one["component"], one["path"]) in mine)


def _holding(scope: TenantScope, made: Plan) -> list[str]:
    """How many records hold an option, stage, pipeline or currency that goes or is retired."""
    return [one.message for one in service.holding_in(scope, made)]


def _used(scope: TenantScope, made: Plan) -> list[dict[str, Any]]:
    """Of parts of objects that are retired: where each stays in use, in words and with the page that shows it."""
    retired = [
        (one.component, one.path.rpartition(SEPARATOR)[0])
        for one in made.changes.leaves
        if one.path.endswith("/retired") and one.after is True and one.component.startswith("object/")
    ]
    if not retired or made.changes.blocked:
        return []
    reading, found = Reading(scope), list[dict[str, Any]]()
    for component, node in retired:
        places = reading.used(component.partition(SEPARATOR)[2], node)
        if places:
            label, rest = reading.label(component, node), len(places) - _PLACES
            found.append({"label": label, "places": places[:_PLACES], "more": max(rest, 0)})
    return found


def _problems(problems: Iterable[Any]) -> list[str]:
    """What is wrong, where it is, in words."""
    found: list[str] = []
    for one in problems:
        path = one.path.split(".")
        name = one.component.partition("/")[2]
        place = f"{path[1]} · {path[-1]}" if path[0] in ("fields", "pipelines") and len(path) > 1 else one.path
        found.append(f"{place or name}: {one.message}"[:_LONGEST])
    return found


def _step(step: PlanStep, locale: str) -> dict[str, Any]:
    count = formats.number(step.rows, locale)
    name = step.name.replace(".", " · ").replace("_", " ")
    texts = {
        "remove": f"{count} {'record holds' if step.rows == 1 else 'records hold'} a value in {name}",
        "replace": f"{count} {'record holds' if step.rows == 1 else 'records hold'} a value in {name};"
                   " it is put away, and what another field of that name held comes back",
        "build": f"An index over {count} {'record' if step.rows == 1 else 'records'} of {name} is built",
        "convert": f"{count} {'value' if step.rows == 1 else 'values'} of {name} converted",
    }  # fmt: skip
    failing = step.preview.failing if step.preview else 0
    return {
        "text": texts.get(step.op, f"{name}: {step.op}"),
        "label": _SAFETY[step.safety][0],
        "tone": _SAFETY[step.safety][1],
        "failing": f"{formats.number(failing, locale)} won't convert and become empty" if failing else "",
        "examples": [str(one.get("value", "")) for one in step.preview.examples[:5]]
        if step.preview and failing
        else [],
    }


def _blocker(one: Any, places: Places) -> dict[str, str]:
    place, href = places.place(one.component, one.path)
    message = one.message.removeprefix(f"{one.component}: ").removeprefix(f"{one.path}: ")
    return {"text": message, "place": place, "href": href}


def _repair(one: Any, places: Places, locale: str) -> dict[str, str]:
    label = places.label(f"object/{one.object}", f"fields/{one.field}")
    many = places.plural(one.object).lower()
    text = _REPAIRS.get(one.code, "are to be looked at: {field}").format(field=label)
    first = f"/records/{one.object}/{one.ids[0]}" if one.ids else ""
    return {"text": f"{formats.number(one.count, locale)} {many} {text}.", "href": first}
