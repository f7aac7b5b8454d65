"""The names a list's condition may use: the object's fields, those some links further, records that link to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from app.expressions import Checked, Variable, check, to_sql
from app.metadata.fieldtypes.phone import e164
from app.metadata.sortkeys import KEY_LENGTH
from app.records.intake import region_of
from app.records.paths import Located, Source, column_of, title_key_of

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

    from app.expressions import Kind, Tables
    from app.metadata.model import Catalog, ObjectType
    from tenants.scope import Tenant, TenantScope

#: A folded prefix is compared up to its last character that nothing after it can change: a later combining mark
#: sorts before an earlier one in NFKD (UAX #15), so marks at the end are left off.
_STEADY: Final = r"[^\u0020-\u02ff\u0370-\u0482\u048a-\u0588\u1100-\u11ff\u3041-\u3096\u30a1-\u30fa\u4e00-\u9fff]+$"


class RecordEnvironment:
    """``app.expressions.Environment`` over one object of a catalog."""

    def __init__(self, catalog: Catalog, obj: ObjectType, tenant: Tenant) -> None:
        self._source = Source(catalog, obj)
        self._tenant = tenant
        self.currency = tenant.currency
        self.timezone = tenant.timezone
        self._region = region_of(tenant.locale, tenant.timezone)
        self.key: Hashable = (*spec_key(catalog, obj), tenant.currency, tenant.timezone, self._region)

    def variable(self, path: str) -> Variable | None:
        """The variable called ``path``, or None."""
        located = self._source.locate(path)
        if located is None:
            return None
        return Variable(path, _kind(located), _options(located), _normaliser(located, self._region))

    def names(self, near: str = "") -> Iterable[str]:
        """Names worth suggesting."""
        return self._source.names(near)

    def related(self, path: str) -> RecordEnvironment | None:
        """Names of the records the to-many link ``path`` leads to."""
        inverse = self._source.inverse(path)
        return None if inverse is None else RecordEnvironment(self._source.catalog, inverse.object, self._tenant)


def spec_key(catalog: Catalog, obj: ObjectType) -> tuple[str, ...]:
    """What the meaning of names depends on: the object's spec, and those of all it may reach by links."""
    return (obj.spec_hash, *(other.spec_hash for other in catalog.objects.values()))


def check_filter(scope: TenantScope, catalog: Catalog, obj: ObjectType, text: str) -> Checked | None:
    """A list's ``filter`` checked; None when there is none. Raises ConditionError at ``?filter``."""
    return check(text, RecordEnvironment(catalog, obj, scope.tenant)) if text.strip() else None


def condition_sql(source: Source, checked: Checked) -> sa.ColumnElement[bool]:
    """The condition as SQL over ``source``, which gains the joins it needs."""
    return to_sql(checked, _RecordTables(source))


class _RecordTables:
    """``app.expressions.Tables`` over one object and what it links to."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def column(self, variable: Variable) -> sa.ColumnElement[Any]:
        return _condition_column(self._source.need(variable.path, "?filter"), variable)

    def stored(self, variable: Variable) -> sa.ColumnElement[Any]:
        """The column as it is, whether an amount can be converted or not."""
        return self._source.need(variable.path, "?filter").sql

    def related(self, path: str, condition: Callable[[Tables], sa.ColumnElement[Any]]) -> sa.ColumnElement[Any]:
        """Trashed records are not there."""
        inverse = self._source.inverse(path)
        if inverse is None:
            raise LookupError(path)
        inner = self._source.within(inverse)
        met = condition(_RecordTables(inner))
        mine = column_of(inverse.alias, "id", pg.UUID(as_uuid=True))
        linked = column_of(inner.base, inverse.column, pg.UUID(as_uuid=True)) == mine
        alive = column_of(inner.base, "deleted_at", sa.DateTime(timezone=True)).is_(None)
        chosen = sa.select(sa.literal_column("1", sa.Integer())).select_from(inner.from_clause())
        chosen = chosen.where(linked, alive, met)
        return sa.exists(chosen.correlate_except(*inner.tables()))

    def narrow(self, variable: Variable, op: str, operand: sa.ColumnElement[Any]) -> sa.ColumnElement[Any] | None:
        """A text that is the record's title: its sort key has an index."""
        source = self._source
        obj, field = source.object, source.object.fields.get(variable.path)
        plain = field is not None and field.type.condition == "text" and field.type.name != "rich_text"
        if not plain or not obj.timeline or obj.title != (variable.path,) or obj.title_else:
            return None
        key, folded = title_key_of(source.object, source.base), _folded(operand)
        if op == "eq":
            return key == folded
        if op != "startsWith":
            return None
        steady = sa.func.regexp_replace(folded, sa.literal_column(f"'{_STEADY}'"), sa.literal_column("''"))
        for character in ("\\", "%", "_"):
            steady = sa.func.replace(
                steady, sa.literal_column(f"'{character}'"), sa.literal_column(f"'\\{character}'"), type_=sa.Text()
            )
        return key.like(steady.concat(sa.literal_column("'%'")))


def _folded(operand: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """A parameter as ``app.metadata.sortkeys.sort_key_sql`` writes columns."""
    text = sa.Text()
    plain = sa.func.normalize(operand, sa.literal_column("NFKD"), type_=text)
    marks = sa.literal_column(r"'[\u0300-\u036f]'", text)
    bare = sa.func.regexp_replace(plain, marks, sa.literal_column("''"), sa.literal_column("'g'"), type_=text)
    folded = sa.func.casefold(sa.collate(bare, "pg_unicode_fast"), type_=text)
    return sa.func.left(folded, sa.literal_column(str(KEY_LENGTH)), type_=text)


def _condition_column(located: Located, variable: Variable) -> sa.ColumnElement[Any]:
    field = located.field
    if variable.kind == "texts" and field.primary_of:
        return column_of(located.alias, f"{field.primary_of}__all", pg.ARRAY(sa.Text()))
    if variable.kind == "texts":
        name = next((c.name for c in field.columns if c.sql_type == "text[]"), field.columns[0].name)
        return column_of(located.alias, name, pg.ARRAY(sa.Text()))
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
    name = next(column.name for column in located.field.columns if column.part == "currency")
    return column_of(located.alias, name, sa.Text())


def _kind(located: Located) -> Kind:
    return cast("Kind", "none" if located.composite else located.kind)


def _normaliser(located: Located, region: str) -> Callable[[str], str] | None:
    """How a literal is brought into the form addresses are stored in."""
    kind = located.field.primary_of or located.field.type.name
    if kind == "emails":
        return str.lower
    if kind == "phones":
        return lambda text: e164(text, region) or text
    return None


def _options(located: Located) -> frozenset[str]:
    if located.part:
        return frozenset()
    if located.field.name == "stage" and located.owner.has_pipeline:
        return frozenset(name for pipeline in located.owner.pipelines.values() for name in pipeline.stages)
    return frozenset(located.field.options)
