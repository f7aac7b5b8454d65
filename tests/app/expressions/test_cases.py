"""The table of cases: what a condition answers on empty values, edges and mixed kinds, in SQL and in Python."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from app.expressions import check_answer
from tests.app.expressions.table import KINDS, OPTIONS, PARAMS, PEOPLE, Fields, make_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.app.expressions.table import Comparer

EMPTY: dict[str, object] = {name: None for name in [*KINDS, "amount currency"]}  # noqa: C420 - typed
FULL: dict[str, object] = {
    "name": "Österreich AG", "company.name": "Österreich AG", "employees": 7, "score": Decimal("0.1"), "rank": 2**62,
    "amount": Decimal("1000.00"), "active": True, "close_on": date(2017, 3, 31), "opened_on": date(2017, 1, 1),
    "created_at": datetime(2016, 12, 31, 23, 30, tzinfo=UTC), "stage": "won", "company.industry": "retail",
    "closed_at": datetime(2017, 2, 1, tzinfo=UTC), "opens": time(9, 30, 15), "took": Decimal(5400),
    "owner": PEOPLE[0], "reports_to": PEOPLE[1], "tags": ["x", "y"], "email": ["ada@acme.com", "bob@example.org"],
    "body": "<p>x</p>", "amount currency": "EUR", "cost": Decimal(10), "cost currency": "JPY",
    "deals": [
        {"title": "first", "value": Decimal(5), "owner": PEOPLE[0], "closed_on": date(2017, 1, 1), "parts": []},
        {"title": "second", "value": None, "owner": None, "closed_on": None, "parts": [{"title": "wheel"}]},
    ],
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
    # Numbers
    "abs(-employees) == 7": (True, False),
    "round(score * 25) == 3": (True, False),
    "round(-score * 25) == -3": (True, False),
    "round(amount / 3, 2) == 333.33": (True, False),
    "round(score, 13) == score || round(score, 13) != score": (False, False),
    "floor(-score) == -1 && ceil(score) == 1": (True, False),
    "min(employees, 5, score) == score": (True, False),
    "max(employees, 5, score) == 7": (True, False),
    "max(opened_on, close_on) == close_on": (True, False),
    "sign(amount) == 1": (True, False),
    "int(-score) == 0 && int(employees * 0.99) == 6": (True, False),
    'int("42") == 42 && double("1e2") == 100': (True, True),
    "int(name) == 1 || int(name) != 1": (False, False),
    "-employees / 3 == -2.333333333333 && employees / -2 == -3.5 && -employees / -2 == 3.5": (True, False),
    "round(employees * 1.5, 0) == 11 && round(score, 12) == score": (True, False),
    "round(score, 13) == null || round(score, -1) == null || round(score, 0.5) == null": (False, False),
    "(employees / 0) == null || (employees % 0) == null": (False, False),
    "int(name) == null || double(name) == null || bool(name) == null": (False, False),
    # More of texts
    'name.replace("e", "E") == "ÖstErrEich AG" && name.replace("Ö", "") == "sterreich AG"': (True, False),
    f'size(name.replace("e", "{"x" * 1000}").replace("x", "{"y" * 1000}")) > 0': (False, False),
    f'size(name.replace("e", "{"x" * 1000}")) == 2011': (True, False),
    "name.substring(0.5) == null || name.substring(5, 3) == null || name.substring(-1) == null": (False, False),
    'name.substring(0, 13) == name && name.substring(13) == "" && name.substring(3, 3) == ""': (True, False),
    'name.upper() == "ÖSTERREICH AG"': (True, False),
    '(" " + name + "\u00a0").trim() == name': (True, False),
    'name.replace("e", "") == "Östrrich AG"': (True, False),
    'name.replace("", "x") == name': (True, False),
    'name.substring(0, 4) == "Öste"': (True, False),
    'name.substring(11) == "AG"': (True, False),
    'name.substring(14) == "" || name.substring(14) != ""': (False, False),
    'name.indexOf("AG") == 11 && name.indexOf("x") == -1': (True, False),
    'string(amount) == "1000" && string(employees) == "7"': (True, False),
    'string(score) == "0.1" && string(active) == "true"': (True, False),
    'string(close_on) == "2017-03-31" && string(stage) == "won"': (True, False),
    'bool("t") && !bool("FALSE")': (True, True),
    "false < true": (True, True),
    # Lists
    'hasAny(tags, ["z", "x"]) && !hasAny(tags, ["z"])': (True, False),
    'hasAll(tags, ["y", "x"]) && !hasAll(tags, ["y", "z"])': (True, False),
    '!hasAll(email, ["nobody"])': (True, True),
    # More of days
    "year(close_on) == 2017 && quarter(close_on) == 1 && month(close_on) == 3 && day(close_on) == 31": (True, False),
    "week(close_on) == 13 && weekday(close_on) == 5": (True, False),
    "year(created_at) == 2017 && hour(created_at) == 0 && minute(created_at) == 30": (True, False),
    'startOfMonth(close_on) == date("2017-03-01") && startOfQuarter(close_on) == opened_on': (True, False),
    'startOfYear(close_on) == opened_on && startOfWeek(close_on) == date("2017-03-27")': (True, False),
    'addMonths(close_on, -1) == date("2017-02-28") && addYears(close_on, 1) == date("2018-03-31")': (True, False),
    "daysBetween(opened_on, close_on) == 89": (True, False),
    'weekday(date("2017-01-01")) == 7 && week(date("2017-01-01")) == 52': (True, True),
    'timestamp(1485864000) == timestamp("2017-01-31T12:00:00Z") && int(timestamp(99)) == 99': (True, True),
    'int(timestamp(0) - duration("0.5s")) == -1': (True, True),
    'addMonths(date("0001-01-31"), 1) == date("0001-02-28")': (True, True),
    'addMonths(date("9999-11-30"), 1) == date("9999-12-30")': (True, True),
    'addMonths(date("0001-01-31"), -1) == null || addMonths(date("9999-12-01"), 1) == null': (False, False),
    'addMonths(date("2016-12-15"), 1) == date("2017-01-15") && quarter(date("2017-12-31")) == 4': (True, True),
    'startOfQuarter(date("2017-12-31")) == date("2017-10-01") && quarter(date("2017-04-01")) == 2': (True, True),
    'date(timestamp("9999-12-31T23:59:59Z")) == null || hour(timestamp("9999-12-31T23:59:59Z")) == null': (
        False,
        False,
    ),
    'minute(timestamp("9999-12-31T23:59:59Z")) == null || addDays(date("9999-12-31"), 1) == null': (False, False),
    '(timestamp("9999-12-31T23:59:59Z") + duration("1s")) == null': (False, False),
    'timestamp("9999-12-31T23:59:59Z") + duration("999999us") > now': (True, True),
    'timestamp("0001-01-01T00:00:00Z") - duration("0s") < now': (True, True),
    '(timestamp("0001-01-01T00:00:00Z") - duration("1us")) == null': (False, False),
    # Whole months and years lie between two days
    "months(opened_on, close_on) == 2 && months(close_on, opened_on) == -2": (True, False),
    'months(date("2016-02-29"), date("2017-02-28")) == 11 && years(date("2016-02-29"), date("2017-02-28")) == 0': (
        True,
        True,
    ),
    'months(date("2016-02-29"), date("2017-03-01")) == 12 && years(date("2016-02-29"), date("2017-03-01")) == 1': (
        True,
        True,
    ),
    'months(date("2017-03-15"), date("2017-04-15")) == 1 && months(date("2017-04-15"), date("2017-03-15")) == -1': (
        True,
        True,
    ),
    'months(date("2017-03-15"), date("2017-03-14")) == 0 && months(date("2017-03-14"), date("2017-03-15")) == 0': (
        True,
        True,
    ),
    'months(date("2017-04-15"), date("2017-03-16")) == 0 && months(date("2017-03-16"), date("2017-04-15")) == 0': (
        True,
        True,
    ),
    'years(date("2017-03-15"), date("1990-03-16")) == -26 && years(date("1990-03-15"), date("2017-03-15")) == 27': (
        True,
        True,
    ),
    'months(date("1990-01-01"), date("2017-12-31")) == 335 && years(date("2017-12-31"), date("1990-01-01")) == -27': (
        True,
        True,
    ),
    # Lengths of time
    'now - created_at == duration("24h30m")': (True, False),
    'close_on - opened_on == duration("89d")': (True, False),
    'created_at + duration("30m") == timestamp("2017-01-01T00:00:00Z")': (True, False),
    'duration("-30m") + now < now && now - duration("1ms") < now': (True, True),
    "days(now - created_at) > 1.02 && hours(now - created_at) == 24.5": (True, False),
    "(now - created_at) / 2 < now - created_at": (True, False),
    '(now - created_at) / duration("1h") == 24.5 && -(now - created_at) < duration("0s")': (True, False),
    'days(duration("36h")) == 1.5 && hours(duration("90m")) == 1.5 && days(duration("864s")) == 0.01': (True, True),
    'minutes(duration("2h")) == 120 && seconds(duration("1.5s")) == 1.5': (True, True),
    'took > duration("1h") && took != duration("90m1s")': (True, False),
    "took == null": (False, True),
    '!(took < duration("1h"))': (True, False),
    'took * 2 - duration("1h") == duration("2h") && hours(took) == 1.5': (True, False),
    'created_at + took == timestamp("2017-01-01T01:00:00Z")': (True, False),
    'took in [duration("90m"), duration("1s")]': (True, False),
    'max(took, duration("2h")) == duration("2h")': (True, False),
    # Times of day
    'opens == time("09:30:15") && opens > time("09:30")': (True, False),
    'opens != time("09:30")': (True, True),
    "has(opens) && hour(opens) == 9 && minute(opens) == 30": (True, False),
    'opens in [time("09:30:15"), time("00:00")]': (True, False),
    'min(opens, time("08:00")) == time("08:00")': (True, False),
    'coalesce(opens, time("07:00")) >= time("07:00")': (True, True),
    '(opens < time("12:00") ? opens : time("12:00")) < time("10:00")': (True, False),
    # Records that link here
    'any(deals, title == "first")': (True, False),
    'any(deals, title == "third")': (False, False),
    '!any(deals, title == "third")': (True, True),
    'any(deals, title == "second" && value > 1)': (False, False),
    "any(deals, value == null) && any(deals, owner == me)": (True, False),
    'any(deals, any(parts, title == "wheel"))': (True, False),
    'any(deals, title == "first" && any(parts, true))': (False, False),
    # Ternary
    'active ? employees > 1 : stage == "lost"': (True, False),
    "(active ? employees : rank) == 7": (True, False),
}  # fmt: skip

#: Formula, what it returns → its columns' values in the full row, in the empty row (moments by clocks of UTC).
ANSWERS: dict[tuple[str, str], tuple[list[object], list[object]]] = {
    ("name", "text"): (["Österreich AG"], [None]),
    ('name.replace("Österreich AG", "")', "text"): ([None], [None]),
    (f'name + "{"x" * 1_000}"', "text"): (["Österreich AG" + "x" * 987], [None]),
    ("stage", "select"): (["won"], [None]),
    ("name", "select"): ([None], [None]),
    ('name.lower() == "österreich ag"', "boolean"): ([True], [None]),
    # Half up, away from zero; whole numbers to 2⁵³ - 1.
    ("employees * 1.5", "integer"): ([11], [None]),
    ("employees * -1.5", "integer"): ([-11], [None]),
    ("rank", "integer"): ([None], [None]),
    ("employees - 7 + 9007199254740991", "integer"): ([2**53 - 1], [None]),
    ("employees - 7 + 9007199254740992", "integer"): ([None], [None]),
    ("7 - employees - 9007199254740991", "integer"): ([1 - 2**53], [None]),
    ("7 - employees - 9007199254740992", "integer"): ([None], [None]),
    # Twelve places, below 10¹⁸.
    ("employees / 3", "decimal"): ([Decimal("2.333333333333")], [None]),
    ("employees * 0.0000000000005 / 5", "decimal"): ([Decimal("0.000000000001")], [None]),
    ("-score / 2", "percent"): ([Decimal("-0.05")], [None]),
    ("employees - 7 + 999999999999999999.9", "decimal"): ([Decimal("999999999999999999.9")], [None]),
    ("employees - 7 + 1000000000000000000", "decimal"): ([None], [None]),
    ("7 - employees - 1000000000000000000", "decimal"): ([None], [None]),
    # Money to its currency's minor unit; without a currency there is none, of two currencies there is none.
    ("amount / 3", "money"): ([Decimal("333.33"), "EUR"], [None, None]),
    ("-amount / 6", "money"): ([Decimal("-166.67"), "EUR"], [None, None]),
    ("employees * 0.125", "money"): ([Decimal("0.88"), "EUR"], [None, None]),
    ("amount + cost", "money"): ([None, None], [None, None]),
    ("cost / 3", "money"): ([Decimal(3), "JPY"], [None, None]),
    ("coalesce(amount, 5)", "money"): ([Decimal(1000), "EUR"], [Decimal(5), "EUR"]),
    ("coalesce(cost, amount)", "money"): ([Decimal(10), "JPY"], [None, None]),
    ("active ? amount : cost", "money"): ([Decimal(1000), "EUR"], [None, None]),
    # Lengths of time to the microsecond, shorter than CEL's bound.
    ("took / 7", "duration"): ([Decimal("771.428571")], [None]),
    ('duration("0.000001s") / (employees - 5)', "duration"): ([Decimal("0.000001")], [None]),
    ("took * 58440000", "duration"): ([None], [None]),
    ("took * -58440000", "duration"): ([None], [None]),
    ("took * 58439999.999", "duration"): ([Decimal("315575999994.6")], [None]),
    ("took * -58439999.999", "duration"): ([Decimal("-315575999994.6")], [None]),
    ("now - created_at", "duration"): ([Decimal(88_200)], [None]),
    ("opens", "time"): ([time(9, 30, 15)], [None]),
    ("close_on", "date"): ([date(2017, 3, 31)], [None]),
    ("addMonths(close_on, -1)", "date"): ([date(2017, 2, 28)], [None]),
    ("created_at + took", "datetime"): ([datetime.fromisoformat("2017-01-01T01:00")], [None]),
    ('(created_at + duration("0.0000001s")) - duration("0.0000001s")', "datetime"): (
        [datetime.fromisoformat("2016-12-31T23:29:59.999999")],
        [None],
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def pair(superuser_url: str) -> Iterator[Comparer]:
    """A full row and an empty one."""
    yield from make_table(superuser_url, [FULL, EMPTY])


@pytest.mark.parametrize("condition", CASES)
def test_a_case_of_the_table_holds_in_both_back_ends(pair: Comparer, condition: str) -> None:
    found = pair.both(condition)
    assert (0 in found, 1 in found) == CASES[condition]


@pytest.mark.parametrize(("formula", "returns"), ANSWERS)
def test_an_answer_of_the_table_is_given_by_both_back_ends(pair: Comparer, formula: str, returns: str) -> None:
    trees = check_answer(formula, Fields(), returns, OPTIONS["stage"])
    pair.values_agree(trees, PARAMS)
    full, empty = zip(*pair.values_of_python(trees, PARAMS), strict=True)
    assert (list(full), list(empty)) == ANSWERS[formula, returns]


def test_without_a_member_nothing_is_mine_and_nothing_is_not_mine(pair: Comparer) -> None:
    nobody = {**PARAMS, "me": None}
    assert pair.both("owner == me", nobody) == set()
    assert pair.both("owner != me", nobody) == set()


def test_dates_past_the_calendar_are_unknown_instead_of_an_error(pair: Comparer) -> None:
    assert pair.both('addDays(date("9999-12-31"), 1) > close_on') == set()
