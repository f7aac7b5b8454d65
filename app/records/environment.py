"""Conditions over the records of an object as SQL: where their names are found, and what money is worth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from app.expressions import Checked, Variable, check, to_sql
from app.metadata.environment import MAX_HOPS, Named, RecordEnvironment, spec_key
from app.metadata.generated import column_for, literal
from app.metadata.sortkeys import KEY_LENGTH, sort_key_sql
from app.records.paths import Located, column_of, title_key_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.expressions import Tables
    from app.metadata.model import Catalog, ObjectType
    from app.records.sources import Source
    from tenants.scope import TenantScope

__all__ = ["RecordEnvironment", "check_filter", "condition_sql", "home_amount", "home_rate", "spec_key"]

#: A folded prefix is compared up to its last character that nothing after it can change: a later combining mark
#: sorts before an earlier one in NFKD (UAX #15), so marks at the end are left off.
_STEADY: Final = r"[^\u0020-\u02ff\u0370-\u0482\u048a-\u0588\u1100-\u11ff\u3041-\u3096\u30a1-\u30fa\u4e00-\u9fff]+$"


def check_filter(scope: TenantScope, catalog: Catalog, obj: ObjectType, text: str) -> Checked | None:
    """A list's ``filter`` checked; None when there is none. Raises ConditionError at ``?filter``."""
    return check(text, RecordEnvironment(catalog, obj, scope.tenant)) if text.strip() else None


def condition_sql(source: Source, checked: Checked) -> sa.ColumnElement[bool]:
    """The condition as SQL over ``source``, which gains the joins it needs."""
    return to_sql(checked, RecordTables(source))


def fixed_condition_sql(source: Source, checked: Checked) -> sa.ColumnElement[bool]:
    """The same with its literals written into it: it stands inside statements that have others."""
    return to_sql(checked, RecordTables(source), literal)


class RecordTables:
    """``app.expressions.Tables`` over one object and what it links to, or over what the links ``via`` lead to."""

    def __init__(self, source: Source, via: tuple[str, ...] = ()) -> None:
        self._source, self._via = source, via

    def _path(self, path: str) -> str:
        return ".".join((*self._via, path))

    def _located(self, variable: Variable) -> Located:
        """A formula may look as far from where it is as a condition may: together further than one path goes."""
        found = self._source.locate(self._path(variable.path), 2 * MAX_HOPS)
        return found if found is not None else self._source.need(self._path(variable.path), "?filter")

    def column(self, variable: Variable) -> sa.ColumnElement[Any]:
        return _condition_column(self._located(variable), variable)

    def stored(self, variable: Variable) -> sa.ColumnElement[Any]:
        """The column as it is, whether an amount can be converted or not."""
        return self._located(variable).sql

    def related(self, path: str, condition: Callable[[Tables], sa.ColumnElement[Any]]) -> sa.ColumnElement[Any]:
        """Trashed records are not there."""
        inverse = self._source.inverse(self._path(path))
        if inverse is None:
            raise LookupError(path)
        inner = self._source.within(inverse)
        met = condition(RecordTables(inner))
        mine = column_of(inverse.alias, "id", pg.UUID(as_uuid=True))
        linked = column_of(inner.base, inverse.column, pg.UUID(as_uuid=True)) == mine
        alive = column_of(inner.base, "deleted_at", sa.DateTime(timezone=True)).is_(None)
        chosen = sa.select(sa.literal_column("1", sa.Integer())).select_from(inner.from_clause())
        chosen = chosen.where(linked, alive, met)
        return sa.exists(chosen.correlate_except(*inner.tables()))

    def narrow(self, variable: Variable, op: str, operand: sa.ColumnElement[Any]) -> sa.ColumnElement[Any] | None:
        """A text that is the record's title, or indexed: its sort key has an index."""
        key = self._sort_key(variable)
        if key is None:
            return None
        wanted = folded(operand)
        if op == "eq":
            return key == wanted
        if op != "startsWith":
            return None
        steady = sa.func.regexp_replace(wanted, sa.literal_column(f"'{_STEADY}'"), sa.literal_column("''"))
        for character in ("\\", "%", "_"):
            steady = sa.func.replace(
                steady, sa.literal_column(f"'{character}'"), sa.literal_column(f"'\\{character}'"), type_=sa.Text()
            )
        return key.like(steady.concat(sa.literal_column("'%'")))

    def _sort_key(self, variable: Variable) -> sa.ColumnElement[Any] | None:
        source, obj = self._source, self._source.object
        field = obj.fields.get(variable.path)
        if self._via or field is None or field.type.condition != "text" or field.type.name == "rich_text":
            return None
        if obj.timeline and obj.title == (variable.path,) and not obj.title_else:
            return title_key_of(obj, source.base)
        if not field.indexed or field.computed:
            return None
        column = self._located(variable).sql
        return sa.literal_column(sort_key_sql(str(column.compile(dialect=pg.dialect()))), sa.Text())


def folded(operand: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """A text as ``app.metadata.sortkeys.sort_key_sql`` writes columns."""
    text = sa.Text()
    plain = sa.func.normalize(operand, sa.literal_column("NFKD"), type_=text)
    marks = sa.literal_column(r"'[\u0300-\u036f]'", text)
    bare = sa.func.regexp_replace(plain, marks, sa.literal_column("''"), sa.literal_column("'g'"), type_=text)
    folded = sa.func.casefold(sa.collate(bare, "pg_unicode_fast"), type_=text)
    return sa.func.left(folded, sa.literal_column(str(KEY_LENGTH)), type_=text)


def _condition_column(located: Located, variable: Variable) -> sa.ColumnElement[Any]:
    field = located.field
    if located.expressions:
        return home_amount(located) if variable.kind == "money" else located.sql
    if variable.kind == "texts":
        named = Named(located.path, field, located.owner, located.part)
        column = column_for(located.owner, named, "texts")
        return column_of(located.alias, column.name, pg.ARRAY(sa.Text()))
    if variable.kind == "money":
        return home_amount(located)
    if variable.kind == "none" and located.composite:
        return sa.func.coalesce(*[column_of(located.alias, c.name, sa.Text()) for c in field.columns])
    return located.sql


def home_amount(located: Located, day: sa.ColumnElement[Any] | None = None) -> sa.ColumnElement[Any]:
    """An amount in the tenant's currency (parameter ``home``): as it stands, or by the rate in force on ``day``.

    A currency's earliest rate serves the days before it; without any rate the amount is empty, never mixed in.
    Only amounts in other currencies look a rate up.
    """
    amount, currency = located.sql, currency_of(located)
    on = day if day is not None else sa.func.current_date(type_=sa.Date())
    home = sa.bindparam("home", type_=sa.Text())
    return sa.case((currency == home, amount), (currency.is_not(None), amount * _rate(currency, on)))


def home_rate(currency: sa.ColumnElement[Any], day: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """What amounts in ``currency`` multiply by on ``day`` to be in the tenant's, by the rules of ``home_amount``."""
    home = sa.bindparam("home", type_=sa.Text())
    return sa.case((currency == home, 1), (currency.is_not(None), _rate(currency, day)))


def _rate(currency: sa.ColumnElement[Any], day: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    rate = sa.table(
        "rate", sa.column("currency", sa.Text()), sa.column("day", sa.Date()), sa.column("rate", sa.Numeric())
    )
    one = sa.literal_column("1", sa.Integer())
    same = sa.select(rate.c.rate).where(rate.c.currency == currency)
    before = same.where(rate.c.day <= day).order_by(rate.c.day.desc()).limit(one).scalar_subquery()
    earliest = same.order_by(rate.c.day.asc()).limit(one).scalar_subquery()
    return sa.func.coalesce(before, earliest, type_=sa.Numeric())


def currency_of(located: Located) -> sa.ColumnElement[Any]:
    """The currency column beside an amount."""
    at = next(at for at, column in enumerate(located.field.forms) if column.part == "currency")
    return located.of_form(at)
