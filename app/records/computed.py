"""Fields that are calculated in the statement that asks: formulas over links or the time, and roll-ups.

A formula sees what whoever asks reaches: over a link to a record out of their reach it is empty, as the path itself
would be. A roll-up counts all records, whoever asks, like a figure that is kept (docs/adr/0032).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from app.expressions import to_sql_value
from app.expressions.sql_functions import FUNCTIONS
from app.metadata.generated import literal, sql_type
from app.metadata.rollups import RATE_DAY, kept
from app.records.environment import RecordTables, fixed_condition_sql, home_amount, home_rate
from app.records.paths import column_of

if TYPE_CHECKING:
    from app.metadata.model import Column, Field, Rollup
    from app.records.paths import Located
    from app.records.sources import Source

Sql = sa.ColumnElement[Any]

_UUID: Final = pg.UUID(as_uuid=True)
_ONE: Final = sa.literal_column("1", sa.Integer())
_ZERO: Final = sa.literal_column("0", sa.Numeric())
_NOBODY: Final = sa.literal_column("uuid '00000000-0000-0000-0000-000000000000'", _UUID)
#: Where the figures of indexed roll-ups are, and what came since.
TABLES: Final = ("rollup", "rollup_delta")


def calculate(source: Source, via: tuple[str, ...], field: Field) -> tuple[Sql, ...]:
    """The field of the records that the links ``via`` lead to, a column of its type each."""
    if field.formula is not None and field.formula.parts:
        tables = RecordTables(source, via)
        written = [to_sql_value(part, tables, literal) for part in field.formula.parts]
        return tuple(_typed(one, form) for one, form in zip(written, field.forms, strict=True))
    if field.rollup is not None and field.rollup.object and not field.rollup.problem:
        return _Figure(source, via, field, field.rollup).columns()
    return tuple(sa.cast(sa.null(), sql_type(form.sql_type)) for form in field.forms)


def _typed(value: Sql, form: Column) -> Sql:
    """A text in the collation of columns, whatever functions it went through."""
    cast = sa.cast(value, sql_type(form.sql_type))
    return sa.type_coerce(sa.collate(cast, "default"), sa.Text()) if form.sql_type == "text" else cast


class _Figure:
    """One roll-up of the records of one alias."""

    def __init__(self, source: Source, via: tuple[str, ...], field: Field, rollup: Rollup) -> None:
        self._field, self._rollup = field, rollup
        self._id = column_of(source.alias(via), "id", _UUID)
        catalog = source.catalog.whole or source.catalog
        self._inner = source.counted(catalog.objects[rollup.object])
        self._value = self._inner.need(rollup.field, "?fields") if rollup.field else None

    @property
    def _money(self) -> bool:
        return self._value is not None and self._value.kind == "money" and self._rollup.function != "count"

    def columns(self) -> tuple[Sql, ...]:
        """A column of the field's type each."""
        if self._rollup.function == "latest":
            return tuple(self._latest(at) for at in range(len(self._field.forms)))
        figure = self._exact()
        if kept(self._rollup):
            built = sa.table("rollup", sa.column("field", sa.Text()), sa.column("record_id", _UUID)).alias("built")
            found = sa.select(_ONE).where(built.c.field == self._key(), built.c.record_id == _NOBODY)
            figure = sa.case((sa.exists(found), self._kept()), else_=figure)
        if self._money:
            digits = sa.bindparam("digits", type_=sa.Integer())
            amount = sa.func.round(figure, digits, type_=sa.Numeric())
            home = sa.bindparam("home", type_=sa.Text())
            return amount, home if self._rollup.function == "sum" else sa.case((amount.is_not(None), home))
        shaped = self._shaped(figure)
        return (sa.cast(shaped, sql_type(self._field.forms[0].sql_type)),)

    def _shaped(self, figure: Sql) -> Sql:
        if self._field.type.name == "integer":
            return FUNCTIONS["asInteger"](figure)
        if self._field.type.name == "duration" and self._rollup.function in ("sum", "avg"):
            return FUNCTIONS["asDuration"](figure)
        if self._rollup.function in ("sum", "avg"):
            return FUNCTIONS["asDecimal"](figure)
        return figure

    def _exact(self) -> Sql:
        """Over the records themselves, found by their link's index."""
        function = self._rollup.function
        if self._value is None:
            figure: Sql = sa.func.count()
        elif function == "count":
            figure = sa.func.count(self._value.sql)
        else:
            value = home_amount(self._value, self._day()) if self._money else self._value.sql
            figure = getattr(sa.func, function)(value, type_=value.type)
            if function == "sum":
                figure = sa.func.coalesce(figure, _ZERO, type_=sa.Numeric())
        return self._of_records(figure).scalar_subquery()

    def _latest(self, at: int) -> Sql:
        """Of the record made last that has a value."""
        value = self._needed()
        chosen = self._of_records(value.of_form(at)).where(value.of_form(0).is_not(None))
        return chosen.order_by(self._inner.id.desc()).limit(_ONE).scalar_subquery()

    def _of_records(self, figure: Sql) -> sa.Select[Any]:
        inner = self._inner
        where = [
            column_of(inner.base, self._rollup.column, _UUID) == self._id,
            column_of(inner.base, "deleted_at", sa.DateTime(timezone=True)).is_(None),
        ]
        if self._rollup.condition is not None:
            where.append(fixed_condition_sql(inner, self._rollup.condition))
        chosen = sa.select(figure).select_from(inner.from_clause()).where(*where)
        return chosen.correlate_except(*inner.tables())

    def _needed(self) -> Located:
        if self._value is None:
            raise LookupError(self._field.name)
        return self._value

    def _day(self) -> Sql:
        """The day whose rate an amount converts by: as in aggregates, the expected or actual close, else today."""
        today = sa.bindparam("today", type_=sa.Date())
        if RATE_DAY not in self._inner.object.fields:
            return today
        return sa.func.coalesce(self._inner.need(RATE_DAY, "?fields").sql, today, type_=sa.Date())

    def _key(self) -> Sql:
        return sa.literal_column(f"'{self._rollup.key}'", sa.Text())

    def _kept(self) -> Sql:
        """What is kept and what came since, in one snapshot."""
        parts = [self._part(name) for name in TABLES]
        both = sa.union_all(*parts).subquery(f"{self._rollup.key}_k")
        total = sa.cast(sa.func.coalesce(sa.func.sum(both.c.n), 0), sa.Numeric())
        if self._rollup.function == "count":
            return sa.select(total).scalar_subquery()
        amount: Sql = both.c.sum
        if self._money:
            today = sa.bindparam("today", type_=sa.Date())
            rate = home_rate(both.c.currency, sa.func.coalesce(both.c.day, today, type_=sa.Date()))
            amount = amount * rate
            total = sa.func.coalesce(sa.func.sum(sa.case((rate.is_not(None), both.c.n))), 0)
        summed = sa.func.sum(amount, type_=sa.Numeric())
        if self._rollup.function == "sum":
            return sa.select(sa.func.coalesce(summed, _ZERO, type_=sa.Numeric())).scalar_subquery()
        return sa.select(summed / sa.func.nullif(total, _ZERO)).scalar_subquery()

    def _part(self, name: str) -> sa.Select[*tuple[Any, ...]]:
        table = sa.table(
            name, sa.column("field", sa.Text()), sa.column("record_id", _UUID), sa.column("currency", sa.Text()),
            sa.column("day", sa.Date()), sa.column("n", sa.BigInteger()), sa.column("sum", sa.Numeric()),
        ).alias(f"{self._rollup.key}_{'d' if name.endswith('delta') else 's'}")  # fmt: skip
        chosen = sa.select(table.c.currency, table.c.day, table.c.n, table.c.sum)
        return chosen.where(table.c.field == self._key(), table.c.record_id == self._id).correlate_except(table)
