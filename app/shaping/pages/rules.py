"""Settings → Objects → Rules: the rules of an object in their order, one made, changed, switched off, removed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from flask import Blueprint, current_app, render_template, request

from app.access.rights import METADATA_EDIT
from app.core.errors import NotFound
from app.http.guard import workspace
from app.metadata.labels import humanised
from app.metadata.leaves import nest
from app.metadata.ranks import placed, rank_after
from app.shaping.pages import typed
from app.shaping.pages.conditions import desk_of
from app.shaping.pages.objects import answer
from app.shaping.pages.previews import Asked, preview, refused
from app.shaping.pages.reading import Line, Reading
from app.shaping.pages.rules_form import EFFECTS, Effects, refusal_of, spec_of
from app.shaping.pages.rules_words import sentences

if TYPE_CHECKING:
    from collections.abc import Mapping

    from werkzeug.wrappers import Response

    from tenants.scope import TenantScope

blueprint = Blueprint("shaping_rules", __name__)
_RULES: Final = "/settings/objects/<object_name>/rules"
_RULE: Final = f"{_RULES}/<rule_name>"


@blueprint.get(_RULES)
@workspace(METADATA_EDIT, member=True)
def show_rules(scope: TenantScope, object_name: str) -> Response:
    """The rules of an object, in order, in words."""
    reading, desk = Reading(scope), desk_of(scope, object_name)
    found = [(one, sentences(desk, one.spec)) for one in rules_of(reading, object_name)]
    return answer("rules.html", reading, object=reading.object(object_name), rules=found)


@blueprint.post(_RULES)
@workspace(METADATA_EDIT, member=True, write=False)
def plan_rules(scope: TenantScope, object_name: str) -> Response:
    """What a new order or a switch would do; with ``act=new`` what making a rule would do."""
    reading, act = Reading(scope), request.form.get("act", "order")
    obj, rules = reading.object(object_name), rules_of(reading, object_name)
    following, title = f"/settings/objects/{object_name}/rules", "Apply this change?"
    if act == "new":
        try:
            label, name = _called({one.name for one in rules})
            spec = spec_of(scope, object_name, {})
        except typed.Wrong as error:
            return refused(error.messages)
        said = {key: value for key, value in spec.items() if value is not None}
        ranks = {str(one.spec.get("rank", "")) for one in rules}
        component = {"kind": "rule", "name": f"{object_name}.{name}", "rank": rank_after(ranks)} | said
        title = f"Add the rule {label} to {obj.label}?"
        return preview(scope, Asked(components=[component], next=following, title=title, base=typed.base()))
    components = _switched(rules, object_name) if act == "switch" else _ordered(rules, object_name)
    return preview(scope, Asked(components=components, next=following, title=title, base=typed.base()))


@blueprint.get(f"{_RULES}/new")
@workspace(METADATA_EDIT, member=True)
def new_rule(scope: TenantScope, object_name: str) -> Response:
    """The form for a new rule."""
    reading = Reading(scope)
    return _form(scope, reading, object_name, None)


@blueprint.get(f"{_RULES}/effect")
@workspace(METADATA_EDIT, member=True)
def show_effect(scope: TenantScope, object_name: str) -> Response:
    """One line of what follows, for the effect and field that were chosen."""
    effects = Effects(desk_of(scope, object_name))
    kind, field = request.args.get("effect.kind", ""), request.args.get("effect.field", "")
    html = render_template("shaping/_rule_effect.html", object=object_name, one=effects.line(kind, field, None))
    return current_app.make_response(html)


@blueprint.get(_RULE)
@workspace(METADATA_EDIT, member=True)
def show_rule(scope: TenantScope, object_name: str, rule_name: str) -> Response:
    """One rule."""
    reading = Reading(scope)
    return _form(scope, reading, object_name, _rule(reading, object_name, rule_name))


@blueprint.post(_RULE)
@workspace(METADATA_EDIT, member=True, write=False)
def plan_rule(scope: TenantScope, object_name: str, rule_name: str) -> Response:
    """What changing it would do: ``act`` is save or remove."""
    reading, act = Reading(scope), request.form.get("act", "save")
    line = _rule(reading, object_name, rule_name)
    component: dict[str, Any] = {"kind": "rule", "name": f"{object_name}.{rule_name}"}
    following = f"/settings/objects/{object_name}/rules"
    if act == "remove":
        asked = Asked(components=[component | {"remove": True}], next=following, title=f"Remove the rule {line.label}?")
        return preview(scope, asked)
    try:
        typed.needs(typed.text("label"), "Label: say what the rule is for.")
        component |= spec_of(scope, object_name, line.spec)
    except typed.Wrong as error:
        return refused(error.messages)
    return preview(scope, Asked(components=[component], next=following, base=typed.base()))


def rules_of(reading: Reading, object_name: str) -> list[Line]:
    """The rules of an object in the order they are asked. Raises NotFound without such an object."""
    reading.object(object_name)
    found: list[Line] = []
    for component, leaves in reading.live.items():
        owner, _, name = component.removeprefix("rule/").partition(".")
        if component.startswith("rule/") and owner == object_name:
            spec = cast("dict[str, Any]", nest(leaves))
            label = str(spec.get("label") or humanised(name))
            found.append(Line(name, label, spec, *reading.whose(component)))
    return sorted(found, key=lambda one: (str(one.spec.get("rank", "")), one.name))


def _rule(reading: Reading, object_name: str, rule_name: str) -> Line:
    for one in rules_of(reading, object_name):
        if one.name == rule_name:
            return one
    raise NotFound("There is no such rule.")


def _called(taken: set[str]) -> tuple[str, str]:
    label = typed.text("label")
    typed.needs(label, "Label: say what the rule is for.")
    return label, typed.named(label, taken, typed.text("name"))


def _form(scope: TenantScope, reading: Reading, object_name: str, line: Line | None) -> Response:
    spec: Mapping[str, Any] = line.spec if line is not None else {}
    desk = desk_of(scope, object_name)
    effects = Effects(desk)
    return answer(
        "rule.html", reading, object=reading.object(object_name), rule=line, spec=spec, effects=effects.lines(spec),
        blank=effects.line("", "", None), kinds=EFFECTS, refusal=refusal_of(spec), fields=effects.fields(),
    )  # fmt: skip


def _ordered(rules: list[Line], object_name: str) -> list[dict[str, Any]]:
    wanted = typed.order_of(rules, request.form.getlist("order"))
    ranks = placed({one.name: str(one.spec.get("rank", "")) for one in rules}, wanted, {}, listed=True)
    return [{"kind": "rule", "name": f"{object_name}.{name}", "rank": rank} for name, rank in ranks.items()]


def _switched(rules: list[Line], object_name: str) -> list[dict[str, Any]]:
    """One rule switched on or off."""
    for one in rules:
        if one.name == request.form.get("rule", ""):
            off = one.spec.get("active") is False
            return [{"kind": "rule", "name": f"{object_name}.{one.name}", "active": None if off else False}]
    raise NotFound("There is no such rule.")
