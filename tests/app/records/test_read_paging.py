"""Paging by any sort answers each record once, in the order of a plain Python sort."""

from __future__ import annotations

import base64
import unicodedata
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.records.keyset import WrongCursor
from app.records.query import ListQuery
from app.records.read import list_records
from tenants.scope import enter_job
from tests.support.tenants import owner_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from app.core.db import Databases
    from tenants.scope import TenantScope
    from tests.support.tenants import NewTenant

STAGES = ("new", "qualified", "meeting", "proposal", "negotiation", "won", "lost")
TEXTS = st.sampled_from(
    [None, "alpha", "Alpha", "älpha", "Beta", "ß", "SS", "", "é", "e", "Zeta", "日本", "%_\\", "a b"]
)
DEALS = st.lists(
    st.fixed_dictionaries(
        {
            "name": TEXTS,
            "amount": st.sampled_from([None, "0", "10", "10.5", "-3", "99999999999999999.25"]),
            "close_on": st.sampled_from([None, "2016-12-31", "2017-01-01", "2017-03-09"]),
            "stage": st.sampled_from([None, *STAGES]),
            "amount_from_lines": st.sampled_from([None, True, False]),
        }
    ),
    max_size=14,
)
SORTS = st.lists(
    st.sampled_from(["name", "title", "amount", "close_on", "stage", "amount_from_lines", "next_step", "created_at"]),
    unique=True,
    max_size=3,
).flatmap(lambda names: st.tuples(*[st.tuples(st.just(name), st.booleans()) for name in names]))


def key_of_text(text: str | None) -> str | None:
    """DESIGN §6 in Python."""
    if text is None:
        return None
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not "\u0300" <= c <= "\u036f")
    return plain.casefold()[:255]


READ: dict[str, Callable[[dict[str, Any]], Any]] = {
    "name": lambda row: key_of_text(row["name"]),
    "title": lambda row: key_of_text(row["name"]),
    "amount": lambda row: None if row["amount"] is None else float(row["amount"]["amount"]),
    "close_on": lambda row: row["close_on"],
    "stage": lambda row: None if row["stage"] is None else STAGES.index(row["stage"]),
    "amount_from_lines": lambda row: row["amount_from_lines"],
    "next_step": lambda row: key_of_text(row["next_step"]),
    "created_at": lambda row: row["created_at"],
}


def in_order(rows: Sequence[dict[str, Any]], sort: Sequence[tuple[str, bool]]) -> list[str]:
    """Ids by stable sorts from the last key to the first, empty values last in both directions."""
    ordered = sorted(rows, key=lambda row: row["id"], reverse=bool(sort) and sort[-1][1])
    for name, down in reversed(sort):
        read = READ[name]
        filled = sorted((row for row in ordered if read(row) is not None), key=read, reverse=down)
        if down:  # reverse=True keeps equal rows in their order, as the database does by its later keys
            filled = sorted((row for row in ordered if read(row) is not None), key=read, reverse=True)
        ordered = filled + [row for row in ordered if read(row) is None]
    return [row["id"] for row in ordered]


def insert(scope: TenantScope, deals: list[dict[str, Any]]) -> None:
    scope.execute("delete from o_deal")
    for deal in deals:
        scope.execute(
            "insert into o_deal (name, next_step, amount, amount__currency, close_on, stage, amount_from_lines)"
            " values (%s, %s, %s, %s, %s, %s, %s)",
            (
                deal["name"],
                deal["name"],
                deal["amount"],
                deal["amount"] and "EUR",
                deal["close_on"],
                deal["stage"],
                deal["amount_from_lines"],
            ),
        )


def walk(scope: TenantScope, sort: str, limit: int) -> list[str]:
    ids: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = list_records(scope, "deal", ListQuery(sort=sort, limit=limit, cursor=cursor))
        assert page.next is None or len(page.rows) == limit
        ids += [str(row["id"]) for row in page.rows]
        cursor = page.next
    return ids


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(deals=DEALS, sort=SORTS, limit=st.integers(min_value=1, max_value=5))
def test_paging_by_any_sort_answers_each_record_once_in_order(
    scope: TenantScope, deals: list[dict[str, Any]], sort: tuple[tuple[str, bool], ...], limit: int
) -> None:
    insert(scope, deals)
    everything: list[dict[str, Any]] = list_records(scope, "deal", ListQuery(limit=200)).rows
    text = ",".join(("-" if down else "") + name for name, down in sort)
    if not text:
        sort, text = (("created_at", True),), ""
    assert walk(scope, text, limit) == in_order(everything, sort)


def test_a_record_made_while_paging_does_not_shift_the_pages(scope: TenantScope) -> None:
    insert(
        scope,
        [{"name": name, "amount": None, "close_on": None, "stage": None, "amount_from_lines": None} for name in "bdf"],
    )
    first = list_records(scope, "deal", ListQuery(sort="name", limit=2, fields=("name",)))
    scope.execute("insert into o_deal (name) values ('a'), ('e')")
    second = list_records(scope, "deal", ListQuery(sort="name", limit=2, fields=("name",), cursor=first.next or ""))
    assert [row["name"] for row in first.rows + second.rows] == ["b", "d", "e", "f"]


DISTURBANCES = st.lists(
    st.lists(
        st.tuples(
            st.sampled_from(["insert", "edit", "trash", "destroy"]),
            st.integers(min_value=0, max_value=30),
            st.fixed_dictionaries(
                {
                    "name": TEXTS,
                    "amount": st.sampled_from([None, "0", "5", "10", "-7"]),
                    "close_on": st.sampled_from([None, "2015-01-01", "2017-01-01", "2019-01-01"]),
                    "stage": st.sampled_from([None, *STAGES]),
                }
            ),
        ),
        max_size=3,
    ),
    min_size=1,
    max_size=6,
)


def disturb(scope: TenantScope, act: str, at: int, values: dict[str, Any], touched: set[str]) -> None:
    """What somebody else does between two pages; ``touched`` learns the records that did not stay as they were."""
    ids = [
        str(row[0]) for row in scope.execute("select id from o_deal where deleted_at is null order by id").fetchall()
    ]
    if act == "insert" or not ids:
        made = scope.execute(
            "insert into o_deal (name, next_step, amount, amount__currency, close_on, stage)"
            " values (%(name)s, %(name)s, %(amount)s, 'EUR', %(close_on)s, %(stage)s) returning id",
            values,
        ).fetchone()
        assert made is not None
        touched.add(str(made[0]))
        return
    chosen = ids[at % len(ids)]
    touched.add(chosen)
    if act == "edit":
        scope.execute(
            "update o_deal set name = %(name)s, next_step = %(name)s, amount = %(amount)s, close_on = %(close_on)s,"
            " stage = %(stage)s, updated_at = clock_timestamp() where id = %(id)s",
            {**values, "id": chosen},
        )
    elif act == "trash":
        scope.execute("update o_deal set deleted_at = now() where id = %s", (chosen,))
    else:
        scope.execute("delete from o_deal where id = %s", (chosen,))


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    deals=DEALS.filter(lambda deals: len(deals) > 3),
    sort=SORTS.filter(bool),
    limit=st.integers(min_value=1, max_value=4),
    disturbances=DISTURBANCES,
)
def test_records_nobody_touches_are_met_once_in_order_whatever_happens_to_others_between_the_pages(
    scope: TenantScope,
    deals: list[dict[str, Any]],
    sort: tuple[tuple[str, bool], ...],
    limit: int,
    disturbances: list[list[tuple[str, int, dict[str, Any]]]],
) -> None:
    insert(scope, deals)
    everything: list[dict[str, Any]] = list_records(scope, "deal", ListQuery(limit=200)).rows
    text = ",".join(("-" if down else "") + name for name, down in sort)
    met: list[str] = []
    touched: set[str] = set()
    cursor: str | None = ""
    pages = 0
    while cursor is not None:
        page = list_records(scope, "deal", ListQuery(sort=text, limit=limit, cursor=cursor))
        met += [str(row["id"]) for row in page.rows]
        cursor = page.next
        for act, at, values in disturbances[pages] if pages < len(disturbances) else ():
            disturb(scope, act, at, values, touched)
        pages += 1
    stayed = [row for row in everything if row["id"] not in touched]
    assert [one for one in met if one not in touched] == in_order(stayed, sort)


@pytest.mark.parametrize("cursor", ["x", "AAAA", "é", "a" * 400, "=="])
def test_what_is_no_cursor_is_refused(scope: TenantScope, cursor: str) -> None:
    with pytest.raises(WrongCursor) as refused:
        list_records(scope, "deal", ListQuery(cursor=cursor))
    assert refused.value.errors[0].pointer == "?cursor"


def test_a_cursor_of_another_sort_or_object_is_refused(scope: TenantScope) -> None:
    insert(
        scope, [{"name": n, "amount": None, "close_on": None, "stage": None, "amount_from_lines": None} for n in "ab"]
    )
    cursor = list_records(scope, "deal", ListQuery(sort="name", limit=1)).next
    assert cursor is not None
    with pytest.raises(WrongCursor):
        list_records(scope, "deal", ListQuery(sort="-name", cursor=cursor))
    with pytest.raises(WrongCursor):
        list_records(scope, "company", ListQuery(sort="name", cursor=cursor))
    changed = ("A" if cursor[0] != "A" else "B") + cursor[1:]
    with pytest.raises(WrongCursor):
        list_records(scope, "deal", ListQuery(sort="name", cursor=changed))


def test_a_cursor_goes_on_only_in_its_workspace_under_its_filter(
    scope: TenantScope, databases: Databases, new_tenant: NewTenant
) -> None:
    insert(
        scope, [{"name": n, "amount": None, "close_on": None, "stage": None, "amount_from_lines": None} for n in "abc"]
    )
    asked = ListQuery(sort="name", limit=1, filter='name != "b"')
    cursor = list_records(scope, "deal", asked).next
    assert cursor is not None
    assert [row["name"] for row in list_records(scope, "deal", replace(asked, cursor=cursor)).rows] == ["c"]
    for other in (replace(asked, filter=""), replace(asked, filter='name != "a"'), replace(asked, trash="with")):
        with pytest.raises(WrongCursor) as refused:
            list_records(scope, "deal", replace(other, cursor=cursor))
        assert [(one.pointer, one.code) for one in refused.value.errors] == [("?cursor", "cursor.invalid")]
    tenant = new_tenant()
    actor = owner_of(databases, tenant)
    with enter_job(databases, tenant.id, actor=actor, write=False) as elsewhere, pytest.raises(WrongCursor):
        list_records(elsewhere, "deal", replace(asked, cursor=cursor))


def test_no_bit_of_a_cursor_can_be_changed(scope: TenantScope) -> None:
    insert(
        scope, [{"name": n, "amount": "1", "close_on": None, "stage": "new", "amount_from_lines": None} for n in "ab"]
    )
    asked = ListQuery(sort="-amount,close_on,name", limit=1)
    cursor = list_records(scope, "deal", asked).next
    assert cursor is not None
    raw = bytearray(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    for at in range(len(raw)):
        raw[at] ^= 1
        forged = base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
        raw[at] ^= 1
        with pytest.raises(WrongCursor):
            list_records(scope, "deal", replace(asked, cursor=forged))
