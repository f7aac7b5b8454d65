"""The names a list's condition may use: the object's fields, and those one link further."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from app.expressions import Checked, Variable, check, to_sql
from app.metadata.fieldtypes.phone import e164
from app.records.intake import region_of
from app.records.paths import Located, Source, column_of, link_target
from app.records.statements import ShapeCache

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

    from app.expressions import Kind
    from app.metadata.model import Catalog, ObjectType
    from tenants.scope import Tenant, TenantScope

_TARGETS: Final = ShapeCache()


class RecordEnvironment:
    """``app.expressions.Environment`` over one object of a catalog."""

    def __init__(self, catalog: Catalog, obj: ObjectType, tenant: Tenant) -> None:
        self._source = Source(catalog, obj)
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

    def names(self) -> Iterable[str]:
        """Names worth suggesting."""
        return self._source.names()


def spec_key(catalog: Catalog, obj: ObjectType) -> tuple[str, ...]:
    """What the meaning of names depends on: the object's spec and those of the objects it links to."""
    targets = _TARGETS.get(obj.spec_hash, lambda: _targets(catalog, obj))
    return (obj.spec_hash, *(catalog.objects[name].spec_hash for name in targets if name in catalog.objects))


def _targets(catalog: Catalog, obj: ObjectType) -> tuple[str, ...]:
    found = {target.name for field in obj.fields.values() if (target := link_target(catalog, field)) is not None}
    return tuple(sorted(found))


def check_filter(scope: TenantScope, catalog: Catalog, obj: ObjectType, text: str) -> Checked | None:
    """A list's ``filter`` checked; None when there is none. Raises ConditionError at ``?filter``."""
    return check(text, RecordEnvironment(catalog, obj, scope.tenant)) if text.strip() else None


def condition_sql(source: Source, checked: Checked) -> sa.ColumnElement[bool]:
    """The condition as SQL over ``source``, which gains the joins it needs."""

    def column(variable: Variable) -> sa.ColumnElement[Any]:
        located = source.need(variable.path, "?filter")
        return _condition_column(located, variable)

    return to_sql(checked, column)


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
    rate = sa.table(
        "rate", sa.column("currency", sa.Text()), sa.column("day", sa.Date()), sa.column("rate", sa.Numeric())
    )
    on = day if day is not None else sa.func.current_date(type_=sa.Date())
    one = sa.literal_column("1", sa.Integer())
    same = sa.select(rate.c.rate).where(rate.c.currency == currency)
    before = same.where(rate.c.day <= on).order_by(rate.c.day.desc()).limit(one).scalar_subquery()
    earliest = same.order_by(rate.c.day.asc()).limit(one).scalar_subquery()
    home = sa.bindparam("home", type_=sa.Text())
    converted = amount * sa.func.coalesce(before, earliest, type_=sa.Numeric())
    return sa.case((currency == home, amount), (currency.is_not(None), converted))


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
