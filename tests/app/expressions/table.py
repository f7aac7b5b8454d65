"""The fields, rows and the PostgreSQL table both back ends are compared on."""

from __future__ import annotations

import random
import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import psycopg
import sqlalchemy as sa
from psycopg import sql
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from app.expressions import Checked, Kind, Variable, check, to_python, to_sql

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

KINDS: dict[str, tuple[Kind, str]] = {
    "name": ("text", "text"),
    "company.name": ("text", "text"),
    "employees": ("number", "integer"),
    "score": ("number", "numeric"),
    "rank": ("number", "bigint"),
    "amount": ("money", "numeric"),
    "active": ("boolean", "boolean"),
    "close_on": ("date", "date"),
    "opened_on": ("date", "date"),
    "created_at": ("datetime", "timestamptz"),
    "stage": ("option", "text"),
    "company.industry": ("option", "text"),
    "owner": ("link", "uuid"),
    "reports_to": ("link", "uuid"),
    "tags": ("options", "text[]"),
    "email": ("texts", "text[]"),
    "body": ("none", "text"),
}
OPTIONS = {"stage": ("new", "won", "lost"), "company.industry": ("retail", "won", "ärzte")}
PEOPLE = [uuid.UUID(int=number) for number in range(1, 4)]
TEXTS = ["", "A", "a", "Österreich", "ÖSTERREICH", "Ανδρέας", "acme inc", "z\U0001f600", "a%b_c", "\n", "İx", "ﬁ", "10"]
EMAILS = ["ada@acme.com", "bob@example.org", "a@b.c"]


class Fields:
    """An environment over ``KINDS``."""

    key = "test fields"
    currency = "EUR"
    timezone = "Europe/Berlin"

    def variable(self, path: str) -> Variable | None:
        """As the protocol says."""
        if path not in KINDS:
            return None
        return Variable(path, KINDS[path][0], frozenset(OPTIONS.get(path, ())))

    def names(self) -> Iterable[str]:
        """As the protocol says."""
        return KINDS


def make_rows(count: int, seed: int = 1) -> list[dict[str, object]]:
    """Rows with a quarter of empty values."""
    rng = random.Random(seed)  # noqa: S311 - the same rows every time
    makers = {
        "text": lambda: rng.choice(TEXTS),
        "number": lambda: rng.choice([-7, 0, 1, 2, 3, 7, 100, 2_000_000_000]),
        "money": lambda: rng.choice([Decimal("-1.5"), Decimal(0), Decimal("0.1"), Decimal(1), Decimal("1000.00")]),
        "boolean": lambda: rng.random() < 0.5,
        "date": lambda: rng.choice([date(2017, 1, 1), date(2017, 3, 31), date(2024, 2, 29), date(9999, 12, 31)]),
        "datetime": lambda: datetime(2017, 1, 1, tzinfo=UTC) + timedelta(hours=rng.randrange(0, 50)),
        "option": lambda: rng.choice(["new", "won", "lost", "retail"]),
        "link": lambda: rng.choice(PEOPLE),
        "options": lambda: rng.sample(["x", "y", "z"], rng.randrange(0, 3)),
        "texts": lambda: rng.sample(EMAILS, rng.randrange(0, 3)),
        "none": lambda: "<p>x</p>",
    }
    rows: list[dict[str, object]] = []
    for _ in range(count):
        row = {path: None if rng.random() < 0.25 else makers[kind]() for path, (kind, _) in KINDS.items()}
        if row["score"] is not None:
            row["score"] = rng.choice([Decimal("0.1"), Decimal("2.5"), Decimal(3), Decimal("-7.25"), Decimal("1e20")])
        rows.append(row)
    return rows


PARAMS: dict[str, object] = {
    "me": PEOPLE[0],
    "now": datetime(2017, 1, 2, tzinfo=UTC),
    "today": date(2017, 3, 31),
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
        return {number for number, row in enumerate(self.rows) if met({**row, **params})}

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


def statement(condition: Checked) -> tuple[str, dict[str, object]]:
    """The SELECT over table ``t`` and the binds the compiler itself made."""
    where = to_sql(condition, lambda variable: sa.column(variable.path))
    query = sa.select(sa.column("number")).select_from(sa.table("t")).where(where)
    compiled = query.compile(dialect=PGDialect_psycopg())
    return str(compiled), {name: value for name, value in compiled.params.items() if value is not None}


def make_table(superuser_url: str, rows: list[dict[str, object]]) -> Iterator[Comparer]:
    """A database like the product's (builtin C.UTF-8) with the rows, dropped afterwards."""
    name = f"conditions_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(superuser_url, autocommit=True) as admin:
        admin.execute(
            sql.SQL("create database {} locale_provider builtin builtin_locale 'C.UTF-8' template template0").format(
                sql.Identifier(name)
            )
        )
        with psycopg.connect(superuser_url, dbname=name, prepare_threshold=None) as connection:
            columns = sql.SQL(", ").join(
                sql.SQL("{} {}").format(sql.Identifier(path), sql.SQL(kind)) for path, (_, kind) in KINDS.items()
            )
            connection.execute(sql.SQL("create temp table t (number int, {})").format(columns))
            insert = sql.SQL("insert into t values (%s, {})").format(
                sql.SQL(", ").join([sql.Placeholder()] * len(KINDS))
            )
            for number, row in enumerate(rows):
                connection.execute(insert, [number, *(row[path] for path in KINDS)])
            yield Comparer(connection, rows)
        admin.execute(sql.SQL("drop database {}").format(sql.Identifier(name)))
