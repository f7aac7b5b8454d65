"""One pass over the file before anything is written: how rows are counted, dates and numbers written, new options.

What can't be known is asked about: a column of dates like 03/04/2017 with nothing that tells day from month stops the
import with a message that names the column, and so does one of percents that holds both 0.45 and 45.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import msgspec

from app.core.errors import FieldError
from app.imports.errors import InvalidImport
from app.metadata.fieldtypes.base import ValueProblem
from app.metadata.fieldtypes.exact import parse_exact

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.imports.mapping import Plan, Target
    from app.imports.reading import Sheet
    from app.metadata.fieldtypes.base import Coercion

_DAY: Final = re.compile(r"(\d{1,2})([/.-])(\d{1,2})\2(\d{4}|\d{2})(?!\d)")
_COMMA: Final = re.compile(r"[-+(]?\d{1,3}(\.\d{3})*,\d{1,2}\)?|[-+(]?\d+,\d{1,2}\)?")
_POINT: Final = re.compile(r"[-+(]?[\d,' ]*\.\d{1,2}\)?")
#: Currencies, percent signs and blanks around a number.
_AROUND: Final = re.compile(r"^[^\d(+-]+|[^\d)]+$")
_MONTHS: Final = 12
_SHORT_YEAR: Final = 2
_CHOICES: Final = frozenset({"select", "stage"})
_DATES: Final = frozenset({"date", "datetime"})
_NUMBERS: Final = frozenset({"decimal", "money", "percent", "integer"})
#: Distinct texts looked at per column; more of them say nothing new.
_ENOUGH: Final = 50_000
#: More unknown choices than this in one column mean that it is no choice.
_MAX_NEW_OPTIONS: Final = 300
#: Unknown texts named per column.
_SHOWN: Final = 40


class Survey(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What the pass found.

    ``date_formats`` by column; ``hundredths``: columns whose bare numbers are percents; ``new_options`` by field: texts
    to become choices; ``unknown`` by path: texts that are no choice yet.
    """

    rows: int = 0
    date_formats: dict[str, str] = {}
    decimal_comma: bool = False
    hundredths: list[str] = []
    new_options: dict[str, list[str]] = {}
    unknown: dict[str, list[str]] = {}


@dataclass(slots=True)
class _Dates:
    """Evidence about one column of dates."""

    target: Target
    seen: set[str] = field(default_factory=set[str])
    day_first: int = 0
    month_first: int = 0
    open: str = ""
    separator: str = ""
    short: bool = False

    def look(self, text: str) -> None:
        found = _DAY.match(text)
        if found is None:
            return
        first, second = int(found[1]), int(found[3])
        self.separator, self.short = found[2], len(found[4]) == _SHORT_YEAR
        if found[2] == "." or (first > _MONTHS >= second):
            self.day_first += 1
        elif second > _MONTHS >= first:
            self.month_first += 1
        elif first != second:
            self.open = self.open or text

    @property
    def undecided(self) -> bool:
        return bool(self.open) and bool(self.day_first) == bool(self.month_first)

    @property
    def format(self) -> str:
        """The column's format where its values need one."""
        if not self.separator or self.undecided or not (self.day_first or self.month_first):
            return ""
        year = "YY" if self.short else "YYYY"
        order = ("MM", "DD") if self.month_first and not self.day_first else ("DD", "MM")
        return self.separator.join((*order, year))


@dataclass(slots=True)
class _Choices:
    """Texts of one select that are no option; ``adding``: they will become options."""

    target: Target
    adding: bool
    mapped: Mapping[str, str]
    ctx: Coercion
    seen: set[str] = field(default_factory=set[str])
    unknown: dict[str, str] = field(default_factory=dict[str, str])

    def look(self, text: str) -> None:
        text = self.mapped.get(text, text)
        try:
            self.target.field.type.parse(self.target.field, text, self.ctx)
        except ValueProblem as problem:
            if problem.code == "option.unknown":
                self.unknown.setdefault(text.casefold(), text)


@dataclass(slots=True)
class _Marks:
    """Which decimal mark the numbers use."""

    target: Target
    seen: set[str] = field(default_factory=set[str])
    comma: int = 0
    point: int = 0

    def look(self, text: str) -> None:
        text = _AROUND.sub("", text)
        self.comma += bool(_COMMA.fullmatch(text))
        self.point += bool(_POINT.fullmatch(text))


@dataclass(slots=True)
class _Shares:
    """Whether the bare numbers of a column of percents are fractions or percents: 0.25 or 25."""

    target: Target
    mapped: Mapping[str, str]
    seen: set[str] = field(default_factory=set[str])
    fraction: str = ""
    percent: str = ""

    def look(self, text: str) -> None:
        text = self.mapped.get(text, text)
        try:
            number = parse_exact(text, decimal_comma="," in text and "." not in text)
        except ValueProblem:
            return
        if number is not None and 0 < number < 1:
            self.fraction = self.fraction or text
        elif number is not None and number > 1:
            self.percent = self.percent or text


def survey(plan: Plan, sheet: Sheet, ctx: Coercion) -> Survey:
    """Read the whole file once. Raises InvalidImport for a column that reads two ways."""
    dates, marks, choices, shares = _watched(plan, ctx)
    width, nulls, rows = len(plan.header), plan.wishes.nulls, 0
    for _, cells in sheet.rows:
        rows += 1
        if len(cells) > width:
            continue
        for one in (*dates, *marks, *choices, *shares):
            text = _text(one.target, one.seen, cells, nulls)
            if text:
                one.look(text)
    _ask(dates, shares)
    commas, points = sum(one.comma for one in marks), sum(one.point for one in marks)
    return Survey(
        rows=rows,
        date_formats={one.target.header: one.format for one in dates if one.format},
        decimal_comma=commas > 0 and points == 0,
        hundredths=[one.target.header for one in shares if one.percent],
        new_options=_new_options([one for one in choices if one.adding]),
        unknown={one.target.path: list(one.unknown.values())[:_SHOWN] for one in choices if one.unknown},
    )


def _watched(plan: Plan, ctx: Coercion) -> tuple[list[_Dates], list[_Marks], list[_Choices], list[_Shares]]:
    values = plan.wishes.values
    targets = [target for target in plan.targets if target.column is not None]
    dates = [] if plan.wishes.date_format else [_Dates(t) for t in targets if t.field.type.name in _DATES]
    marks = [_Marks(t) for t in targets if t.field.type.name in _NUMBERS]
    choices = [
        _Choices(
            t,
            adding=t.field.open and plan.wishes.policy_of_options(t.field.name) == "create",
            mapped=values.get(t.path, {}),
            ctx=ctx,
        )
        for t in targets
        if t.field.type.name in _CHOICES
    ]
    shares = [_Shares(t, values.get(t.path, {})) for t in targets if t.field.type.name == "percent"]
    return dates, marks, choices, shares


def _text(target: Target, seen: set[str], cells: list[str], nulls: frozenset[str]) -> str:
    """The cell, when it is worth looking at: not empty, not seen before."""
    column = target.column
    if column is None or column >= len(cells):
        return ""
    text = cells[column].strip()
    if not text or text in nulls or text in seen or len(seen) >= _ENOUGH:
        return ""
    seen.add(text)
    return text


def _ask(dates: list[_Dates], shares: list[_Shares]) -> None:
    errors = _unclear_dates(dates) + _unclear_shares(shares)
    if errors:
        raise InvalidImport(" ".join(error.message for error in errors), errors)


def _unclear_dates(dates: list[_Dates]) -> list[FieldError]:
    return [
        FieldError(
            "/options/date_format",
            "date.ambiguous",
            f"Column {one.target.header!r}: {one.open!r} may be day/month or month/day. Name the format, like"
            " DD/MM/YYYY or MM/DD/YYYY (--date-format).",
        )
        for one in dates
        if one.undecided
    ]


def _unclear_shares(shares: list[_Shares]) -> list[FieldError]:
    return [
        FieldError(
            "/options/map_value",
            "percent.ambiguous",
            f"Column {one.target.header!r}: {one.percent!r} must be percents, so {one.fraction!r} may be"
            f" {one.fraction} % or a fraction. Write % behind the numbers, or say what the odd ones mean"
            f" (--map-value {one.target.path}:{one.fraction}={one.fraction}%).",
        )
        for one in shares
        if one.fraction and one.percent
    ]


def _new_options(choices: list[_Choices]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for one in choices:
        if len(one.unknown) > _MAX_NEW_OPTIONS:
            message = (
                f"Column {one.target.header!r} has {len(one.unknown):,} different values that are no choice of"
                f" {one.target.field.label} yet; at most {_MAX_NEW_OPTIONS} are added by one import."
            )
            raise InvalidImport.of("options", message, "option.too_many")
        if one.unknown:
            found[one.target.field.name] = list(one.unknown.values())
    return found
