"""What the checker refuses, where it points and what it suggests."""

from __future__ import annotations

import contextlib
import sys
from collections import Counter
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from app.expressions import Checked, ConditionError, Variable, check, to_sql
from app.expressions.check import MAX_NODES
from tests.app.expressions.table import Fields, statement

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Of one condition, parsed, checked and written: half a second on a slow machine.
MOST_CALLS = 500_000

#: condition → position, part of the message.
REFUSED: dict[str, tuple[int, str]] = {
    "": (0, "empty"),
    'stage == "won" &&': (17, "missing at the end"),
    'stage = "won"': (6, "`==`"),
    'stage == "won" and amount > 1': (15, "`&&`"),
    'stag == "won"': (0, "Did you mean `stage`?"),
    'company.nam == "x"': (0, "Did you mean `company.name`?"),
    "stage == won": (9, 'in quotes: `"won"`'),
    'stage == "Won"': (9, "Did you mean `won`?"),
    'stage in ["new", "lots"]': (17, "Did you mean `lost`?"),
    'amount == "12"': (7, "Leave out the quotes"),
    "name == 5": (5, "Put quotes around it"),
    'close_on > "2017-01-01"': (11, 'Write `date("2017-01-01")`'),
    'created_at > date("2017-01-01")': (11, "`date(created_at)`"),
    'date("2017-13-01") == close_on': (5, "2017-01-31"),
    'owner == "bob"': (9, "neither"),
    'name == ""': (8, "!has(name)"),
    'tags == "x"': (5, '`"x" in tags`'),
    'tags in ["x"]': (0, "in tags`"),
    'name in "abc"': (8, "A list is needed"),
    'body == "x"': (0, "only be asked with `has(body)`"),
    "amount": (0, "this gives money"),
    "amount && active": (0, "`has(amount)`"),
    "has(amount + 1)": (11, "name of a field"),
    'name.startswith("x")': (15, "startsWith"),
    'name.matches("x")': (12, "not part of filters"),
    'foo(name) == "x"': (3, "no function `foo`"),
    "amount * amount > 1": (7, "no meaning"),
    "close_on + 1 == close_on": (9, "addDays"),
    "amount == 99999999999999999999": (10, "too large"),
    "1e99 > amount": (0, "too large"),
    "tags.exists(t, t == 'x')": (11, "do not know"),
    '{"a": 1} == null': (0, "do not know maps"),
    'b"x" == name': (0, "bytes"),
    'name == "a\\u0000b"': (8, "NUL"),
    "active ? null : null": (7, "Both branches"),
    'active ? "x" : 1': (7, ""),
    "tags.all(t, t == 'x')": (8, "do not know"),
    "deals == null": (0, "ask `any(deals, …)`"),
    "any(owner, true)": (4, "holds one value"),
    "any(nothing, true)": (4, "no link to many"),
    "any(deals, stage == 'won')": (11, "no field `stage`"),
    "any(deals, any(parts, any(parts, true)))": (26, "inside itself"),
    'any("deals", true)': (4, "takes a link"),
    "any(deals)": (3, "Write `any("),
    "any(deals, value)": (11, "Did you mean `has(value)`"),
    'duration("1 hour") > now - created_at': (9, "1h30m"),
    'duration("1.2.3h") > now - created_at': (9, "1h30m"),
    'duration("999999999999d") > now - created_at': (9, "too long"),
    'now - created_at > "1h"': (19, 'Write `duration("1h")`'),
    "created_at + 1 > now": (11, 'duration("1h")'),
    "close_on + duration('1h') == close_on": (9, "addDays"),
    "amount + duration('1h') > amount": (7, "does not take"),
    "min(name, 1) == 1": (4, "does not take a text"),
    "min(employees, close_on) == 1": (3, "does not compare"),
    "max(employees) == 1": (3, "Write `max("),
    "name.replace('a') == name": (12, "Write `phone.replace"),
    "year(name) == 1": (5, "does not take a text"),
    "toLowerCase(name) == name": (11, "name.lower()"),
    "addDays(created_at, 1) == close_on": (8, "addDays(date("),
    "addMonths(close_on, 1.5) == close_on": (20, "whole number"),
    "addYears(close_on, 101) == close_on": (19, "at most 100"),
    'hasAny(name, ["a"])': (7, "many values"),
    "hasAny(tags, [])": (13, "Write `hasAny"),
    'timestamp("yesterday") < now': (10, "2017-01-31T12:00:00Z"),
    "timestamp(name) < now": (10, "2017-01-31T12:00:00Z"),
    '{"a": 1}.size() == 1': (0, "maps"),
    "company.name.x == 1": (0, "no field"),
    "min(" * 12 + "employees" + ", 1)" * 12 + " > 1": (0, "nested too deeply; split"),
    "(" * 40 + "active" + ")" * 40: (0, "nested too deeply"),
}


@pytest.mark.parametrize("condition", REFUSED)
def test_a_refusal_points_at_the_place_and_helps(condition: str) -> None:
    with pytest.raises(ConditionError) as caught:
        check(condition, Fields())
    position, message = REFUSED[condition]
    assert (caught.value.extra["position"], message in caught.value.detail) == (position, True), caught.value.detail
    assert caught.value.errors[0].code == "condition.invalid"


def test_a_condition_has_limits_of_size() -> None:
    with pytest.raises(ConditionError, match="longer"):
        check("active || " * 10_000 + "active", Fields())
    with pytest.raises(ConditionError, match=f"{MAX_NODES:,} parts"):
        check("name in [" + ",".join(["name"] * 1_000) + "]", Fields())
    with pytest.raises(ConditionError, match="calculates"):
        check("||".join(["1 + 1 + 1 == 2"] * 30), Fields())


@contextlib.contextmanager
def calls_counted() -> Iterator[Counter[str]]:
    """How many functions of Python the block calls: what work costs, whatever else the machine does."""
    calls: Counter[str] = Counter()
    before = sys.getprofile()
    sys.setprofile(lambda _frame, event, _arg: calls.update((event,)))
    try:
        yield calls
    finally:
        sys.setprofile(before)


def test_the_worst_conditions_cost_no_more_than_their_length() -> None:
    """Long, deep and repeating ones; work and SQL stay in proportion to what was written."""
    worst = [
        "==".join(["active"] * 30), "!" * 200 + "active", "-" * 100 + "employees > 1",
        " || ".join(f'name.contains("{number}")' for number in range(300)), " || ".join(["amount > 1"] * 240),
        "name in [" + ",".join(f'"{number}"' for number in range(6_000)) + "]", "+".join(["name"] * 60) + " == name",
        "name" + '.replace("a", "aaaaaaaaaaaaaaaa")' * 20 + " == name",
    ]  # fmt: skip
    for source in worst:
        with calls_counted() as calls, contextlib.suppress(ConditionError):
            assert len(statement(check(source, Fields()))[0]) < 200_000
        assert calls["call"] < MOST_CALLS


def test_a_list_of_a_thousand_ids_is_one_parameter() -> None:
    checked = check("name in [" + ",".join(f'"{number}"' for number in range(1_000)) + "]", Fields())
    assert len(checked.literals) == 1


def sql_of(checked: Checked) -> str:
    where = to_sql(checked, lambda variable: sa.column(variable.path))
    return str(where.compile(dialect=PGDialect_psycopg()))


def test_conditions_that_differ_in_literals_share_shape_and_sql_text() -> None:
    first = check('stage == "won" && amount > 10 && name in ["a"]', Fields())
    second = check('stage == "lost" && amount > 999 && name in ["b", "c"]', Fields())
    assert first.shape == second.shape
    assert sql_of(first) == sql_of(second)
    assert first.literals != second.literals
    assert check('stage == "won" && amount > 10.5 && name in ["a"]', Fields()).shape != first.shape


def test_no_literal_of_the_source_reaches_the_sql_text() -> None:
    text = sql_of(check('name == "x\'; drop table t; --" || name.contains("%s") || amount == 4711', Fields()))
    assert "drop" not in text
    assert "4711" not in text


def test_has_inside_a_text_is_left_alone() -> None:
    assert check('name == "has(x)"', Fields()).literals == ("has(x)",)


def test_decimals_keep_every_digit_written() -> None:
    assert [str(value) for value in check("score == 0.12345678901234567890", Fields()).literals] == [
        "0.12345678901234567890"
    ]


def test_paths_used_are_listed() -> None:
    checked = check('company.industry == "retail" && has(amount) && owner == me', Fields())
    assert checked.paths == {"company.industry", "amount", "owner"}


def test_a_literal_takes_the_form_its_field_stores() -> None:
    class Emails(Fields):
        def variable(self, path: str) -> Variable | None:
            return Variable(path, "texts", normalise=str.lower) if path == "email" else None

    assert check('email == "Ada@ACME.com"', Emails()).literals == ("ada@acme.com",)
    assert check('"Ada@ACME.com" in email', Emails()).literals == ("ada@acme.com",)
