"""The table of cases: what a condition answers on empty values, edges and mixed kinds, in SQL and in Python."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from tests.app.expressions.table import KINDS, PARAMS, PEOPLE, make_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.app.expressions.table import Comparer

EMPTY: dict[str, object] = dict.fromkeys(KINDS)
FULL: dict[str, object] = {
    "name": "Österreich AG", "company.name": "Österreich AG", "employees": 7, "score": Decimal("0.1"), "rank": 2**62,
    "amount": Decimal("1000.00"), "active": True, "close_on": date(2017, 3, 31), "opened_on": date(2017, 1, 1),
    "created_at": datetime(2016, 12, 31, 23, 30, tzinfo=UTC), "stage": "won", "company.industry": "retail",
    "owner": PEOPLE[0], "reports_to": PEOPLE[1], "tags": ["x", "y"], "email": ["ada@acme.com", "bob@example.org"],
    "body": "<p>x</p>",
}  # fmt: skip

#: condition → met by the full row, met by the empty row.
CASES: dict[str, tuple[bool, bool]] = {
    # Equality is total over values.
    'stage == "won"': (True, False),
    'stage != "won"': (False, True),
    '!(stage == "won")': (False, True),
    "amount == null": (False, True),
    "amount != null": (True, False),
    "null == amount": (False, True),
    "amount == 1000": (True, False),
    "1000.0 == amount": (True, False),
    "name == company.name": (True, True),
    "close_on != opened_on": (True, False),
    "active == true": (True, False),
    "active != true": (False, True),
    # Ordering, arithmetic and text functions on an empty value are unknown.
    "employees < 8": (True, False),
    "!(employees < 8)": (False, False),
    "!(employees >= 8)": (True, False),
    'name.contains("reich")': (True, False),
    '!name.contains("reich")': (False, False),
    "!active": (False, False),
    "employees + 1 != 3": (True, False),
    "employees + 1 == rank": (False, False),
    # Unknown is absorbed by && and ||.
    "employees < 8 || true": (True, True),
    "!(employees < 8 && false)": (True, True),
    # in
    'stage in ["won", "lost"]': (True, False),
    '!(stage in ["won", "lost"])': (False, True),
    'stage in ["lost", null]': (False, True),
    "employees in []": (False, False),
    "!(employees in [])": (True, True),
    "!(employees + 1 in [])": (True, False),
    "employees in [7, 8.5]": (True, False),
    "7 in [employees, 8]": (True, False),
    # The macro and lists.
    "has(amount)": (True, False),
    "!has(body)": (False, True),
    "has(company.name)": (True, False),
    "has(tags) && has(email)": (True, False),
    '"x" in tags': (True, False),
    '!("x" in tags)': (False, True),
    "size(tags) == 0": (False, True),
    'email == "bob@example.org"': (True, False),
    'email != "bob@example.org"': (False, True),
    'email.endsWith("@acme.com")': (True, False),
    'email.startsWith("bob@")': (True, False),
    'email.contains("nobody")': (False, False),
    'email in ["a@b.c", "ada@acme.com"]': (True, False),
    # Texts
    'name.startsWith("Öst")': (True, False),
    'name.endsWith("AG")': (True, False),
    'name.lower() == "österreich ag"': (True, False),
    "size(name) == 13": (True, False),
    'name + "!" == "Österreich AG!"': (True, False),
    'name < "Österreich B"': (True, False),
    # Numbers are exact; division to 12 places; by zero unknown.
    "score * 3 == 0.3": (True, False),
    "employees / 2 == 3.5": (True, False),
    "employees / 3 == 2.333333333333": (True, False),
    "employees / 0 == 1 || !(employees / 0 == 1)": (False, False),
    "-employees % 4 == -3": (True, False),
    "rank * rank > 9223372036854775807": (True, False),
    "amount / amount == 1": (True, False),
    # Dates: the day in the tenant's zone (Berlin: 2017-01-01 00:30).
    'close_on >= date("2017-01-01") && close_on < date("2017-04-01")': (True, False),
    'date(created_at) == date("2017-01-01")': (True, False),
    'created_at < timestamp("2017-01-01T00:00:00Z")': (True, False),
    'created_at > timestamp("2017-01-01T00:00:00")': (True, False),
    "created_at < now": (True, False),
    "close_on == today()": (True, False),
    "addDays(opened_on, 89) == close_on": (True, False),
    # Links and me
    "owner == me": (True, False),
    "owner != me": (False, True),
    f'reports_to == "{PEOPLE[1]}"': (True, False),
    'company.industry == "retail"': (True, False),
    # Ternary
    'active ? employees > 1 : stage == "lost"': (True, False),
    "(active ? employees : rank) == 7": (True, False),
}  # fmt: skip


@pytest.fixture(scope="module")
def pair(superuser_url: str) -> Iterator[Comparer]:
    """A full row and an empty one."""
    yield from make_table(superuser_url, [FULL, EMPTY])


@pytest.mark.parametrize("condition", CASES)
def test_a_case_of_the_table_holds_in_both_back_ends(pair: Comparer, condition: str) -> None:
    found = pair.both(condition)
    assert (0 in found, 1 in found) == CASES[condition]


def test_without_a_member_nothing_is_mine_and_nothing_is_not_mine(pair: Comparer) -> None:
    nobody = {**PARAMS, "me": None}
    assert pair.both("owner == me", nobody) == set()
    assert pair.both("owner != me", nobody) == set()


def test_dates_past_the_calendar_are_unknown_instead_of_an_error(pair: Comparer) -> None:
    assert pair.both('addDays(date("9999-12-31"), 1) > close_on') == set()
