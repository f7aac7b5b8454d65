"""From the cells of a row to coerced values; every cell that can't be read is kept as a problem."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

import msgspec

from app.core.spreadsheets import unguarded
from app.metadata.fieldtypes.base import ValueProblem

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from app.imports.mapping import Plan, Target
    from app.imports.survey import Survey
    from app.metadata.fieldtypes.base import Coercion

#: Distinct texts a column remembers: dates, choices, places and amounts repeat.
_REMEMBERED: Final = 4_096
#: What nothing is remembered of.
_UNREAD: Final = object()
#: Space around these is theirs.
_PLAIN_TYPES: Final = frozenset({"text", "long_text"})
#: What is kept of a cell in a report.
_SHOWN: Final = 200


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is wrong with a cell, or (without ``column``) with its row."""

    column: str
    value: str
    code: str
    message: str
    warning: bool = False


@dataclass(slots=True)
class ReadRow:
    """A row of the file. ``links`` still hold what the cell says.

    ``blank`` fields had an empty cell, ``cleared`` ones the text that stands for null.
    """

    number: int
    values: dict[str, Any] = field(default_factory=dict[str, Any])
    links: dict[str, tuple[Target, str]] = field(default_factory=dict[str, "tuple[Target, str]"])
    parts: dict[str, dict[str, object]] = field(default_factory=dict[str, "dict[str, object]"])
    blank: list[str] = field(default_factory=list[str])
    cleared: list[str] = field(default_factory=list[str])
    problems: list[Problem] = field(default_factory=list[Problem])
    warnings: list[Problem] = field(default_factory=list[Problem])


class RowReader:
    """Reads rows by a plan; one reader a run, so that repeated cells are read once."""

    def __init__(self, plan: Plan, ctx: Coercion, found: Survey) -> None:
        """``found``: how the file's columns are written."""
        self._width = len(plan.header)
        self._nulls = plan.wishes.nulls
        self._cells: list[_Cell] = []
        self._composites: dict[str, Target] = {}
        for target in plan.targets:
            own = _as_written(target, plan, ctx, found)
            if target.part and not target.field.to:
                self._composites[target.field.name] = target
            self._cells.append(_Cell(target, own, plan.wishes.values.get(target.path, {})))
        for cell in self._cells:
            if cell.name in self._composites:
                cell.gather()
                # An amount whose currency has a column of its own is itself only a part.
                if not cell.target.part:
                    cell.read_part("amount")
        self._joined: dict[tuple[object, ...], tuple[object]] = {}
        self._ctx = ctx

    @property
    def composites(self) -> frozenset[str]:
        """Fields of which the file has single parts."""
        return frozenset(self._composites)

    def read(self, number: int, cells: Sequence[str]) -> ReadRow:
        """Values, links and problems of one row."""
        row = ReadRow(number)
        given = len(cells)
        if given > self._width:
            message = f"The row has {given} columns, the header has {self._width}."
            row.problems.append(Problem("", "", "row.too_long", message))
            return row
        for cell in self._cells:
            column = cell.column
            raw = cell.target.constant if column is None else cells[column] if column < given else ""
            known = cell.known.get(raw, _UNREAD)
            if known is None:
                row.blank.append(cell.blank)
            elif known is _UNREAD:
                self._take(row, cell, raw)
            else:
                cell.put(row, known)
        for name, parts in row.parts.items():
            self._join(row, name, parts)
        return row

    def merge(self, row: ReadRow, present: Mapping[str, Any]) -> None:
        """Put the parts the row has into the composite values of the record as it is (its JSON form)."""
        for name in self._composites:
            given = dict(row.parts.get(name, {}))
            given |= {
                path.partition(".")[2] or "amount": None for path in row.cleared if path.partition(".")[0] == name
            }
            before = present.get(name)
            if given and isinstance(before, dict):
                merged = {**before, **given}
                self._join(row, name, {part: value for part, value in merged.items() if value is not None})

    def _take(self, row: ReadRow, cell: _Cell, raw: str) -> None:
        """A cell whose text is met for the first time."""
        text = cell.text(raw)
        if not text or text.strip() in self._nulls:
            (row.cleared if text else row.blank).append(cell.blank)
            return
        try:
            value = cell.read(text)
        except ValueProblem as problem:
            row.problems.append(Problem(cell.target.header, text[:_SHOWN], problem.code, problem.message))
            return
        if value is None and not cell.part:
            row.blank.append(cell.blank)
            return
        cell.remember(raw, value)
        cell.put(row, value)

    def _join(self, row: ReadRow, name: str, given: dict[str, object]) -> None:
        """Parts of a composite become one value, once for parts that repeat."""
        texts = all(isinstance(part, str) for part in given.values())
        key = (name, *given.items()) if texts else ()
        known = self._joined.get(key) if texts else None
        if known is None:
            known = self._put_together(row, name, given)
            if texts and known is not None and len(self._joined) < _REMEMBERED:
                self._joined[key] = known
        if known is not None:
            row.values[name] = known[0]

    def _put_together(self, row: ReadRow, name: str, given: dict[str, object]) -> tuple[object] | None:
        """The value (in a tuple, as it may be None), or None with the problem put to the row."""
        target = self._composites[name]
        amount = given.get("amount")
        merged = {**amount, **given, "amount": amount["amount"]} if isinstance(amount, dict) else given
        try:
            return (target.field.type.coerce(target.field, merged, self._ctx),)
        except ValueProblem as problem:
            where = next((c.target for c in self._cells if c.target.path == f"{name}.{problem.part}"), target)
            shown = str(given.get(problem.part, ""))[:_SHOWN]
            row.problems.append(Problem(where.header, shown, problem.code, problem.message))
            return None


def _as_written(target: Target, plan: Plan, ctx: Coercion, found: Survey) -> Coercion:
    """How the cells of a target are written; what is the same in each row came from no column."""
    if target.column is None:
        return replace(ctx, date_format=plan.wishes.date_format)
    return replace(
        ctx,
        date_format=plan.wishes.date_format or found.date_formats.get(target.header, ""),
        hundredths=target.header in found.hundredths,
        heading=target.header,
    )


class _Cell:
    """One target: finds its text in a row and reads it, remembering what it has read.

    ``blank`` is what the row's ``blank`` and ``cleared`` call it; ``part`` its key when its field is put together.
    """

    __slots__ = ("_ctx", "_mapped", "_parse", "_trims", "blank", "column", "known", "name", "part", "put", "target")

    def __init__(self, target: Target, ctx: Coercion, mapped: Mapping[str, str]) -> None:
        self.target = target
        self.column = target.column
        self.name = self.blank = target.field.name
        self.part = ""
        #: Cell as it stands in the file → what it means; None: nothing.
        self.known: dict[str, Any] = {} if "" in mapped else {"": None}
        self.put: Callable[[ReadRow, Any], None] = self._put_link if target.field.to else self._put_value
        self._mapped = mapped
        self._ctx = ctx
        self._trims = target.field.type.name not in _PLAIN_TYPES
        self._parse = self._parser()

    def text(self, raw: str) -> str:
        """The cell's text after the user's replacements.

        An apostrophe that keeps spreadsheets from running it is taken off. Space around it is kept in texts, which
        arrive as they were written (RFC 4180 §2.4), and dropped elsewhere.
        """
        if self.column is None:
            return raw
        raw = unguarded(raw)
        text = raw.strip()
        if text in self._mapped:
            return self._mapped[text]
        return text if self._trims or not text else raw

    def read(self, text: str) -> Any:
        """The value; of a link the text itself, with its target. Raises ValueProblem."""
        return (self.target, text) if self.target.field.to else self._parse(text)

    def remember(self, raw: str, value: object) -> None:
        """Read this text no more, in a file that does not have too many."""
        if value is not None and len(self.known) < _REMEMBERED:
            self.known[raw] = value

    def gather(self) -> None:
        """Read the cell as a part of its field from now on."""
        self.part = self.target.part or "amount"
        self.blank, self.put = self.target.path, self._put_part

    def _put_value(self, row: ReadRow, value: Any) -> None:
        row.values[self.name] = value

    def _put_link(self, row: ReadRow, value: tuple[Target, str]) -> None:
        row.links[self.name] = value

    def _put_part(self, row: ReadRow, value: object) -> None:
        row.parts.setdefault(self.name, {})[self.part] = value

    def read_part(self, part: str) -> None:
        """Read the cell as this part of its field from now on."""
        field, ctx = self.target.field, self._ctx
        self._parse = lambda text: field.type.parse_part(field, part, text, ctx)

    def _parser(self) -> Callable[[str], Any]:
        target, ctx = self.target, self._ctx
        kind = target.field.type
        if target.part:
            return lambda text: kind.parse_part(target.field, target.part, text, ctx)
        return lambda text: kind.parse(target.field, text, ctx)
