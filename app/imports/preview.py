"""What a person sees before an import begins: columns with samples, guesses to correct, problems to expect."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO, Final

from app.access import catalogs
from app.core.errors import Forbidden
from app.imports.batch import BatchWriter
from app.imports.cells import Problem, RowReader
from app.imports.errors import InvalidImport
from app.imports.links import LinkResolver, fold, own_links
from app.imports.mapping import make_plan, paths_of
from app.imports.options import take_apart
from app.imports.reading import open_sheet
from app.imports.survey import Survey, survey
from app.metadata.fieldtypes.choices import offered
from app.records.intake import coercion_of
from app.records.retired import stages_offered

if TYPE_CHECKING:
    from app.imports.cells import ReadRow
    from app.imports.mapping import Plan, Target
    from app.imports.stored import Stored
    from app.metadata.model import Catalog, ObjectType
    from tenants.scope import TenantScope

#: Rows looked at for problems, and rows shown.
_CHECKED: Final = 2_000
_SHOWN: Final = 8
#: Rows named for a kind of problem.
_LISTED: Final = 5
_SAMPLES: Final = 3
_MAX_VALUES: Final = 30
_LINK_MISSING: Final = "link.not_found"
_OPTION_UNKNOWN: Final = "option.unknown"
#: What a person may say another value for.
_TRANSLATED: Final = frozenset({_OPTION_UNKNOWN, "option.retired", "stage.retired"})


@dataclass(slots=True)
class ColumnView:
    """A column of the file and what it feeds. ``kind``: plain, link or option."""

    number: int
    header: str
    samples: list[str]
    path: str = ""
    kind: str = "plain"
    field_name: str = ""
    policy: str = ""
    by: str = ""
    link_fields: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])


@dataclass(slots=True)
class ValueView:
    """A value of the file that is no choice of its field; ``chosen`` is what it will become."""

    path: str
    label: str
    raw: str
    count: int
    chosen: str
    choices: list[tuple[str, str]]


@dataclass(slots=True)
class ProblemView:
    """A kind of problem: where, what, how often, in which rows first."""

    column: str
    message: str
    count: int
    rows: list[int]
    warning: bool


@dataclass(slots=True)
class Preview:
    """Everything the mapping page shows. ``refused``: why it can't start as it is."""

    columns: list[ColumnView]
    targets: list[tuple[str, str]]
    names: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    extras: list[ColumnView] = field(default_factory=list[ColumnView])
    values: list[ValueView] = field(default_factory=list[ValueView])
    problems: list[ProblemView] = field(default_factory=list[ProblemView])
    rows: int = 0
    checked: int = 0
    failing: int = 0
    warned: int = 0
    head: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    body: list[tuple[int, list[str], list[Problem]]] = field(default_factory=list[tuple[int, list[str], list[Problem]]])
    refused: str = ""
    date_unclear: bool = False


def look(scope: TenantScope, stored: Stored, stream: BinaryIO) -> Preview:
    """Read the start of the file by the mapping so far; nothing is written."""
    catalog = catalogs.for_scope(scope)
    sheet = open_sheet(stream, stored.dialect)
    rows = list(islice(sheet.rows, _CHECKED))
    wishes = take_apart(stored.given)
    object_type = catalog.objects[stored.given.object]
    columns = [
        ColumnView(number, name, _samples(rows, number), path=(wishes.columns.get(name) or [""])[0])
        for number, name in enumerate(sheet.header)
    ]
    preview = Preview(columns, list(paths_of(object_type).items()), [(name, name) for name in sheet.header])
    preview.extras = [
        ColumnView(-1, name, [], path=path) for name in sheet.header for path in wishes.columns.get(name, [])[1:]
    ] + [ColumnView(-1, "", [])]
    _describe(catalog, object_type, preview, stored)
    try:
        plan = make_plan(catalog, sheet.header, wishes)
        preview.refused = _missing(object_type, plan)
        found = survey(plan, open_sheet(stream, stored.dialect), coercion_of(scope))
    except InvalidImport as error:
        preview.refused = error.detail
        preview.date_unclear = any(one.code == "date.ambiguous" for one in error.errors)
        return preview
    preview.rows = found.rows
    _check(scope, catalog, plan, found, rows, preview)
    return preview


def _samples(rows: list[tuple[int, list[str]]], column: int) -> list[str]:
    texts = (cells[column].strip() for _, cells in rows if column < len(cells))
    return list(islice(dict.fromkeys(text for text in texts if text), _SAMPLES))


def _describe(catalog: Catalog, object_type: ObjectType, preview: Preview, stored: Stored) -> None:
    """Which columns are links or choices, and how those are treated."""
    wishes = take_apart(stored.given)
    for column in preview.columns:
        head, _, part = column.path.partition(".")
        target = object_type.fields.get(head)
        if target is None:
            continue
        column.field_name = head
        if target.to:
            column.kind, column.policy = "link", wishes.policy_of_link(head)
            column.by = wishes.link_by.get(head, "")
            linked = catalog.objects.get(part or target.to[0])
            if linked is not None:
                unique = [(name, f.label) for name, f in linked.fields.items() if f.unique]
                column.link_fields = [("title", f"Name of the {linked.label.lower()}"), *unique]
        elif target.open and target.type.name == "select":
            column.kind, column.policy = "option", wishes.policy_of_options(head)


def _missing(object_type: ObjectType, plan: Plan) -> str:
    """Required fields nothing feeds."""
    if plan.wishes.mode == "update":
        return ""
    fed = {target.field.name for target in plan.targets}
    fields = [
        f.label
        for name, f in object_type.fields.items()
        if f.required and not f.system and f.default is None and name not in fed
    ]
    return f"No column feeds {' and '.join(fields)}, which every {object_type.label.lower()} needs." if fields else ""


def _check(
    scope: TenantScope, catalog: Catalog, plan: Plan, found: Survey, rows: list[tuple[int, list[str]]], preview: Preview
) -> None:
    """Read the first rows as the import would, links looked up, and gather what goes wrong."""
    read = _read(scope, catalog, plan, found, rows)
    created = {t.header for t in plan.targets if t.field.to and plan.wishes.policy_of_link(t.field.name) == "create"}
    adding = {
        t.header for t in plan.targets if plan.wishes.policy_of_options(t.field.name) == "create" and t.field.open
    }
    kinds: Counter[tuple[str, str, bool]] = Counter()
    at: dict[tuple[str, str, bool], list[int]] = {}
    unknown: Counter[tuple[str, str]] = Counter()
    for target in plan.targets:
        for raw in found.unknown.get(target.path, ()):
            unknown[target.header, raw] = 0
    for row in read:
        problems = [
            one
            for one in row.problems
            if not (one.code == _LINK_MISSING and one.column in created)
            and not (one.code == _OPTION_UNKNOWN and one.column in adding)
        ]
        for one in row.problems:
            if one.code in _TRANSLATED:
                unknown[one.column, one.value] += 1
        preview.failing += bool(problems)
        preview.warned += bool(row.warnings) and not problems
        row.problems = problems
        for one in (*problems, *row.warnings):
            key = (one.column, _general(one), one.warning)
            kinds[key] += 1
            at.setdefault(key, []).append(row.number)
    preview.checked = len(read)
    labels = paths_of(plan.object_type)
    preview.problems = [
        ProblemView(labels.get(column, column), message, count, at[column, message, warning][:_LISTED], warning)
        for (column, message, warning), count in kinds.most_common(_MAX_VALUES)
    ]
    preview.values = _values(plan, unknown)
    targets = [target for target in plan.targets if target.column is not None]
    preview.head = [(target.header, labels.get(target.path, target.path)) for target in targets]
    preview.body = [
        (number, [_cell(target, cells) for target in targets], [*row.problems, *row.warnings])
        for row, (number, cells) in list(zip(read, rows, strict=True))[:_SHOWN]
    ]


def _read(
    scope: TenantScope, catalog: Catalog, plan: Plan, found: Survey, rows: list[tuple[int, list[str]]]
) -> list[ReadRow]:
    """The rows with everything that is wrong with them."""
    ctx = replace(coercion_of(scope), decimal_comma=found.decimal_comma)
    reader = RowReader(plan, ctx, found)
    read = [reader.read(number, cells) for number, cells in rows]
    own = frozenset(fold(cell) for _, cells in rows for cell in cells) if own_links(plan) else frozenset[str]()
    resolver = LinkResolver(catalog, plan, ctx, own, dry=True, make=False)
    resolver.resolve(scope, read)
    _foresee(scope, BatchWriter(catalog, plan, reader, resolver, None), read, dict(rows))
    return read


def _foresee(scope: TenantScope, writer: BatchWriter, rows: list[ReadRow], texts: dict[int, list[str]]) -> None:
    """What writing the rows would refuse: what is missing, taken, and by the workspace's rules.

    Rows that link to what is not there yet are left out: they will be judged with it.
    """
    with suppress(Forbidden):
        writer.foresee(scope, [row for row in rows if not row.problems], texts)


def _general(problem: Problem) -> str:
    """Rows that are too long differ in their length only."""
    return "The row has more columns than the header." if problem.code == "row.too_long" else problem.message


def _cell(target: Target, cells: list[str]) -> str:
    column = target.column or 0
    return cells[column].strip() if column < len(cells) else ""


def _values(plan: Plan, unknown: Counter[tuple[str, str]]) -> list[ValueView]:
    """Values a person may translate: unknown ones, and those translated already."""
    found: list[ValueView] = []
    for target in plan.targets:
        options = _choices(plan, target)
        if not options:
            continue
        mapped = plan.wishes.values.get(target.path, {})
        raws = Counter({raw: count for (header, raw), count in unknown.items() if header == target.header})
        for raw in mapped:
            raws.setdefault(raw, 0)
        for raw, count in raws.most_common(_MAX_VALUES):
            found.append(ValueView(target.path, target.field.label, raw, count, mapped.get(raw, ""), options))
    return found


def _choices(plan: Plan, target: Target) -> list[tuple[str, str]]:
    if target.field.type.name == "stage":
        return [(stage.name, stage.label) for stage in stages_offered(plan.object_type)]
    if target.field.type.name == "select":
        return [(option.name, option.label) for option in offered(target.field)]
    return []
