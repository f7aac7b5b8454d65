"""The compiled description of a tenant's objects that every other package reads.

Built once per distinct object spec by ``app.metadata.catalog`` and shared between tenants; immutable.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.expressions import Checked
    from app.metadata.arrangement import Layout, View
    from app.metadata.fieldtypes.base import FieldType
    from app.metadata.leaves import Leaves
    from app.metadata.reach import Reach
    from tenants.scope import Tenant

OnDelete = Literal["restrict", "cascade", "clear"]
Unique = Literal["", "folded", "exact"]
StageStatus = Literal["open", "won", "lost", "done", "cancelled"]


@dataclass(frozen=True, slots=True)
class Column:
    """One physical column of a field. ``part`` names it inside a composite value (``amount``, ``city``).

    ``references`` is the system table whose rows it points to, where that is not a link's.
    """

    name: str
    sql_type: str
    part: str = ""
    references: str = ""


@dataclass(frozen=True, slots=True)
class Option:
    """A choice of a select field."""

    name: str
    label: str
    color: str = ""
    rank: str = ""
    retired: bool = False
    #: What the workspace calls it, where ``label`` is a translation.
    also: str = ""


#: A field of an object, by both names.
FieldName = tuple[str, str]
RollupFunction = Literal["count", "sum", "min", "max", "avg", "latest"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Formula:
    """How a field is calculated from others; ``source`` in the condition language, ``returns`` a field type.

    ``parts`` are its checked trees, one a column of the type. With ``sql`` each part is a VIRTUAL column of that text;
    without it looks over links or at the time, and is an expression in the statement that asks. ``reads`` holds every
    field it comes to, of any object. ``problem`` says why it can't be calculated (any more): then it is empty.
    """

    source: str
    returns: str
    parts: tuple[Checked, ...] = ()
    sql: tuple[str, ...] = ()
    reads: frozenset[FieldName] = frozenset()
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollup:
    """A figure over the live records that link here by the inverse ``over``, of those that meet ``when``.

    ``object`` and ``column`` are those records' object and the column of their link, once found. ``key`` names what an
    ``indexed`` one keeps in the tables ``rollup`` and ``rollup_delta``: it differs wherever the figure would.
    """

    over: str
    function: RollupFunction
    field: str = ""
    when: str = ""
    indexed: bool = False
    object: str = ""
    column: str = ""
    condition: Checked | None = None
    key: str = ""
    reads: frozenset[FieldName] = frozenset()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Feed:
    """An indexed roll-up of another object that counts this one's records: whose field it is, and how it is kept."""

    object: str
    field: str
    rollup: Rollup
    table: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A field of an object. ``system`` fields are written by the engine only (id, version, stage_since …)."""

    name: str
    type: FieldType
    label: str
    help: str = ""
    columns: tuple[Column, ...] = ()
    required: bool = False
    unique: Unique = ""
    searchable: bool = False
    system: bool = False
    readonly: bool = False
    default: object = None
    #: An expression that gives a new record's value instead.
    default_formula: str = ""
    options: Mapping[str, Option] = field(default_factory=dict[str, Option])
    #: The set that ``options`` come from, if they do.
    option_set: str = ""
    open: bool = False
    #: How many stars a rating has.
    most: int = 5
    to: tuple[str, ...] = ()
    on_delete: OnDelete = "clear"
    inverse: str = ""
    acyclic: bool = False
    #: Whether the table carries an index on the field's columns.
    indexed: bool = False
    #: ``email`` is the primary entry of ``emails``: written and read by itself, searched through all entries.
    primary_of: str = ""
    #: Whoever has this catalog may read the field but not write it.
    denied: bool = False

    #: Calculated, never written: by ``formula`` or ``rollup``, whose values are of ``type``.
    formula: Formula | None = None
    rollup: Rollup | None = None

    @property
    def computed(self) -> bool:
        """Whether its value is calculated from others."""
        return self.formula is not None or self.rollup is not None

    @property
    def stored(self) -> bool:
        """Whether its value is kept in columns that are written."""
        return bool(self.columns) and not self.computed

    @property
    def shown(self) -> bool:
        """Whether it has a value people read: in columns, or in an expression."""
        return bool(self.columns) or self.computed

    @property
    def forms(self) -> tuple[Column, ...]:
        """The columns its values are read as, whether there are such or not."""
        return self.columns or self.type.columns(self.name)

    @property
    def writable(self) -> bool:
        """Whether whoever has this catalog may give it a value."""
        return not (self.system or self.readonly or self.denied)


@dataclass(frozen=True, slots=True)
class Gate:
    """What must hold to enter or to leave a stage, and what people read when it does not."""

    when: str
    message: str


@dataclass(frozen=True, slots=True)
class RuleDefault:
    """What a field gets by a rule: ``value``, or what ``formula`` gives."""

    field: str
    value: object = None
    formula: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What must hold when a record is saved, and what follows when ``when`` holds ("" is always).

    ``options`` are (field, the options allowed). Conditions are as written; ``app.records.rulebook`` reads them.
    """

    name: str
    label: str = ""
    when: str = ""
    refuse_if: str = ""
    require: str = ""
    message: str = ""
    field: str = ""
    required: tuple[str, ...] = ()
    visible: tuple[str, ...] = ()
    read_only: tuple[str, ...] = ()
    options: tuple[tuple[str, tuple[str, ...]], ...] = ()
    defaults: tuple[RuleDefault, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A stage of a pipeline; ``probability`` is a fraction 0…1 as text, "" where the object has none."""

    name: str
    label: str
    status: StageStatus
    probability: str = ""
    color: str = ""
    rank: str = ""
    enter_if: Gate | None = None
    leave_if: Gate | None = None
    #: It is not offered any more; records in it stay.
    retired: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """An ordered set of stages records of an object move through."""

    name: str
    label: str
    stages: Mapping[str, Stage]
    #: It takes no more records; those in it stay, and move through its stages.
    retired: bool = False

    @property
    def first(self) -> Stage:
        """Where a record begins."""
        return next((one for one in self.stages.values() if not one.retired), next(iter(self.stages.values())))


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectType:
    """A compiled object. ``fields`` holds all fields, system ones included, in display order."""

    name: str
    label: str
    plural: str
    icon: str
    table: str
    fields: Mapping[str, Field]
    #: The fields whose texts, joined by a blank, are a record's title; when all are empty the first of
    #: ``title_else`` that is not. The table has it as ``_title``, its sort key as ``_title_key`` (sortkeys).
    title: tuple[str, ...]
    spec_hash: str
    title_else: tuple[str, ...] = ()
    help: str = ""
    rank: str = ""
    pipelines: Mapping[str, Pipeline] = field(default_factory=dict[str, Pipeline])
    highlights: tuple[str, ...] = ()
    list_columns: tuple[str, ...] = ()
    default_sort: str = "title"
    navigation: bool = True
    timeline: bool = True
    #: Indexed roll-ups that count these records: every write of one appends what it adds to them.
    feeds: tuple[Feed, ...] = ()
    #: What holds when records are written, and a name for these rules as they are: "" when there are none.
    rules: tuple[Rule, ...] = ()
    rules_hash: str = ""
    #: How its records' pages are arranged, first fit first, and a name for that; its lists and boards for people.
    layouts: tuple[Layout, ...] = ()
    layouts_hash: str = ""
    views: tuple[View, ...] = ()
    #: Which records whoever has this catalog reaches: in all of these ways; none means every record.
    reach: tuple[Reach, ...] = ()
    #: The title says what they may not read: a short form of the id stands for it.
    masked: bool = False

    @property
    def has_pipeline(self) -> bool:
        """Whether records of this object stand in a stage."""
        return bool(self.pipelines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    """All objects of one tenant at one metadata version, or those a set of roles may read, of ``whole``.

    ``tenant`` is set where roles narrow records by conditions, which need its settings.
    """

    version: int
    objects: Mapping[str, ObjectType]
    whole: Catalog | None = None
    tenant: Tenant | None = None
    #: Component → leaves of every root kind but objects: views, layouts, calendars, translations, option sets.
    components: Mapping[str, Leaves] = field(default_factory=dict[str, "Leaves"])
    #: How many leaves both the tenant and an update changed: somebody has to decide.
    conflicts: int = 0

    def object(self, name: str) -> ObjectType:
        """Return the object called ``name``. Raises KeyError."""
        return self.objects[name]
