"""No record makes a write, a list or the build of an index fail: values are kept, or refused in words."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any, Final

import pytest

from app.core.errors import InvalidInput
from app.records.query import ListQuery
from app.records.read import list_records
from app.records.write import create_record, update_record
from tenants.scope import enter_job
from tests.support.computed import shape
from tests.support.shaping import finish
from tests.support.tenants import PATIENT, owner_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.core.ports import Runtime
    from tenants.scope import Tenant, TenantScope
    from tests.support.tenants import NewTenant

CRATE: Final = """
kind: object
name: crate
label: {one: Crate, other: Crates}
title: [name, code]
default_sort: name
fields:
  name: {type: text, label: Name, indexed: true, searchable: true}
  code: {type: text, label: Code, unique: true, searchable: true}
  site: {type: url, label: Site, indexed: true}
  story: {type: long_text, label: Story, searchable: true}
  number: {type: decimal, label: Number, indexed: true}
  pieces: {type: integer, label: Pieces, indexed: true}
  price: {type: money, label: Price, indexed: true}
  share: {type: percent, label: Share}
  made: {type: date, label: Made, indexed: true}
  seen: {type: datetime, label: Seen, indexed: true}
  labels: {type: tags, label: Labels}
  place: {type: address, label: Place}
  company: {type: link, label: Company, to: company, inverse: crates}
  sum: {type: formula, label: Sum, returns: decimal, value: "number * pieces + number / pieces", indexed: true}
  square: {type: formula, label: Square, returns: integer, value: "pieces * pieces * pieces", indexed: true}
  part: {type: formula, label: Part, returns: percent, value: "share / number", indexed: true}
  worth: {type: formula, label: Worth, returns: money, value: "price * number", indexed: true}
  both: {type: formula, label: Both, returns: text, value: "concat(name, site, story, number)", indexed: true}
  years: {type: formula, label: Years, returns: integer, value: "years(made, date('2020-02-29'))", indexed: true}
  later: {type: formula, label: Later, returns: date, value: "addDays(made, 36525)", indexed: true}
  age: {type: formula, label: Age, returns: integer, value: "years(made, today())"}
  around: {type: formula, label: Around, returns: decimal, value: "company.total * number"}
---
{kind: field, name: company.total, type: rollup, label: Total, over: crates, function: sum, field: number,
 indexed: true}
---
{kind: field, name: company.most, type: rollup, label: Most, over: crates, function: max, field: pieces, indexed: true}
---
{kind: field, name: company.mean, type: rollup, label: Mean, over: crates, function: avg, field: price}
---
{kind: field, name: company.lately, type: rollup, label: Lately, over: crates, function: latest, field: name}
"""
_WIDE: Final = "".join(chr(0x20000 + (number * 7919) % 40_000) for number in range(125_000))
TEXTS: Final = [
    None, "", " ", "a", "Ünïcode", "👩‍👩‍👧‍👦" * 100, "\u05e9\u05dc\u05d5\u05dd \u202e\u05e2",
    "\u0646\u0635 \u0639\u200f", "e\u0301" * 400, "ﷺ" * 999, "'; drop table --", "\\%_", "%s %(x)s {}",
    "\u0000", "\ud800", "x" * 1_000, "x" * 1_001, _WIDE[:1_000], _WIDE[500:755], "İ" * 255, "\t\r\n",
    "\u2028", "\ufeff", "NULL", "-".join("ab" for _ in range(300)),
]  # fmt: skip
NUMBERS: Final = [
    None, 0, -0.0, 1, -1, "0.000000000000000001", "99999999999999999", "-99999999999999999.999999", 1e17, "1e999",
    "NaN", float("inf"), 2**53 - 1, -(2**53) + 1, 2**53, "", "seven", True, "123456789.123456789",
]  # fmt: skip
DATES: Final = [
    None, "0001-01-01", "9999-12-31", "2020-02-29", "0000-01-01", "10000-01-01", "2026-13-01", "1900-01-01", "",
]  # fmt: skip
VALUES: Final[dict[str, list[Any]]] = {
    "name": TEXTS,
    "code": TEXTS,
    "site": [None, "example.com", f"https://example.com/{_WIDE[:1_900]}", "x", f"http://e.com/{'a' * 1_980}", "\u0000"],
    "story": [*TEXTS, _WIDE, " ".join(_WIDE[at : at + 2] for at in range(0, 100_000, 2)), "x" * 250_001,
              " ".join(f"{_WIDE[at : at + 2]}-{_WIDE[at + 2 : at + 4]}" for at in range(0, 100_000, 4))],
    "number": NUMBERS,
    "pieces": NUMBERS,
    "price": [*NUMBERS, {"amount": "99999999999999999", "currency": "JPY"}, {"amount": "1", "currency": "QQQ"}, {}],
    "share": NUMBERS,
    "made": DATES,
    "seen": [*DATES, "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59-12:00",
             "0001-01-01T00:00:00+14:00"],
    "labels": [None, [], ["a"] * 3, ["x" * 100], TEXTS, [_WIDE[:255]], ["a", 1]],
    "place": [None, {}, {"city": _WIDE[:255]}, {"street": "x" * 256}, {"country": "DE", "city": "\u05e9"}, "somewhere"],
}  # fmt: skip
FILTERS: Final = [
    'name == "a"', 'name.startsWith("x")', 'name.contains("%")', "number > 1", "sum > 0", "square < 0", "part == 0",
    "worth > 1",
    'both.startsWith("a")', "years > 10", 'later > date("2000-01-01")', "age > 5", "around > 0", "company.total > 0",
    'made == date("9999-12-31")', "!has(name)", 'labels.contains("a")', "price / number > share", 'site != ""',
    "company.most + pieces > 0", 'upper(both) == "A"',
]  # fmt: skip


def act(runtime: Runtime, tenant: Tenant, what: Callable[[TenantScope], Any]) -> Any:
    """What ``what`` gives; None when it was refused in words."""
    try:
        with enter_job(
            runtime.databases, tenant.id, actor=owner_of(runtime.databases, tenant), write=True, budget=PATIENT
        ) as scope:
            return what(scope)
    except InvalidInput as refused:
        told = [error.message for error in refused.errors]
    assert all(told)
    return None


def write_many(runtime: Runtime, tenant: Tenant, count: int, seed: int) -> tuple[int, int]:
    """Records of extreme values; how many were kept and refused."""
    source = random.Random(seed)  # noqa: S311 - cases, no secrets
    companies = [act(runtime, tenant, lambda scope: create_record(scope, "company", {"name": "C"}))["id"] for _ in "ab"]
    kept: list[str] = []
    for number in range(count):
        fields = source.sample(sorted(VALUES), source.choice((1, 1, 2, 4)))
        values = {name: source.choice(VALUES[name]) for name in fields} | {"company": source.choice(companies)}
        values = (
            values if "code" not in values or not values["code"] else values | {"code": f"{number}{values['code']}"}
        )
        if kept and source.random() < 0.3:
            one = source.choice(kept)
            act(runtime, tenant, lambda scope, v=values, id_=one: update_record(scope, "crate", id_, v))
            continue
        record = act(runtime, tenant, lambda scope, v=values: create_record(scope, "crate", v))
        kept += [record["id"]] if record else []
    return len(kept), count


def read_all(runtime: Runtime, tenant: Tenant) -> None:
    """By every order and condition."""
    names = [
        *VALUES,
        "sum",
        "square",
        "part",
        "worth",
        "both",
        "years",
        "later",
        "age",
        "around",
        "company",
        "company.total",
    ]
    queries = [ListQuery(sort=f"{sign}{name}", limit=7) for name in names for sign in ("", "-")]
    queries += [ListQuery(filter=text, limit=200) for text in FILTERS]
    for query in queries:
        page = act(runtime, tenant, lambda scope, q=query: list_records(scope, "crate", q))
        if page is not None and page.next:
            following = ListQuery(sort=query.sort, filter=query.filter, limit=query.limit, cursor=page.next)
            assert act(runtime, tenant, lambda scope, q=following: list_records(scope, "crate", q)) is not None
    assert act(runtime, tenant, lambda scope: list_records(scope, "company", ListQuery())) is not None


def extremes(runtime: Runtime, tenant: Tenant, count: int, seed: int) -> tuple[int, int]:
    shape(runtime.databases, tenant, CRATE)
    told = write_many(runtime, tenant, count, seed)
    read_all(runtime, tenant)
    # Whatever is there, indexes on it can be built.
    plain = CRATE.replace(", indexed: true", ", indexed: false").replace("searchable: true", "searchable: false")
    shape(runtime.databases, tenant, plain)
    shape(runtime.databases, tenant, CRATE)
    assert {state for _, state, _ in finish(runtime, tenant)} <= {"done", "dropped"}
    read_all(runtime, tenant)
    return told


def test_extreme_records_are_kept_or_refused_and_everything_can_be_read(
    runtime: Runtime, new_tenant: NewTenant
) -> None:
    kept, count = extremes(runtime, new_tenant(), 120, 1)
    assert 30 < kept < count


@pytest.mark.scale
@pytest.mark.parametrize("seed", [2, 3, 4])
def test_many_extreme_records_are_kept_or_refused(runtime: Runtime, new_tenant: NewTenant, seed: int) -> None:
    kept, count = extremes(runtime, new_tenant(), 2_000, seed)
    assert 500 < kept < count
