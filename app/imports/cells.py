"""From the cells of a row to coerced values; every cell that can't be read is kept as a problem."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

import msgspec

from app.metadata.fieldtypes.base import ValueProblem

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from app.imports.mapping import Plan, Target
    from app.metadata.fieldtypes.base import Coercion

#: Distinct texts a column remembers: dates, choices and amounts repeat, names and texts do not.
_REMEMBERED: Final = 4_096
#: Reading these is as cheap as remembering them.
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

    def __init__(self, plan: Plan, ctx: Coercion, date_formats: Mapping[str, str]) -> None:
        """``date_formats``: column → format found out or given; "" as key for all."""
        self._width = len(plan.header)
        self._nulls = plan.wishes.nulls
        self._cells: list[_Cell] = []
        self._composites: dict[str, Target] = {}
        for target in plan.targets:
            own = date_formats.get(target.header, date_formats.get("", ""))
            if target.part and not target.field.to:
                self._composites[target.field.name] = target
            self._cells.append(_Cell(target, replace(ctx, date_format=own), plan.wishes.values.get(target.path, {})))
        for cell in self._cells:
            # An amount whose currency has a column of its own is itself only a part.
            if not cell.target.part and cell.target.field.name in self._composites:
                cell.read_part("amount")
        self._ctx = ctx

    @property
    def composites(self) -> frozenset[str]:
        """Fields of which the file has single parts."""
        return frozenset(self._composites)

    def read(self, number: int, cells: Sequence[str]) -> ReadRow:
        """Values, links and problems of one row."""
        row = ReadRow(number)
        if len(cells) > self._width:
            message = f"The row has {len(cells)} columns, the header has {self._width}."
            row.problems.append(Problem("", "", "row.too_long", message))
            return row
        for cell in self._cells:
            self._take(row, cell, cell.text(cells))
        for name, given in row.parts.items():
            self._join(row, name, given)
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

    def _take(self, row: ReadRow, cell: _Cell, text: str) -> None:
        target, name = cell.target, cell.target.field.name
        if not text or text.strip() in self._nulls:
            (row.cleared if text else row.blank).append(target.path if name in self._composites else name)
            return
        if target.field.to:
            row.links[name] = (target, text)
            return
        try:
            value = cell.read(text)
        except ValueProblem as problem:
            row.problems.append(Problem(target.header, text[:_SHOWN], problem.code, problem.message))
            return
        if name in self._composites:
            row.parts.setdefault(name, {})[target.part or "amount"] = value
        elif value is None:
            row.blank.append(name)
        else:
            row.values[name] = value

    def _join(self, row: ReadRow, name: str, given: dict[str, object]) -> None:
        """Parts of a composite become one value."""
        target = self._composites[name]
        amount = given.get("amount")
        merged = {**amount, **given, "amount": amount["amount"]} if isinstance(amount, dict) else given
        try:
            row.values[name] = target.field.type.coerce(target.field, merged, self._ctx)
        except ValueProblem as problem:
            where = next((c.target for c in self._cells if c.target.path == f"{name}.{problem.part}"), target)
            shown = str(given.get(problem.part, ""))[:_SHOWN]
            row.problems.append(Problem(where.header, shown, problem.code, problem.message))


class _Cell:
    """One target: finds its text in a row and reads it, remembering what it has read."""

    def __init__(self, target: Target, ctx: Coercion, mapped: Mapping[str, str]) -> None:
        self.target = target
        self._mapped = mapped
        self._ctx = ctx
        self._known: dict[str, object] = {}
        self._remember = target.field.type.name not in _PLAIN_TYPES
        self._parse = self._parser()

    def text(self, cells: Sequence[str]) -> str:
        """The cell's text after the user's replacements; a row that is too short has empty cells.

        Space around it is kept in texts, which arrive as they were written (RFC 4180 §2.4), and dropped elsewhere.
        """
        column = self.target.column
        if column is None:
            return self.target.constant
        raw = cells[column] if column < len(cells) else ""
        text = raw.strip()
        if text in self._mapped:
            return self._mapped[text]
        return text if self._remember or not text else raw

    def read(self, text: str) -> Any:
        """The value. Raises ValueProblem."""
        if not self._remember:
            return self._parse(text)
        known = self._known.get(text, self)
        if known is not self:
            return known
        value = self._parse(text)
        if len(self._known) < _REMEMBERED:
            self._known[text] = value
        return value

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
