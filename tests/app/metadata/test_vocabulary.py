"""Names of a document beside those of the catalog compiled of it: both mean the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from app import access
from app.metadata import catalog
from app.metadata.changeset import desired
from app.metadata.checking import check_document, where_used
from app.metadata.document import read
from app.metadata.environment import FormulaEnvironment
from app.metadata.layers import live
from app.metadata.system import SYSTEM_OBJECTS
from app.metadata.vocabulary import STANDARD_ROLES, Vocabulary
from app.metadata.vocabulary import SYSTEM_OBJECTS as NAMED
from tests.support.documents import MACHINE, platform, state_of


@pytest.mark.parametrize("name", sorted(catalog.platform().objects))
def test_every_path_means_to_a_document_what_it_means_to_its_catalog(name: str) -> None:
    objects = catalog.platform().objects
    names = Vocabulary(live(platform()))
    compiled, written = FormulaEnvironment(objects, objects[name]), names.environment(name)
    paths = set(compiled.names()) | {f"{one}.{inner}" for one in objects[name].fields for inner in ("owner.name", "x")}
    for path in sorted(paths):
        mine, theirs = written.variable(path), compiled.variable(path)
        assert (mine is None) == (theirs is None), path
        if mine is not None and theirs is not None:
            assert (mine.path, mine.kind, mine.options) == (theirs.path, theirs.kind, theirs.options)
    for link in names.inverses(name):
        assert written.related(link) is not None
        assert compiled.related(link) is not None
    assert written.related("nonsense") is None


def test_system_tables_have_the_same_names() -> None:
    assert {name: tuple(one.fields) for name, one in SYSTEM_OBJECTS.items()} == dict(NAMED)


def test_standard_roles_are_known() -> None:
    assert {file.stem for file in (Path(access.__file__).parent / "roles").glob("*.yaml")} == STANDARD_ROLES


def test_where_something_is_used_is_found() -> None:
    changes = desired(state_of(MACHINE), read("{kind: view, name: machine.a, label: A, filter: company.name == 'x'}"))
    document = live(changes.after)
    checked = check_document(document, Vocabulary(document))
    assert {(user, one.path) for user, one in where_used(checked, "object/machine", "fields/company")} == {
        ("object/machine", "list_columns"),
        ("view/machine.a", "filter"),
    }
    assert ("view/machine.a", "filter") in {
        (user, one.path) for user, one in where_used(checked, "object/company", "fields/name")
    }
    assert ("object/machine", "fields/company/to") in {
        (user, one.path) for user, one in where_used(checked, "object/company")
    }


WRONG = {
    "{kind: field, name: note.c, type: integer, default: x}": ("fields.c.default", "default.type"),
    "{kind: field, name: note.c, type: integer, default: 5, unique: true, indexed: true}": (),
    "{kind: field, name: note.c, type: select, options: {a: A}, default: b}": ("fields.c.default", "option.unknown"),
    "{kind: field, name: note.c, type: date, default_formula: title}": ("fields.c.default_formula", "formula.type"),
    "{kind: field, name: note.c, type: link, to: member, default_formula: me}": (),
    "{kind: field, name: note.c, type: money, default_formula: 2 * 3}": (),
    "{kind: field, name: note.c, type: integer, unique: folded}": ("fields.c.unique", "field.unique"),
    "{kind: field, name: note.c, type: integer, searchable: true}": ("fields.c.searchable", "field.searchable"),
    "{kind: field, name: note.c, type: long_text, indexed: true}": ("fields.c.indexed", "field.indexed"),
    "{kind: object, name: deal, title: [amount]}": ("title", "title.type"),
    "{kind: object, name: company, default_sort: -phones}": ("default_sort", "sort.type"),
    "{kind: field, name: note.c, type: link, to: company, inverse: contacts}": ("fields.c.inverse", "inverse.taken"),
    "{kind: field, name: note.c, type: link, to: company, inverse: website}": ("fields.c.inverse", "inverse.taken"),
    "{kind: rule, name: deal.x, when: amount > 1, default: {close_on: {formula: name}}}": (
        "default.close_on.formula", "formula.type"),
    "{kind: field, name: note.end, type: text}": (),
    "{kind: field, name: note.owner, type: text}": ("fields.owner", "name.reserved"),
    "{kind: field, name: note.in, type: text}": ("fields.in", "name.reserved"),
    "{kind: object, name: member, label: {one: M, other: M}, title: name, fields: {a: {type: text}}}": (
        "", "name.reserved"),
    "{kind: field, name: note.c, type: link, to: compny}": ("fields.c.to", "object.unknown"),
    "{kind: field, name: note.c, type: link}": ("fields.c", "required"),
    "{kind: field, name: note.c, type: text, to: company}": ("fields.c.to", "field.misplaced"),
    "{kind: field, name: note.c, type: text, options: {a: A}}": ("fields.c.options", "field.misplaced"),
    "{kind: field, name: note.c, type: select, option_set: x}": ("fields.c.option_set", "option_set.unknown"),
    "{kind: field, name: note.c, type: long_text, unique: true}": ("fields.c.unique", "field.unique"),
    "{kind: field, name: note.c, type: date, default: today, default_formula: today()}": (
        "fields.c.default", "field.both"),
    "{kind: field, name: note.c, type: date, default_formula: tody()}": (
        "fields.c.default_formula", "condition.invalid"),
    "{kind: field, name: note.c, type: formula, returns: text}": ("fields.c", "required"),
    "{kind: field, name: note.c, type: formula, returns: text, value: title, required: true}": (
        "fields.c.required", "field.computed"),
    "{kind: field, name: note.c, type: formula, returns: text, value: 1 + 1}": ("fields.c.value", "computed"),
    "{kind: field, name: note.c, type: formula, returns: text, value: c}": ("fields.c.value", "computed"),
    "{kind: field, name: note.c, type: rollup, over: dealz, function: count}": ("fields.c.over", "computed"),
    "{kind: field, name: note.c, type: emails}\n---\n{kind: field, name: note.e, type: email, primary_of: title}": (
        "fields.e.primary_of", "field.primary"),
    "{kind: stage, name: sales.won, enter_if: {when: amount, message: x}}": (
        "pipelines.sales.stages.won.enter_if.when", "condition.invalid"),
    "{kind: stage, name: sales.won, enter_if: {when: has(amount)}}": (
        "pipelines.sales.stages.won.enter_if.message", "required"),
    "{kind: pipeline, name: deal.x, stages: {won: {status: won}}}": ("pipelines.x", "pipeline.no_open"),
    "{kind: rule, name: deal.x, when: amount > 1}": ("", "rule.empty"),
    "{kind: rule, name: deal.x, refuse_if: amount > 1}": ("message", "required"),
    "{kind: rule, name: dael.x, refuse_if: amount > 1, message: x}": ("name", "object.unknown"),
    "{kind: rule, name: deal.x, required: [amont]}": ("required", "field.unknown"),
    "{kind: rule, name: deal.x, options: {source: [website, nowhere]}}": ("options.source", "option.unknown"),
    "{kind: view, name: deal.x, label: X, columns: [company.nmae]}": ("columns.company.nmae", "field.unknown"),
    "{kind: view, name: deal.x, label: X, shape: board}": ("group_by", "required"),
    "{kind: layout, name: deal.x, label: X, tabs: {a: {label: A, related: [nothing]}}}": (
        "tabs.a.related.nothing", "link.unknown"),
    "{kind: layout, name: deal.x, label: X, roles: [nobody], tabs: {a: {label: A}}}": ("roles", "role.unknown"),
    "{kind: role, name: x, label: X, rows: {deal: {read: amont > 1}}}": ("rows.deal.read", "condition.invalid"),
    "{kind: role, name: admin, label: X}": ("", "name.reserved"),
    "{kind: role, name: x, label: X, objects: {dael: {read: all}}}": ("objects.dael", "object.unknown"),
    "{kind: calendar, name: x, label: X, timezone: Europe/Berln}": ("timezone", "timezone.unknown"),
    "{kind: calendar, name: x, label: X, hours: {monday: ['13:00-14:00', '09:00-10:00']}}": (
        "hours.monday", "hours.order"),
    "{kind: translation, name: de, objects: {dael: {help: x}}}": ("objects.dael", "object.unknown"),
}  # fmt: skip


@pytest.mark.parametrize("text", WRONG)
def test_what_is_wrong_is_told_with_its_place(text: str) -> None:
    found = {(one.path, one.code) for one in desired(state_of(), read(text)).problems}
    expected = {WRONG[text]} if WRONG[text] else set()
    assert found == expected, [one.message for one in desired(state_of(), read(text)).problems]
