"""The fields, rows and the PostgreSQL table both back ends are compared on."""

from __future__ import annotations

import functools
import itertools
import random
import re
import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING

import psycopg
import sqlalchemy as sa
from psycopg import sql
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from app.expressions import Checked, Kind, Variable, check, to_python, to_sql, to_sql_value, to_value
from app.metadata.generated import literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from app.expressions import Tables

DIALECT = PGDialect_psycopg()

KINDS: dict[str, tuple[Kind, str]] = {
    "name": ("text", "text"),
    "company.name": ("text", "text"),
    "employees": ("number", "integer"),
    "score": ("number", "numeric"),
    "rank": ("number", "bigint"),
    "amount": ("money", "numeric"),
    "cost": ("money", "numeric"),
    "active": ("boolean", "boolean"),
    "close_on": ("date", "date"),
    "opened_on": ("date", "date"),
    "created_at": ("datetime", "timestamptz"),
    "closed_at": ("datetime", "timestamptz"),
    "opens": ("time", "time"),
    "took": ("duration", "numeric"),
    "stage": ("option", "text"),
    "company.industry": ("option", "text"),
    "owner": ("link", "uuid"),
    "reports_to": ("link", "uuid"),
    "tags": ("options", "text[]"),
    "email": ("texts", "text[]"),
    "body": ("none", "text"),
}
#: Records of the to-many link ``deals``, and of ``parts`` inside them.
DEAL_KINDS: dict[str, tuple[Kind, str]] = {
    "title": ("text", "text"),
    "value": ("number", "numeric"),
    "owner": ("link", "uuid"),
    "closed_on": ("date", "date"),
}
#: Fields of money; each has a column of its currency beside it.
MONEY = ("amount", "cost")
OPTIONS = {"stage": ("new", "won", "lost"), "company.industry": ("retail", "won", "ärzte")}
#: One unit in EUR; XAU has none.
RATES = {"EUR": Decimal(1), "USD": Decimal("0.91"), "JPY": Decimal("0.0061")}
DECIMALS = [
    Decimal(text) for text in
    ("0", "-1.5", "0.1", "1", "1000.00", "2.5", "-7.25", "1e20", "-99999999999999999999999999999.999999999999", "1e-12")
]  # fmt: skip
DAYS = [
    date(1, 1, 1), date(1900, 2, 28), date(2017, 1, 1), date(2017, 3, 31), date(2024, 2, 29), date(2024, 12, 31),
    date(9999, 12, 31),
]  # fmt: skip
#: Around midnight and the hours that clocks skip or repeat in Berlin; the ends of the calendar.
MOMENTS = [
    datetime(2016, 12, 31, 22, 59, 59, 999_999, UTC), datetime(2016, 12, 31, 23, 0, tzinfo=UTC),
    datetime(2017, 1, 1, tzinfo=UTC), datetime(2017, 1, 2, 3, 4, 5, 678_901, UTC),
    datetime(2017, 3, 26, 0, 59, 59, tzinfo=UTC), datetime(2017, 3, 26, 1, 0, tzinfo=UTC),
    datetime(2017, 10, 29, 0, 30, tzinfo=UTC), datetime(2017, 10, 29, 1, 30, tzinfo=UTC),
    datetime(2040, 7, 1, 12, tzinfo=UTC), datetime(1969, 12, 31, 23, 59, 59, 500_000, UTC),
    datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 30, tzinfo=UTC),
]  # fmt: skip
#: Half hours, quarters, a day left out of the calendar, a half-hour summer.
ZONES = [
    "Europe/Berlin", "UTC", "America/New_York", "America/St_Johns", "Asia/Kathmandu", "Pacific/Apia",
    "Australia/Lord_Howe", "America/Sao_Paulo",
]  # fmt: skip
PEOPLE = [uuid.UUID(int=number) for number in range(1, 4)]
TEXTS = [
    "",
    "A",
    "a",
    "Österreich",
    "ÖSTERREICH",
    "Ανδρέας",
    "acme inc",
    "z\U0001f600",
    "a%b_c",
    "\n",
    "İx",
    "ﬁ",
    "10",
    " ß\u00a0",
    "-1.5e3",
    "true",
    "a\u0301",
]
#: Beside ASCII what changes its length or its neighbours with its case, and white space of all sorts.
EMAILS = ["ada@acme.com", "bob@example.org", "a@b.c"]


class Fields:
    """An environment over ``KINDS``."""

    currency = "EUR"

    def __init__(self, timezone: str = "Europe/Berlin") -> None:
        self.timezone = timezone

    @property
    def key(self) -> str:
        """As the protocol says."""
        return f"{type(self).__name__} {self.timezone}"

    def variable(self, path: str) -> Variable | None:
        """As the protocol says."""
        if path not in KINDS:
            return None
        return Variable(path, KINDS[path][0], frozenset(OPTIONS.get(path, ())))

    def names(self, near: str = "") -> Iterable[str]:  # noqa: ARG002 - few enough to give them all
        """As the protocol says."""
        return KINDS

    def related(self, path: str) -> Deals | None:
        """As the protocol says."""
        return Deals(self.timezone) if path == "deals" else None


class Deals(Fields):
    """The records of the to-many link ``deals``; from each, ``parts`` leads further."""

    def variable(self, path: str) -> Variable | None:
        """As the protocol says."""
        return Variable(path, DEAL_KINDS[path][0]) if path in DEAL_KINDS else None

    def related(self, path: str) -> Deals | None:
        """As the protocol says."""
        return Deals(self.timezone) if path == "parts" else None


def make_rows(count: int, seed: int = 1) -> list[dict[str, object]]:
    """Rows with a quarter of empty values, extreme ones among the rest."""
    rng = random.Random(seed)  # noqa: S311 - the same rows every time
    makers = _makers(rng)
    rows: list[dict[str, object]] = []
    for _ in range(count):
        row = {path: None if rng.random() < 0.25 else makers[kind]() for path, (kind, _) in KINDS.items()}
        if row["score"] is not None:
            row["score"] = rng.choice(DECIMALS)
        if row["rank"] is not None:
            row["rank"] = rng.choice([-(2**63), 2**63 - 1, 0, 5])
        for path in MONEY:
            row[path], row[f"{path} currency"] = _money(rng)
        row["deals"] = [_deal(rng, makers, 1) for _ in range(rng.choice([0, 0, 1, 3]))]
        rows.append(row)
    return rows


def _makers(rng: random.Random) -> dict[str, Callable[[], object]]:
    return {
        "text": lambda: rng.choice(TEXTS),
        "number": lambda: rng.choice([-7, 0, 1, 2, 3, 7, 100, 2_147_483_647, -2_147_483_648]),
        "boolean": lambda: rng.random() < 0.5,
        "date": lambda: rng.choice(DAYS),
        "time": lambda: rng.choice((time(0), time(9, 30), time(9, 30, 15), time(23, 59, 59))),
        "duration": lambda: rng.choice((Decimal(0), Decimal(5400), Decimal("-0.25"), Decimal(315_576_000_000))),
        "datetime": lambda: rng.choice(MOMENTS),
        "option": lambda: rng.choice(["new", "won", "lost", "retail"]),
        "link": lambda: rng.choice(PEOPLE),
        "options": lambda: rng.sample(["x", "y", "z"], rng.randrange(0, 3)),
        "texts": lambda: rng.sample(EMAILS, rng.randrange(0, 3)),
        "none": lambda: "<p>x</p>",
        "money": lambda: None,
    }


def _money(rng: random.Random) -> tuple[Decimal | None, str | None]:
    if rng.random() < 0.25:
        return None, None
    return rng.choice(DECIMALS[:6]), rng.choice(["EUR", "EUR", "USD", "JPY", "XAU"])


def _deal(rng: random.Random, makers: dict[str, Callable[[], object]], deeper: int) -> dict[str, object]:
    deal = {name: None if rng.random() < 0.25 else makers[kind]() for name, (kind, _) in DEAL_KINDS.items()}
    deal["parts"] = [_deal(rng, makers, 0) for _ in range(rng.randrange(0, 3))] if deeper else []
    return deal


def as_python(row: dict[str, object]) -> dict[str, object]:
    """The row as the Python function gets it: money in the workspace's currency, without a rate empty."""
    found = dict(row)
    for path in MONEY:
        amount, rate = row.get(path), RATES.get(str(row.get(f"{path} currency")))
        found[path] = amount * rate if isinstance(amount, Decimal) and rate is not None else None
        found[f"{path}.amount"], found[f"{path}.currency"] = amount, row.get(f"{path} currency")
    return found


PARAMS: dict[str, object] = {
    "me": PEOPLE[0],
    "now": datetime(2017, 1, 2, tzinfo=UTC),
    "today": date(2017, 3, 31),
    "home": "EUR",
    "zone": "Europe/Berlin",
}


@dataclass(repr=False)
class Comparer:
    """Runs a condition through both back ends."""

    connection: psycopg.Connection
    rows: list[dict[str, object]]

    def in_sql(self, condition: Checked, params: dict[str, object]) -> set[int]:
        """Numbers of the rows PostgreSQL finds."""
        text, binds = statement(condition)
        found = self.connection.execute(text.encode(), {**binds, **condition.binds(), **params})
        return {row[0] for row in found}

    def in_python(self, condition: Checked, params: dict[str, object]) -> set[int]:
        """Numbers of the rows the Python function accepts."""
        met = to_python(condition)
        return {number for number, row in enumerate(self.rows) if met({**as_python(row), **params})}

    def answers_of_sql(self, conditions: list[Checked], params: dict[str, object]) -> list[list[bool]]:
        """For each condition which rows meet it; PostgreSQL answers all in one statement."""
        if not conditions:
            return []
        columns, binds = [], dict(params)
        for index, condition in enumerate(conditions):
            text, made = predicate(condition)
            columns.append(_PARAMETER.sub(rf"%(k{index}_\1)s", text) + " is true")
            binds |= {f"k{index}_{name}": value for name, value in {**made, **condition.binds()}.items()}
        rows = self.connection.execute(f"select {', '.join(columns)} from t order by number".encode(), binds).fetchall()
        return [[bool(row[index]) for row in rows] for index in range(len(conditions))]

    def answers_of_python(self, conditions: list[Checked], params: dict[str, object]) -> list[list[bool]]:
        """For each condition which rows meet it."""
        given = [{**as_python(row), **params} for row in self.rows]
        return [[met(row) for row in given] for met in map(to_python, conditions)]

    def values_of_sql(self, trees: list[Checked], params: dict[str, object]) -> list[list[object]]:
        """For each tree its value in each row, moments as clocks of UTC show them.

        Literals are written into the text, as in generated columns.
        """
        columns = []
        binds: dict[str, object] = dict(params)
        for index, tree in enumerate(trees):
            value = to_sql_value(tree, TestTables(), literal)
            if tree.root.kind == "datetime":  # the session's clocks may show the year 10000
                value = sa.func.timezone(sa.literal_column("'UTC'"), value)
            made = sa.select(value.label("v")).select_from(named("t"))
            compiled = made.compile(dialect=DIALECT)
            text = str(compiled).removeprefix("SELECT ").rpartition(" AS v")[0]
            columns.append(_PARAMETER.sub(rf"%(k{index}_\1)s", text))
            binds |= {f"k{index}_{name}": value for name, value in compiled.params.items() if value is not None}
        rows = self.connection.execute(f"select {', '.join(columns)} from t order by number".encode(), binds).fetchall()
        return [[row[index] for row in rows] for index in range(len(trees))]

    def values_of_python(self, trees: list[Checked], params: dict[str, object]) -> list[list[object]]:
        """For each tree its value in each row, moments as clocks of UTC show them."""
        given = [{**as_python(row), **params} for row in self.rows]
        return [[_on_a_clock(value(row)) for row in given] for value in map(to_value, trees)]

    def values_agree(self, trees: list[Checked], params: dict[str, object]) -> None:
        """Fail unless both back ends give the same values in every row."""
        by_sql, by_python = self.values_of_sql(trees, params), self.values_of_python(trees, params)
        for tree, found, expected in zip(trees, by_sql, by_python, strict=True):
            for row, one, other in zip(self.rows, found, expected, strict=True):
                assert one == other, (tree.source, other, one, row)

    def agree(self, conditions: list[Checked], params: dict[str, object]) -> None:
        """Fail unless both find the same rows for each."""
        by_sql, by_python = self.answers_of_sql(conditions, params), self.answers_of_python(conditions, params)
        for condition, found, expected in zip(conditions, by_sql, by_python, strict=True):
            assert expected == found, (
                condition.source,
                [self.rows[n] for n, pair in enumerate(zip(expected, found, strict=True)) if len(set(pair)) > 1][:1],
                predicate(condition)[0],
            )

    def both(self, source: str, params: dict[str, object] | None = None) -> set[int]:
        """The rows both find; fails when they differ."""
        condition = check(source, Fields())
        given = PARAMS if params is None else params
        by_sql, by_python = self.in_sql(condition, given), self.in_python(condition, given)
        differing = sorted(by_sql ^ by_python)
        assert not differing, (
            source,
            [(number, self.rows[number]) for number in differing[:2]],
            statement(condition)[0],
        )
        return by_sql


def _on_a_clock(value: object) -> object:
    return value.astimezone(UTC).replace(tzinfo=None) if isinstance(value, datetime) else value


@functools.cache
def named(name: str) -> sa.TableClause:
    """One object a table, so that Core knows it again."""
    return sa.table(name)


class TestTables:
    """Table ``t`` and the tables of its to-many links."""

    __test__ = False

    def __init__(self, alias: str = "t") -> None:
        self._alias = alias

    def column(self, variable: Variable) -> sa.ColumnElement[object]:
        """As the protocol says; money by the rate of its currency."""
        path, _, part = variable.path.partition(".")
        if path in MONEY and part:
            return sa.column(path if part == "amount" else f"{path} currency", _selectable=named(self._alias))
        column = sa.column(variable.path, _selectable=named(self._alias))
        if variable.kind != "money":
            return column
        currency = sa.column(f"{variable.path} currency", _selectable=named(self._alias))
        whens = [(currency == sa.literal_column(f"'{name}'"), column * sa.literal_column(str(rate)))
                 for name, rate in RATES.items()]  # fmt: skip
        return sa.case(*whens)

    def stored(self, variable: Variable) -> sa.ColumnElement[object]:
        """As ``column``: the Python side is given amounts converted before."""
        return self.column(variable)

    def related(self, path: str, condition: Callable[[Tables], sa.ColumnElement[object]]) -> sa.ColumnElement[bool]:
        """As the protocol says."""
        inner = named(path)
        mine = sa.column("number", _selectable=named(self._alias))
        linked = sa.column("parent", _selectable=inner) == mine
        chosen = sa.select(sa.literal_column("1")).select_from(inner).where(linked, condition(TestTables(path)))
        return sa.exists(chosen.correlate_except(inner))

    def narrow(self, variable: Variable, op: str, operand: sa.ColumnElement[object]) -> sa.ColumnElement[bool] | None:
        """Something that follows, as an index would serve it."""
        if variable.kind != "text":
            return None
        first = sa.func.left(operand, sa.literal_column("1"))
        return sa.func.starts_with(self.column(variable), first) if op == "startsWith" else None


#: A parameter that is not one of the three every condition shares.
_PARAMETER = re.compile(r"%\((?!me\)|now\)|today\)|home\)|zone\))(\w+)\)s")


def predicate(condition: Checked) -> tuple[str, dict[str, object]]:
    """The condition's SQL in brackets and the binds the compiler itself made."""
    # Written inside a SELECT: only there Core knows that EXISTS looks at a row of ``t``.
    whole = sa.select(to_sql(condition, TestTables()).label("met")).select_from(named("t"))
    compiled = whole.compile(dialect=DIALECT)
    text = str(compiled).removeprefix("SELECT ").rpartition(" AS met")[0]
    made = {name: value for name, value in compiled.params.items() if value is not None}
    return f"({text})", made


def statement(condition: Checked) -> tuple[str, dict[str, object]]:
    """The SELECT over table ``t`` and the binds the compiler itself made."""
    where = to_sql(condition, TestTables())
    query = sa.select(sa.column("number")).select_from(named("t")).where(where)
    compiled = query.compile(dialect=DIALECT)
    return str(compiled), {name: value for name, value in compiled.params.items() if value is not None}


def make_table(superuser_url: str, rows: list[dict[str, object]]) -> Iterator[Comparer]:
    """A database like the product's (builtin C.UTF-8) with the rows.

    It goes with the tests' servers: dropping it would have the server write out all that other tests changed, 15 s.
    """
    name = f"conditions_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(superuser_url, autocommit=True) as admin:
        admin.execute(
            sql.SQL("create database {} locale_provider builtin builtin_locale 'C.UTF-8' template template0").format(
                sql.Identifier(name)
            )
        )
    with psycopg.connect(superuser_url, dbname=name, prepare_threshold=None) as connection:
        # The clocks of the session are nobody's.
        connection.execute("set timezone = 'Asia/Kathmandu'")
        _fill(connection, rows)
        yield Comparer(connection, rows)


def _fill(connection: psycopg.Connection, rows: list[dict[str, object]]) -> None:
    currencies = {f"{path} currency": "text" for path in MONEY}
    kinds = {"number": "int", **{path: kind for path, (_, kind) in KINDS.items()}, **currencies}
    deal_kinds = {"number": "int", "parent": "int", **{name: kind for name, (_, kind) in DEAL_KINDS.items()}}
    for table, columns in (("t", kinds), ("deals", deal_kinds), ("parts", deal_kinds)):
        listed = sql.SQL(", ").join(sql.SQL("{} {}").format(sql.Identifier(c), sql.SQL(k)) for c, k in columns.items())
        connection.execute(sql.SQL("create temp table {} ({})").format(sql.Identifier(table), listed))
    numbers = itertools.count()
    for number, row in enumerate(rows):
        _insert(connection, "t", kinds, {**row, "number": number})
        for deal in row.get("deals") or ():
            deal_number = next(numbers)
            _insert(connection, "deals", deal_kinds, {**deal, "number": deal_number, "parent": number})
            for part in deal["parts"]:
                _insert(connection, "parts", deal_kinds, {**part, "number": 0, "parent": deal_number})


def _insert(connection: psycopg.Connection, table: str, columns: Iterable[str], row: dict[str, object]) -> None:
    names = list(columns)
    query = sql.SQL("insert into {} values ({})").format(
        sql.Identifier(table), sql.SQL(", ").join([sql.Placeholder()] * len(names))
    )
    connection.execute(query, [row.get(name) for name in names])
