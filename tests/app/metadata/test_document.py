from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given

from app.metadata.document import export, parse, read, read_folder, to_files, to_yaml, whole
from app.metadata.problems import InvalidComponents
from tests.support.documents import MACHINE, documents, platform

if TYPE_CHECKING:
    from pathlib import Path


def wrong(text: str) -> list[str]:
    with pytest.raises(InvalidComponents) as caught:
        whole(read(text, "machine.yaml"))
    return [error.message for error in caught.value.errors]


@given(documents())
def test_what_is_exported_reads_as_the_same_document(document: dict) -> None:
    assert whole(read(to_yaml(document))) == document
    assert whole(parse(export(document))) == document


def test_the_platform_is_the_same_after_a_round_trip() -> None:
    assert whole(read(to_yaml(platform()))) == platform()


def test_an_export_is_stable_whatever_the_order_of_leaves() -> None:
    shuffled = {name: dict(reversed(leaves.items())) for name, leaves in reversed(platform().items())}
    assert to_yaml(shuffled) == to_yaml(platform())


def test_a_folder_reads_as_what_it_was_written_from(tmp_path: Path) -> None:
    for name, text in to_files(platform()).items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    assert whole(read_folder(tmp_path)) == platform()
    assert (tmp_path / "object" / "deal.yaml").exists()


def test_an_export_shows_no_ranks_that_say_what_the_order_says() -> None:
    text = to_yaml(whole(read(MACHINE)))
    assert "rank" not in text
    assert "serial: {type: text, label: Serial, required: true}" in text
    assert "title: serial" in text


def test_an_item_that_was_moved_shows_its_rank() -> None:
    document = whole(read(MACHINE))
    document["object/machine"]["fields/state/rank"] = "015"
    text = to_yaml(document)
    assert text.index("state:") < text.index("company:")
    assert "rank: '015'" in text
    assert whole(read(text)) == document


def test_lists_are_maps_whose_order_is_meant() -> None:
    listed = MACHINE.replace("{new: New, used: Used}", "[{name: new, label: New}, {name: used, label: Used}]")
    assert whole(read(listed)) == whole(read(MACHINE))


def test_texts_stay_texts() -> None:
    document = whole(read("{kind: option_set, name: words, label: no, options: {no: on, in: 2026-01-01, y: ~}}"))
    assert document["option_set/words"] == {
        "label": "no", "options/no/label": "on", "options/in/label": "2026-01-01",
        "options/no/rank": "010", "options/in/rank": "020", "options/y/rank": "030",
    }  # fmt: skip


def test_parts_of_an_object_are_written_by_themselves() -> None:
    document = whole(
        read(
            MACHINE
            + """
---
kind: field
name: machine.bought
type: date
---
kind: stage
name: care.scrapped
status: cancelled
---
kind: pipeline
name: machine.sale
label: Sale
stages: {offered: {status: open}}
---
kind: link
name: machine.keeper
to: contact
"""
        )
    )
    machine = document["object/machine"]
    assert list(document) == ["object/machine"]
    assert (machine["fields/bought/type"], machine["fields/bought/rank"]) == ("date", "050")
    assert machine["pipelines/care/stages/scrapped/rank"] == "030"
    assert machine["pipelines/sale/stages/offered/status"] == "open"
    assert (machine["fields/keeper/type"], machine["fields/keeper/to"]) == ("link", ["contact"])


def test_a_stage_several_objects_have_is_asked_for_by_its_object() -> None:
    other = MACHINE.replace("machine", "engine")
    (message,) = wrong(f"{MACHINE}\n---\n{other}\n---\n{{kind: stage, name: care.gone, status: done}}")
    assert "several objects have: say engine.care.gone, machine.care.gone" in message
    (message,) = wrong("{kind: stage, name: car.gone, status: done}")
    assert "there is no pipeline 'car'" in message


def test_a_link_to_many_is_an_object_that_holds_pairs() -> None:
    document = whole(read("{kind: link, name: deal.partners, label: Partners, to: company, many: true}"))
    pairs = document["object/deal_partners"]
    for end, inverse in (("deal", "partners"), ("company", "partners_of")):
        assert pairs[f"fields/{end}/to"] == [end]
        assert pairs[f"fields/{end}/inverse"] == inverse
        assert pairs[f"fields/{end}/on_delete"] == "cascade"
        assert pairs[f"fields/{end}/required"] is True
    assert pairs["navigation"] is False


def test_numbers_with_a_fraction_are_kept_exactly() -> None:
    for form in ("0.1", '"0.1"'):
        text = f"{{kind: currency, name: USD, rates: {{2026-01-01: {form}}}}}"
        assert whole(read(text))["currency/USD"]["rates/2026-01-01"] == "0.1"
    assert whole(parse([{"kind": "currency", "name": "USD", "rates": {"2026-01-01": 1e-07}}]))["currency/USD"] == {
        "rates/2026-01-01": "0.0000001"
    }


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("type: text", "type: texd"), "fields.serial.type: is 'texd'; did you mean 'text'?"),
        (("required: true", "requird: true"), "fields.serial.requird: is not known; did you mean 'required'?"),
        (("required: true", "required: 3"), "fields.serial.required: is 3; must be true or false"),
        (("  serial:", "  Serial:"), "fields.Serial: 'Serial' must be snake_case of at most 50 characters"),
        (("new: New", "new: {color: crimson}"), "fields.state.options.new.color: is 'crimson'; must be one of"),
        (("new: New", "new: 3"), "fields.state.options.new: must be a map with label, color"),
        (("status: open", "status: opne"), "pipelines.care.stages.running.status: is 'opne'; did you mean 'open'?"),
        (("name: machine", "name: Machine"), "name: 'Machine' must be snake_case"),
        (("name: machine", "nam: machine"), "name: is missing"),
        (("kind: object", "kind: objekt"), "kind: is 'objekt', which is no kind; did you mean 'object'?"),
        (("kind: object", "kind: ["), "the document: is not YAML:"),
        (("title: serial", "title: []"), "title: must not be empty"),
        (("fields:", "fields: {a: {type: text}}\nfields:"), "the document: is not YAML: 'fields' stands twice (line"),
        (("fields:", "label: *x\nfields:"), "the document: is not YAML:"),
        (("label: {one: Machine, other: Machines}", "label: Machine"), "label: must be a map with one, other"),
        (("{type: money, label: Price}", "[1]"), "fields.price: must be a map with type"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_place_and_what_would_be_right(change: tuple[str, str], message: str) -> None:
    assert wrong(MACHINE.replace(*change, 1))[0].startswith(f"machine.yaml: {message}")


def test_every_mistake_is_named_not_only_the_first() -> None:
    text = MACHINE.replace("type: text", "type: texd").replace("required: true", "requird: true")
    assert len(wrong(text)) == 2


def test_mistakes_in_what_the_api_was_sent_point_into_the_body() -> None:
    body = [{"kind": "object", "name": "a"}, {"kind": "field", "name": "deal.x", "type": "texd"}]
    with pytest.raises(InvalidComponents) as caught:
        parse(body)
    (error,) = caught.value.errors
    assert (error.pointer, error.code) == ("/components/1/fields/x/type", "enum")


def test_names_of_anything_can_hold_no_separator() -> None:
    assert wrong("{kind: option_set, name: a, label: A, options: {x/label: y}}")
    assert wrong("{kind: object, name: a/b}")
    assert wrong("{kind: field, name: a/b.c}")


def test_a_layer_takes_nothing_away() -> None:
    (message,) = wrong("{kind: field, name: deal.amount, remove: true}")
    assert message.endswith("a layer states what there is: it removes and resets nothing")


def test_a_default_may_be_a_formula() -> None:
    document = whole(read(MACHINE.replace("{type: money, label: Price}", "{type: date, default: {value: today()}}")))
    assert document["object/machine"]["fields/price/default_formula"] == "today()"


def test_characters_no_database_keeps_are_refused() -> None:
    assert wrong('{kind: option_set, name: a, label: "a\\0b"}') == [
        "machine.yaml: label: holds a character that can't be kept (NUL, or half of a pair)"
    ]
    with pytest.raises(InvalidComponents):
        parse([{"kind": "view", "name": "deal.a", "label": "A", "sort": ["\ud800"]}])


def test_a_long_mistake_is_shown_shortly() -> None:
    (message,) = wrong(f"{{kind: field, name: deal.a, type: {'x' * 10_000}}}")
    assert len(message) < 1_000
