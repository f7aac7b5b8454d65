from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest

from app.metadata import catalog, document
from app.metadata.icons import ICONS
from app.metadata.problems import InvalidComponents
from app.shaping.pages.objects import ICONS as OFFERED

if TYPE_CHECKING:
    from app.metadata.model import Catalog

#: OBJECTS.md, field by field: ``*`` required, ``!`` unique, ``~`` open, ``>`` link.
EVERY_RECORD = (
    "id uuid, external_id text !!, source_system text, version integer, created_at datetime, created_by link>member,"
    " updated_at datetime, updated_by link>member, deleted_at datetime, owner link>member, team link>team, tags tags"
)
WITH_PIPELINE = "pipeline pipeline, stage stage, stage_status select, stage_since datetime, closed_at datetime"
REACHED = "email email, emails emails, phone phone, phones phones"
OBJECTS = {
    "company": f"name text *, kind select *, relationship multi_select, domain domain !, website url, {REACHED},"
    " industry select ~, employees integer, annual_revenue money, parent link>company, billing_address address,"
    " shipping_address address, description long_text",
    "contact": f"first_name text, last_name text, {REACHED}, job_title text, department text, company link>company,"
    " reports_to link>contact, birthday date, lifecycle select, source select ~, address address,"
    " do_not_email boolean, do_not_call boolean, language text, description long_text",
    "affiliation": "contact link>contact *, company link>company *, role text, primary boolean, since date, until date",
    "company_relation": "company link>company *, related link>company *, kind select *, since date,"
    " until date, note text",
    "lead": f"first_name text, last_name text *, company_name text, job_title text, {REACHED}, website url,"
    " source select ~, status select *, rating select, industry select ~, employees integer, address address,"
    " do_not_email boolean, do_not_call boolean, description long_text, converted_company link>company,"
    " converted_contact link>contact, converted_deal link>deal, converted_at datetime",
    "deal": f"name text *, {WITH_PIPELINE}, amount money, amount_from_lines boolean, probability percent,"
    " company link>company, contact link>contact, product link>product, opened_on date, close_on date,"
    " deal_type select ~, source select ~, lost_reason select ~, next_step text, description long_text",
    "deal_contact": "deal link>deal *, contact link>contact *, role select ~, primary boolean",
    "deal_line": "deal link>deal *, product link>product, description text, quantity decimal *, unit_price money *,"
    " discount percent, tax_rate percent, total money, position integer",
    "product": "name text *, code text !, family select ~, price money, cost money, unit text, recurring select,"
    " active boolean, description long_text",
    "task": "title text *, body rich_text, due_at datetime, done_at datetime, priority select, assignee link>member",
    "note": "title text, body rich_text *",
    "interaction": "channel select *, direction select, subject text, body rich_text, starts_at datetime *,"
    " ends_at datetime, outcome select ~, thread text",
    "record_link": "from reference>task+note+interaction *, to reference>company+contact+lead+deal+product+task+note+"
    "interaction *, role select",
}


def described(name: str) -> set[str]:
    found: set[str] = set()
    for one in catalog.platform().objects[name].fields.values():
        text = f"{one.name} {one.type.name}" + (f">{'+'.join(one.to)}" if one.to else "")
        text += " *" * one.required + {"": "", "folded": " !", "exact": " !!"}[one.unique] + " ~" * one.open
        found.add(text)
    return found


@pytest.mark.parametrize("name", sorted(OBJECTS))
def test_an_object_has_exactly_the_fields_of_the_binding_list(name: str) -> None:
    expected = f"{EVERY_RECORD}, {OBJECTS[name]}"
    assert described(name) == {" ".join(part.split()) for part in expected.split(",")}


def test_there_are_no_other_objects() -> None:
    assert set(catalog.platform().objects) == set(OBJECTS)


@pytest.mark.parametrize(
    ("path", "options"),
    [
        ("company.kind", "organisation household"),
        ("company.relationship", "prospect customer partner supplier distributor competitor association other"),
        ("contact.lifecycle", "subscriber lead opportunity customer evangelist other"),
        ("company_relation.kind", "supplier distributor partner association competitor investor other"),
        ("lead.status", "new working qualified unqualified converted"),
        ("lead.rating", "hot warm cold"),
        ("product.recurring", "none month year"),
        ("task.priority", "low normal high"),
        ("interaction.channel", "meeting call email letter fax chat sms web social in_person other"),
        ("interaction.direction", "in out"),
        ("record_link.role", "about from to cc attendee organiser"),
        ("deal.stage", "new qualified meeting proposal negotiation won lost"),
        ("deal.pipeline", "sales"),
        ("deal.stage_status", "open won lost"),
    ],
)
def test_closed_options_are_those_of_the_binding_list(path: str, options: str) -> None:
    name, _, field_name = path.partition(".")
    one = catalog.platform().objects[name].fields[field_name]
    assert list(one.options) == options.split()
    assert not one.open
    assert all(option.label for option in one.options.values())


def test_the_sales_pipeline_has_the_agreed_probabilities() -> None:
    stages = catalog.platform().objects["deal"].pipelines["sales"].stages
    assert [stage.probability for stage in stages.values()] == ["0.1", "0.2", "0.4", "0.6", "0.8", "1", "0"]
    assert [stage.status for stage in stages.values()] == ["open"] * 5 + ["won", "lost"]


def test_defaults_are_values_their_own_type_takes(coercion: Any) -> None:
    for object_type in catalog.platform().objects.values():
        for one in object_type.fields.values():
            value = one.type.initial(one, coercion)
            assert (value is None) is (one.default is None), one.name
    deal = catalog.platform().objects["deal"].fields["opened_on"]
    assert deal.type.initial(deal, coercion) == coercion.today


def test_every_record_field_is_written_by_the_engine_or_by_people() -> None:
    fields = catalog.platform().objects["deal"].fields
    engine = {name for name, one in fields.items() if one.system}
    assert engine == {
        "id", "version", "created_at", "created_by", "updated_at", "updated_by", "deleted_at",
        "stage_status", "stage_since", "closed_at",
    }  # fmt: skip


def test_an_override_changes_one_object_and_shares_the_rest() -> None:
    path = "fields/industry/options/technolgy/label"
    base = catalog.platform()
    one = catalog.build(7, [("object/company", path, "technolgy")])
    two = catalog.build(9, [("object/company", path, "technolgy")])
    assert one.version == 7
    assert one.objects["company"].fields["industry"].options["technolgy"].label == "technolgy"
    assert "technolgy" not in base.objects["company"].fields["industry"].options
    assert one.objects["company"] is two.objects["company"]
    assert one.objects["contact"] is base.objects["contact"]
    assert one.objects["company"].spec_hash != base.objects["company"].spec_hash


def test_a_null_override_takes_a_leaf_away() -> None:
    built = catalog.build(2, [("object/company", "fields/domain/unique", None)])
    assert built.objects["company"].fields["domain"].unique == ""


@dataclass
class Rows:
    rows: list[tuple[object, ...]]

    def fetchall(self) -> list[tuple[object, ...]]:
        return self.rows


@dataclass
class Known:
    id: UUID


@dataclass
class Scope:
    """What whole asks a scope for."""

    version: int
    tenant: Known = field(default_factory=lambda: Known(uuid4()))
    asked: int = 0

    def execute(self, _query: str) -> Rows:
        self.asked += 1
        label = f"Sale {self.version}"
        return Rows([("override", "object/deal", "label/one", "Deal", label, None, None, None, False)])


def loaded(scope: Scope) -> Catalog:
    return catalog.whole(scope)  # pyright: ignore[reportArgumentType]


def test_the_overrides_are_read_once_a_version() -> None:
    scope = Scope(version=3)
    assert loaded(scope) is loaded(scope)
    assert scope.asked == 1
    scope.version = 4
    assert loaded(scope).objects["deal"].label == "Sale 4"
    assert scope.asked == 2


def test_every_name_an_object_shows_is_a_field() -> None:
    for object_type in catalog.platform().objects.values():
        shown = (*object_type.title, *object_type.title_else, *object_type.highlights, *object_type.list_columns)
        for name in shown:
            head, _, part = name.partition(".")
            if name != "title":
                assert not part or part in object_type.fields[head].type.parts
                assert head in object_type.fields


def test_primary_fields_name_their_lists() -> None:
    for object_type in catalog.platform().objects.values():
        for one in object_type.fields.values():
            if one.primary_of:
                assert object_type.fields[one.primary_of].type.name == one.type.name + "s"


def test_the_sprite_holds_the_icon_of_every_object() -> None:
    sprite = (Path(__file__).parents[3] / "app/ui/frontend/icons.txt").read_text().split()
    assert {object_type.icon for object_type in catalog.platform().objects.values()} <= set(sprite)


def test_an_object_may_have_the_icons_the_sprite_holds_and_no_others() -> None:
    sprite = (Path(__file__).parents[3] / "app/ui/frontend/icons.txt").read_text().split()
    assert sorted(ICONS) == sorted(set(sprite))
    assert set(OFFERED) <= set(ICONS)


@pytest.mark.parametrize(
    ("icon", "told"), [("pakage", "did you mean 'package'?"), ("zzz", "must be one of align-left")]
)
def test_an_icon_nobody_can_draw_is_refused_with_what_would_be_right(icon: str, told: str) -> None:
    with pytest.raises(InvalidComponents) as refused:
        document.parse([{"kind": "object", "name": "deal", "icon": icon}])
    message = str(refused.value.problems[0])
    assert message.startswith(f"object/deal: icon: is '{icon}'; {told}")
    assert (icon == "zzz") == ("more: docs/reference/schemas" in message)
