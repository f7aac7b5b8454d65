"""Random conditions over the fields of ``table``: every operator and function, over values, nulls and extremes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.app.expressions.table import EMAILS, KINDS, OPTIONS, PEOPLE, TEXTS

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

_NUMBERS = ("0", "1", "-7", "2", "3", "100", "2.5", "0.1", "9223372036854775807", "-7.25", "1e20", "1e-12")
_DAYS = ('date("2017-01-01")', 'date("2024-02-29")', 'date("0001-01-01")', 'date("9999-12-31")', "today()")
_MOMENTS = (
    "created_at", "created_at", "closed_at", "now", "now()", 'timestamp("2017-01-01T12:00:00")',
    'timestamp("2017-10-29T00:30:00Z")', 'timestamp("9999-12-31T23:59:59Z")', 'timestamp("0001-01-01T00:00:00Z")',
    "timestamp(1485864000)",
)  # fmt: skip
_SPANS = ("1h30m", "-24h", "0s", "365d", "1us", "90000d", "-3000000d", "0.5s")
_CLOCKS = ('time("00:00")', 'time("09:30")', 'time("23:59:59")')
_ORDERS = ("<", "<=", ">", ">=")
_EQUALS = ("==", "!=")
_RELATIONS = _ORDERS + _EQUALS
_ARITHMETIC = ("+", "-", "*", "/", "%")
_LISTS = ('["x"]', '["x", "y"]', '["z", "q"]')
_PARTS = ("year", "quarter", "month", "week", "day", "weekday")


def quoted(text: str) -> str:
    """A text as a literal."""
    return json.dumps(text, ensure_ascii=False)


class Grammar:
    """Makes conditions by the choices of ``rng``."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._one = rng.choice

    def condition(self, depth: int = 3) -> str:
        """A condition; ``depth`` bounds how far it nests."""
        if depth == 0 or self._rng.random() < 0.4:
            return self.atom()
        left, right = self.condition(depth - 1), self.condition(depth - 1)
        form = self._one(
            ["({} && {})", "({} || {})", "!({})", "({} ? {} : {})", "({}) == ({})", "({}) != active", "({}) < ({})"]
        )
        return form.format(left, right, left)

    def atom(self) -> str:
        """A comparison."""
        makers: list[Callable[[], str]] = [
            self._compare(self._number, _RELATIONS), self._compare(self._text, _RELATIONS),
            self._compare(self._day, _RELATIONS), self._compare(self._moment, _RELATIONS),
            self._compare(self._span, _RELATIONS), self._compare(self._clock, _RELATIONS),
            self._compare(self._link, _EQUALS), self._money, self._null,
            self._option, self._search, self._member, self._list, self._boolean, self._related, self._filled,
        ]  # fmt: skip
        return self._one(makers)()

    def _paths(self, *kinds: str) -> str:
        return self._one([path for path, (kind, _) in KINDS.items() if kind in kinds])

    def _compare(self, side: Callable[[], str], relations: tuple[str, ...]) -> Callable[[], str]:
        return lambda: f"{side()} {self._one(relations)} {side()}"

    def _number(self, depth: int = 2) -> str:
        if depth == 0 or self._rng.random() < 0.4:
            return self._one([self._paths("number"), self._paths("number"), self._one(_NUMBERS)])
        first, second = self._number(depth - 1), self._number(depth - 1)
        return self._one([
            f"({first} {self._one(_ARITHMETIC)} {second})", f"-({first})", f"({self._yes()} ? {first} : {second})",
            f"{self._one(['abs', 'round', 'floor', 'ceil', 'int', 'sign', 'double'])}({first})",
            f"round({first}, {self._one(['0', '2', '12', '13', '-1', '0.5', 'employees'])})",
            f"{self._one(['min', 'max'])}({first}, {second})", f"max({first}, {second}, 1.5)",
            f"size({self._one([self._text(1), self._paths('options', 'texts')])})",
            f"({self._text(1)}).indexOf({self._text(0)})", f"{self._one(['int', 'double'])}({self._text(1)})",
            f"{self._one(_PARTS)}({self._one([self._day(1), self._moment(0)])})",
            f"{self._one(['hour', 'minute'])}({self._one([self._moment(1), self._clock(1)])})",
            f"{self._one(['daysBetween', 'years', 'months', 'days'])}({self._day(0)}, {self._moment(0)})",
            f"{self._one(['years', 'months'])}({self._day(0)}, {self._day(1)})",
            f"coalesce({first}, {second})",
            f"{self._one(['days', 'hours', 'minutes', 'seconds'])}({self._span(1)})", f"int({self._moment(0)})",
            f"({self._span(1)} / {self._span(1)})",
        ])  # fmt: skip

    def _text(self, depth: int = 2) -> str:
        if depth == 0 or self._rng.random() < 0.5:
            return self._one([self._paths("text"), quoted(self._one(TEXTS))])
        first, second = self._text(depth - 1), self._text(depth - 1)
        return self._one([
            f"({first} + {second})", f"({first}).{self._one(['lower', 'upper', 'trim'])}()",
            f"({self._yes()} ? {first} : {second})", f"coalesce({first}, {second})",
            f"concat({first}, {self._one([second, self._number(0), self._day(0), 'stage'])})",
            f"({first}).replace({second}, {self._text(0)})",
            f"({first}).substring({self._one(['0', '1', '2', '-1', 'employees', '1.5'])})",
            f"({first}).substring({self._one(['0', '1'])}, {self._one(['1', '2', '0', 'employees'])})",
            f"string({self._one([self._number(1), 'active', self._day(1), 'stage', 'amount'])})",
        ])  # fmt: skip

    def _day(self, depth: int = 1) -> str:
        simple = self._one([self._paths("date"), self._paths("date"), self._one(_DAYS)])
        if depth == 0 or self._rng.random() < 0.4:
            return simple
        return self._one([
            f"date({self._moment(1)})", f"addDays({simple}, {self._one(['0', '1', '-31', '36000'])})",
            f"addMonths({simple}, {self._one(['1', '-1', '12', '-1200', '1200'])})", f"addYears({simple}, 1)",
            f"{self._one(['startOfWeek', 'startOfMonth', 'startOfQuarter', 'startOfYear'])}({simple})",
            f"{self._one(['min', 'max', 'coalesce'])}({simple}, {self._day(0)})",
        ])  # fmt: skip

    def _moment(self, depth: int = 1) -> str:
        simple = self._one(_MOMENTS)
        if depth == 0 or self._rng.random() < 0.5:
            return simple
        span = self._span(0)
        return self._one([f"({simple} + {span})", f"({simple} - {span})", f"({span} + {simple})",
                          f"max({simple}, {self._one(_MOMENTS)})"])  # fmt: skip

    def _span(self, depth: int = 1) -> str:
        literal = self._one(["took", f'duration("{self._one(_SPANS)}")'])
        if depth == 0 or self._rng.random() < 0.4:
            return literal
        return self._one([
            f"({self._moment(0)} - {self._moment(0)})", f"({self._day(0)} - {self._day(0)})", f"-({literal})",
            f"({literal} * {self._number(0)})", f"({literal} / {self._number(0)})", f"({self._span(0)} + {literal})",
            f"abs({literal} - {self._span(0)})", f"min({literal}, {self._span(0)})",
        ])  # fmt: skip

    def _clock(self, depth: int = 1) -> str:
        simple = self._one(["opens", "opens", *_CLOCKS])
        if depth == 0 or self._rng.random() < 0.5:
            return simple
        return self._one([f"max({simple}, opens)", f"coalesce({simple}, opens)", f"({self._yes()} ? {simple} : opens)"])

    def _yes(self) -> str:
        return self._one(["active", "has(score)", "!active", "active == null", "true"])

    def _boolean(self) -> str:
        return self._one(["active", "true", "false", "active == null", "active != true", "active < true",
                          f"bool({self._text(1)})", f"bool({self._yes()})"])  # fmt: skip

    def _money(self) -> str:
        amount = self._one(["amount", "amount", f"(amount * {self._number(0)})", f"(amount / {self._number(0)})",
                            f"abs(amount - {self._number(0)})", f"min(amount, {self._number(0)})",
                            "round(amount, 2)"])  # fmt: skip
        other = self._one([self._number(1), "amount", "amount * 2", "100"])
        return f"{amount} {self._one(_RELATIONS)} {other}"

    def _worth(self, depth: int = 2) -> str:
        simple = self._one(["amount", "cost"])
        if depth == 0 or self._rng.random() < 0.3:
            return simple
        first, second = self._worth(depth - 1), self._worth(depth - 1)
        return self._one([
            f"({first} + {second})", f"({first} - {second})", f"({first} * {self._number(1)})",
            f"({first} / {self._number(1)})", f"-({first})", f"abs({first})", f"round({first}, 1)",
            f"{self._one(['min', 'max', 'coalesce'])}({first}, {second})", f"({first} + {self._one(_NUMBERS[:7])})",
            f"({self._yes()} ? {first} : {second})", f"({first} > {second} ? {first} : {second})",
            f"({first} > 10 ? {first} : null)", f"coalesce({first}, {self._one(_NUMBERS[:7])})",
        ])  # fmt: skip

    def answer(self) -> tuple[str, str]:
        """An expression and what it returns."""
        returns = self._one([
            "integer", "decimal", "percent", "text", "money", "money", "money", "boolean", "date", "datetime", "select",
            "time", "duration",
        ])  # fmt: skip
        return self._answering(returns), returns

    def _answering(self, returns: str) -> str:
        match returns:
            case "money":
                return self._worth() if self._rng.random() < 0.9 else self._number(1)
            case "text" | "select":
                return self._text(2)
            case "date":
                return self._day()
            case "datetime":
                return self._moment()
            case "time":
                return self._clock()
            case "duration":
                return self._span()
            case "boolean":
                return self.condition(1) if self._rng.random() < 0.5 else f"{self._worth(1)} < {self._worth(1)}"
            case _:
                money = self._one([f"{self._worth(1)} / {self._worth(1)}", f"sign({self._worth(1)}) + 1"])
                return money if self._rng.random() < 0.4 else self._number(2)

    def _link(self) -> str:
        return self._one([self._paths("link"), "me", quoted(str(self._one(PEOPLE)))])

    def _null(self) -> str:
        side = self._one([self._number(1), self._text(1), self._day(), self._moment(), self._link(), self._span(),
                          self._paths("options", "texts")])  # fmt: skip
        return f"{side} {self._one(_EQUALS)} null"

    def _filled(self) -> str:
        return f"has({self._one(list(KINDS))})"

    def _option(self) -> str:
        path = self._one(list(OPTIONS))
        values = [quoted(value) for value in OPTIONS[path]]
        if self._rng.random() < 0.5:
            return f"{path} {self._one(_EQUALS)} {self._one([*values, 'null', 'stage', 'company.industry', 'name'])}"
        items = [self._one([*values, "null", "stage"]) for _ in range(self._rng.randrange(4))]
        return f"{path} in [{', '.join(items)}]"

    def _search(self) -> str:
        where = self._one([self._text(), self._text(), self._paths("texts")])
        return f"({where}).{self._one(['startsWith', 'endsWith', 'contains'])}({self._text(1)})"

    def _member(self) -> str:
        emails = [quoted(email) for email in EMAILS]
        return self._one([
            f"({self._text(1)}) in {self._paths('options', 'texts')}", f"{self._one(emails)} in email",
            f"email {self._one(_EQUALS)} {self._one([*emails, 'name'])}", f"email in [{', '.join(emails[:2])}]",
            f"{self._one(['hasAny', 'hasAll'])}(tags, {self._one(_LISTS)})",
            f"{self._one(['hasAny', 'hasAll'])}(email, [{self._one(emails)}])",
        ])  # fmt: skip

    def _list(self) -> str:
        count = self._rng.randrange(4)
        if self._rng.random() < 0.5:
            return f"{self._number(1)} in [{', '.join(self._number(0) for _ in range(count))}]"
        return f"{self._text(1)} in [{', '.join(self._one([self._text(0), 'null']) for _ in range(count))}]"

    def _related(self) -> str:
        inner = self._one([
            f"value {self._one(_RELATIONS)} {self._one(_NUMBERS)}", "title == null", "owner == me", "owner != me",
            f"title {self._one(_RELATIONS)} {quoted(self._one(TEXTS) or 'x')}", "closed_on <= today()", "true",
            "any(parts, owner == me)", "!any(parts, value > 0)", "!(value > 1)", "value / 0 == 1",
        ])  # fmt: skip
        return f"any(deals, {inner})"
