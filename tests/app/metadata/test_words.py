from __future__ import annotations

from app.metadata.changeset import Changes, LeafChange, desired
from app.metadata.document import read
from app.metadata.words import words
from tests.support.documents import MACHINE, state_of


def told(text: str, before: str = MACHINE) -> list[str]:
    changes: Changes = desired(state_of(before), read(text))
    assert not changes.problems
    sentences = words(changes.leaves, changes.renames, changes.before, changes.after)
    later = words(changes.leaves, changes.renames, after=changes.after)
    assert sorted(later) == sorted(sentences), "a later document will do"
    return sentences


def test_what_came_is_told_with_what_it_is() -> None:
    assert told("{kind: field, name: deal.vat_id, type: text}") == ["Field Vat id added to Deal (text)"]
    size = "{kind: field, name: deal.size, type: select, label: Size, options: {s: {label: S}}}"
    assert told(size)[0] == "Field Size added to Deal (one choice)"
    assert told("{kind: stage, name: deal.sales.signed, status: won}") == ["Stage Signed added to Sales of Deal"]
    assert told("{kind: view, name: machine.all, label: All of them}") == ["View All of them added to Machine"]
    assert told("{kind: field, name: deal.source, options: {fair: Fair}}") == ["Option Fair added to Source of Deal"]


def test_an_object_is_told_with_its_fields_once() -> None:
    changes = desired(state_of(), read(MACHINE))
    assert words(changes.leaves, (), changes.before, changes.after) == [
        "Object Machine added with Serial, Company, Price, State"
    ]


def test_what_went_is_told_whether_it_was_hidden_or_is_gone() -> None:
    bare = MACHINE.replace(", price]", "]")
    assert told("{kind: field, name: machine.price, remove: true}", bare) == ["Field Price removed from Machine"]
    assert told("{kind: field, name: task.priority, remove: true}") == ["Field Priority removed from Task"]
    assert told("{kind: object, name: machine, remove: true}") == ["Object Machine removed"]


def test_changes_are_told_with_both_values() -> None:
    assert told("{kind: stage, name: sales.new, probability: 0.9}") == [
        "Stage New of Sales of Deal: probability 0.1 → 0.9"
    ]
    assert told("{kind: field, name: machine.serial, required: false, help: On its back}") == [
        "Field Serial of Machine: help On its back; required yes → no"
    ]
    assert told("{kind: object, name: deal, help: null}") == ["Object Deal: help A sale in the making. taken away"]
    assert told("{kind: object, name: machine, list_columns: [serial]}") == [
        "Object Machine: list columns serial, company, price → serial"
    ]


def test_a_move_and_a_rename_are_told_as_such() -> None:
    assert told("{kind: object, name: machine, fields: [price, serial, company, state]}") == [
        "Field Price of Machine: moved"
    ]
    bare = MACHINE.replace(", price]", "]")
    assert told("{kind: field, name: machine.cost, renamed_from: price, label: Cost}", bare) == [
        "Field Cost of Machine: name price → cost",
        "Field Cost of Machine: label Price → Cost",
    ]


def test_long_texts_are_cut() -> None:
    (sentence,) = told(f"{{kind: object, name: deal, help: {'x' * 200}}}")
    assert len(sentence) < 110


def test_the_changes_own_leaves_will_do() -> None:
    change = LeafChange("object/deal", "pipelines/sales/stages/won/probability", "1", "0.9")
    assert words([change]) == ["Stage Won of Sales of Deal: probability 1 → 0.9"]


def test_what_a_role_may_is_told_by_object_field_and_record() -> None:
    before = (
        "{kind: role, name: auditor, label: Auditor, objects: {'*': {read: all, bulk: false}, machine: {edit: own}}, "
        "special: []}"
    )
    after = (
        "{kind: role, name: auditor, objects: {'*': {bulk: true}, machine: {edit: all}}, special: [members], "
        "fields: {machine: {price: none}}, rows: {machine: {read: 'has(price)'}}}"
    )
    sentence = (
        "Role Auditor: field Price of Machine none; bulk every other object no → yes; edit Machine own → all; "
        "read Machine also when has(price); further rights none → members"
    )
    assert told(after, f"{MACHINE}---\n{before}\n") == [sentence]
