"""Records as conditions of rules see them: as they would become, with what they link to and what is calculated.

A condition is prepared once: which fields of the record it depends on, and what only the database knows (fields behind
links, figures over records that link here). That is asked for a whole batch in one statement; formulas of the record
itself are worked out from the values it would have.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from decimal import Context, Decimal
from typing import TYPE_CHECKING, Any, Final, cast
from uuid import UUID

import sqlalchemy as sa

from app.expressions import Checked, to_python, to_sql, to_value
from app.expressions.kinds import Variable
from app.expressions.tree import Call, Ref, Related
from app.metadata.environment import find, link_target
from app.metadata.fieldtypes.duration import seconds_of
from app.metadata.formulas import reads_of
from app.metadata.generated import literal
from app.records.environment import RecordEnvironment, RecordTables, spec_key
from app.records.paths import plain
from app.records.rowform import quote, trusted
from app.records.sources import Source
from app.records.statements import ShapeCache, Statement, compile_statement, run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from app.expressions.tree import Node
    from app.metadata.environment import Named
    from app.metadata.fieldtypes.base import Coercion
    from app.metadata.model import Catalog, Field, ObjectType
    from tenants.scope import TenantScope

_STATEMENTS: Final = ShapeCache()
#: The rows of a batch inside the statement that asks what they link to.
_DRAFTED: Final = "drafted"
_EXACT: Final = Context(prec=200)


@dataclass(frozen=True, slots=True)
class Asked:
    """What only the database knows: the field ``path`` leads to, or whether records of that link meet ``related``."""

    key: str
    path: str
    related: Checked | None = None

    @property
    def hop(self) -> str:
        """The link it begins with; "" where it begins with the record itself."""
        return self.path.partition(".")[0] if "." in self.path else ""


@dataclass(frozen=True, slots=True)
class Reading:
    """A condition or expression, ready to read records: ``fields`` of the object it depends on, what it asks."""

    value: Callable[[Mapping[str, object]], object]
    met: Callable[[Mapping[str, object]], bool]
    fields: frozenset[str]
    asked: frozenset[Asked]


def prepare(catalog: Catalog, obj: ObjectType, checked: Checked) -> Reading:
    """A checked expression over the records of ``obj``."""
    asked: set[Asked] = set()
    own = replace(checked, root=_Asking(catalog, obj, checked, asked).node(checked.root))
    return Reading(to_value(own), to_python(own), _depends_on(catalog, obj, checked), frozenset(asked))


def _depends_on(catalog: Catalog, obj: ObjectType, checked: Checked) -> frozenset[str]:
    """The fields of the object whose values the expression comes to, those its formulas read included."""
    named = reads_of(catalog.objects, obj, checked)
    found = {field for owner, field in named if owner == obj.name}
    for name in list(found):
        formula = obj.fields[name].formula if name in obj.fields else None
        found |= {field for owner, field in formula.reads if owner == obj.name} if formula else set[str]()
    return frozenset(found)


class _Asking:
    """Walks a tree: notes what must be asked, and puts a name in the place of each question to linked records."""

    def __init__(self, catalog: Catalog, obj: ObjectType, checked: Checked, asked: set[Asked]) -> None:
        self._catalog, self._object, self._checked, self._asked = catalog, obj, checked, asked

    def node(self, node: Node) -> Node:
        if isinstance(node, Ref):
            self._note(node.variable.path)
            return node
        if isinstance(node, Related):
            key = hashlib.sha256(repr((node, self._checked.literals)).encode()).hexdigest()[:16]
            self._asked.add(Asked(f"?{key}", node.path, replace(self._checked, root=node)))
            return Ref(Variable(f"?{key}", "boolean"))
        if isinstance(node, Call):
            args = tuple(self.node(arg) for arg in node.args)
            return replace(node, args=_stated(args) if node.op in ("has", "isnull") else args)
        return node

    def _note(self, path: str) -> None:
        named = find(self._catalog.objects, self._object, path)
        if named is None:
            return
        if named.via or named.field.rollup is not None:
            self._asked.add(Asked(path, path))
        elif named.field.formula is not None:
            for part in named.field.formula.parts:
                _Asking(self._catalog, self._object, part, self._asked).node(part.root)


def _stated(args: tuple[Node, ...]) -> tuple[Node, ...]:
    """Money is there when its amount is, whether it can be converted or not."""
    first = args[0]
    if isinstance(first, Ref) and first.kind == "money":
        return (Ref(Variable(f"{first.variable.path}.amount", "number")), *args[1:])
    return args


class Bench:
    """What the records of one write have in common: catalog, object, the moment, rates."""

    def __init__(self, scope: TenantScope, catalog: Catalog, obj: ObjectType, ctx: Coercion) -> None:
        self.scope, self.catalog, self.object = scope, catalog, obj
        self.member = scope.member.id if scope.member else None
        self.params: dict[str, object] = {
            "me": self.member, "now": ctx.now, "today": ctx.today, "zone": ctx.timezone, "home": ctx.currency,
        }  # fmt: skip
        self.spec = spec_key(catalog, obj)
        self._rates: dict[str, Decimal] | None = None

    def home(self, amount: Decimal, currency: str) -> Decimal | None:
        """An amount in the workspace's currency by today's rate; None without a rate."""
        if currency == self.params["home"]:
            return amount
        if self._rates is None:
            rows = self.scope.execute(trusted(_RATES)).fetchall()
            self._rates = {str(row[0]): Decimal(row[1]) for row in rows}
        rate = self._rates.get(currency)
        return None if rate is None else _EXACT.multiply(amount, rate)

    def facts(self, records: Sequence[Mapping[str, Any]], asked: frozenset[Asked]) -> list[Facts]:
        """The records (JSON forms) with what is asked of each."""
        if not asked or not records:
            return [Facts(self, record, {}) for record in records]
        known = self._answers(records, tuple(sorted(asked, key=lambda one: one.key)))
        return [Facts(self, record, found) for record, found in zip(records, known, strict=True)]

    def _answers(self, records: Sequence[Mapping[str, Any]], asked: tuple[Asked, ...]) -> list[dict[str, object]]:
        environment = RecordEnvironment(self.catalog, self.object, self.scope.tenant)
        variables = [environment.variable(one.path) if one.related is None else None for one in asked]
        links = _links(self.catalog, self.object, asked)
        keys = tuple(one.key for one in asked)
        shape = ("facts", self.spec, keys)
        statement = _STATEMENTS.get(shape, lambda: _statement(self.catalog, self.object, asked, variables, links))
        params: dict[str, Any] = {"n": list(range(len(records))), "ids": [record.get("id") for record in records]}
        params |= {f"l{at}": [record.get(link.name) for record in records] for at, link in enumerate(links)}
        rows = sorted(run(self.scope, statement, params))
        kinds = [variable.kind if variable is not None else "boolean" for variable in variables]
        return [
            {key: from_json(kind, raw) for key, kind, raw in zip(keys, kinds, row[1:], strict=True)} for row in rows
        ]


_RATES: Final = (
    "SELECT c.currency, coalesce("
    "(SELECT r.rate FROM rate r WHERE r.currency = c.currency AND r.day <= current_date ORDER BY r.day DESC LIMIT 1),"
    " (SELECT r.rate FROM rate r WHERE r.currency = c.currency ORDER BY r.day LIMIT 1))"
    " FROM (SELECT DISTINCT currency FROM rate) c"
)


def _links(catalog: Catalog, obj: ObjectType, asked: Sequence[Asked]) -> list[Field]:
    wanted = {one.hop for one in asked}
    return [
        field
        for field in obj.fields.values()
        if field.name in wanted and link_target(catalog.objects, field) is not None
    ]


def _statement(
    catalog: Catalog, obj: ObjectType, asked: Sequence[Asked], variables: Sequence[Variable | None], links: list[Field]
) -> Statement:
    """One row a record: what is asked, over the links it would have."""

    def tables(target: ObjectType, name: str) -> sa.FromClause:
        return sa.table(_DRAFTED).alias(name) if name == "r" else plain(target, name)

    source = Source(catalog, obj, "r", tables)
    read = RecordTables(source)
    columns: list[sa.ColumnElement[Any]] = [sa.column("n", sa.Integer(), _selectable=cast("Any", source.base))]
    for one, variable in zip(asked, variables, strict=True):
        if one.related is not None:
            columns.append(sa.func.coalesce(to_sql(one.related, read, literal), sa.false()))
        else:
            columns.append(read.column(cast("Variable", variable)))
    labelled = [column.label(f"x{at}") for at, column in enumerate(columns)]
    written = compile_statement(sa.select(*labelled).select_from(source.from_clause()))
    names = "".join(f", {quote(link.columns[0].name)}".replace("%", "%%") for link in links)
    arrays = "".join(f", %(l{at})s::uuid[]" for at in range(len(links)))
    drafted = f"WITH {_DRAFTED}(n, id{names}) AS (SELECT * FROM unnest(%(n)s::integer[], %(ids)s::uuid[]{arrays})) "
    return replace(written, text=drafted.encode() + written.text)


class Facts(Mapping[str, object]):
    """One record under the names of the condition language; each value is worked out when it is asked for."""

    def __init__(self, bench: Bench, record: Mapping[str, Any], answers: Mapping[str, object]) -> None:
        self.record = record
        self._bench, self._answers = bench, answers
        self._found: dict[str, object] = {**answers}

    def after(self, record: Mapping[str, Any]) -> Facts:
        """The record with other values; what was asked stays."""
        return Facts(self._bench, record, self._answers)

    def __getitem__(self, path: str) -> object:
        if path not in self._found:
            params = self._bench.params
            self._found[path] = params[path] if path in params else self._worked_out(path)
        return self._found[path]

    def get(self, key: str, default: object = None) -> Any:
        """The value; ``default`` where it is empty."""
        found = self[key]
        return default if found is None else found

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    def _worked_out(self, path: str) -> object:
        named = find(self._bench.catalog.objects, self._bench.object, path)
        if named is None or named.via:
            return None
        if named.field.formula is not None:
            return self._calculated(named)
        listed = named.field.primary_of if named.kind == "texts" and named.field.primary_of else named.field.name
        raw: object = self.record.get(listed)
        if named.part:
            raw = cast("Mapping[str, object]", raw).get(named.part) if isinstance(raw, dict) else None
        elif named.kind == "money":
            return self._worth(raw)
        return from_json(named.kind, raw)

    def _worth(self, raw: object) -> Decimal | None:
        money = cast("Mapping[str, str]", raw) if isinstance(raw, dict) else None
        return None if money is None else self._bench.home(Decimal(money["amount"]), money["currency"])

    def _calculated(self, named: Named) -> object:
        """A formula of the record itself, from the values it would have."""
        field = named.field
        parts = field.formula.parts if field.formula is not None else ()
        if not parts:
            return None
        values = [self._part(field, at) for at in range(len(parts))]
        if named.part:
            at = next(at for at, column in enumerate(field.forms) if column.part == named.part)
            return values[at]
        if named.kind == "money":
            amount, currency = values
            both = isinstance(amount, Decimal) and isinstance(currency, str)
            return self._bench.home(cast("Decimal", amount), cast("str", currency)) if both else None
        return values[0]

    def _part(self, field: Field, at: int) -> object:
        bench = self._bench
        key = ("formula", bench.spec, field.name, at)
        formula = field.formula
        reading = _STATEMENTS.get(
            key, lambda: prepare(bench.catalog, bench.object, formula.parts[at]) if formula is not None else None
        )
        return None if reading is None else reading.value(self)


def from_json(kind: str, raw: object) -> object:
    """A value of the condition language from its JSON form, or as a statement answers it."""
    if raw is None:
        return None
    return _FROM_JSON[kind](raw) if kind in _FROM_JSON else raw


def _number(raw: object) -> object:
    return raw if isinstance(raw, int | Decimal) else Decimal(str(raw))


def _texts(raw: object) -> tuple[object, ...] | None:
    items = cast("list[object]", raw) if isinstance(raw, list) else [raw]
    found = tuple(cast("Mapping[str, object]", one)["value"] if isinstance(one, dict) else one for one in items)
    return found or None


def _seconds(raw: object) -> Decimal:
    """Of the JSON form, or of the column."""
    return seconds_of(raw) if isinstance(raw, str) and "P" in raw else Decimal(str(raw))


_FROM_JSON: Final[Mapping[str, Callable[[Any], object]]] = {
    "number": _number,
    "money": _number,
    "date": lambda raw: date.fromisoformat(str(raw)[:10]),
    "datetime": lambda raw: datetime.fromisoformat(str(raw)),
    "time": lambda raw: time.fromisoformat(str(raw)),
    "duration": _seconds,
    "link": lambda raw: raw if isinstance(raw, UUID) else UUID(str(raw)),
    "options": _texts,
    "texts": _texts,
}
