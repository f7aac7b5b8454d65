"""Functions in the checker: those of the table, and those that look at their literals or at linked records."""

from __future__ import annotations

import difflib
import re
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from app.expressions.errors import ConditionError
from app.expressions.functions import DATE, FUNCTIONS, MANY, NUMBER, OTHER_NAMES, PLAIN, SPECIAL, Signature
from app.expressions.limits import LONGEST_DURATION
from app.expressions.literals import constants, describe, fit
from app.expressions.operators import family
from app.expressions.parse import HAS
from app.expressions.tree import Call, Const, Node, Null, Param, Ref, Related
from app.expressions.wire import Apply, Items, Lit, Name, Parsed

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.expressions.check import Checker
    from app.expressions.kinds import Kind

#: A century: keeps calculated days inside what both back ends hold.
_MAX_DAYS: Final = 36_525
_MAX_MONTHS: Final = 1_200
_MAX_ARGUMENTS: Final = 10
#: Conditions on linked records inside conditions on linked records …
MAX_RELATED: Final = 2
_UNITS: Final = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
_FRACTIONS: Final = {"ms": Decimal("0.001"), "us": Decimal("0.000001"), "ns": Decimal("0.000000001")}
_CLOCK: Final = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d)?", re.ASCII)
_DURATION: Final = re.compile(r"-?(?:[0-9]{1,12}(?:\.[0-9]{1,9})?(?:d|h|ms|us|ns|m|s))+", re.ASCII)
_DURATION_PART: Final = re.compile(r"([0-9.]+)(d|h|ms|us|ns|m|s)")


def call(checker: Checker, parsed: Apply) -> Node:
    """Check the call of a function."""
    args = (parsed.target, *parsed.args) if parsed.target is not None else parsed.args
    special = _SPECIAL.get(parsed.function)
    if special is None:
        return _listed(checker, parsed, args)
    function, counts, method = special
    if len(args) not in counts or (parsed.target is not None and not method):
        name = "has" if parsed.function == HAS else parsed.function
        raise ConditionError.at(parsed.position, f"Write `{SPECIAL[name][0][0]}`.")
    return function(checker, args)


def _listed(checker: Checker, parsed: Apply, args: tuple[Parsed, ...]) -> Node:
    signatures = FUNCTIONS.get(parsed.function)
    if signatures is None:
        raise ConditionError.at(parsed.position, _unknown(parsed.function))
    name, first = parsed.function, signatures[0]
    fitting = [one for one in signatures if _takes(one, len(args)) and not (one.method and parsed.target is None)]
    if not fitting:
        raise ConditionError.at(parsed.position, f"Write `{first.example}`.")
    if name == "replace":
        checker.count_arithmetic(parsed.position)
    nodes = tuple(checker.node(arg) for arg in args)
    for one in fitting:
        if all(node.kind in kinds for node, kinds in zip(nodes, _kinds(one, len(nodes)), strict=True)):
            return _made(checker, parsed, one, nodes)
    wrong = _first_wrong(fitting, nodes)
    message = f"`{name}` does not take {describe(nodes[wrong])}; write `{fitting[0].example}`."
    raise ConditionError.at(args[wrong].position, message)


def _takes(signature: Signature, count: int) -> bool:
    least = len(signature.takes)
    return least <= count <= (_MAX_ARGUMENTS if signature.many else least)


def _kinds(signature: Signature, count: int) -> tuple[frozenset[str], ...]:
    return signature.takes + signature.takes[-1:] * (count - len(signature.takes))


def _first_wrong(fitting: list[Signature], nodes: tuple[Node, ...]) -> int:
    for index, node in enumerate(nodes):
        if not any(node.kind in _kinds(one, len(nodes))[index] for one in fitting):
            return index
    return 0


def _made(checker: Checker, parsed: Apply, signature: Signature, nodes: tuple[Node, ...]) -> Node:
    if signature.op == "same":
        return nodes[0]
    if signature.day:
        nodes = tuple(day_of(checker, node) for node in nodes)
    if signature.local:
        nodes = (*nodes, _zone(checker))
    kind = nodes[0].kind if signature.gives == "same" else signature.gives
    if signature.many:
        if len({family(node.kind) for node in nodes}) > 1:
            kinds = " and ".join(describe(node) for node in nodes[:2])
            raise ConditionError.at(parsed.position, f"`{parsed.function}` does not compare {kinds}.")
        kind = "money" if any(node.kind == "money" for node in nodes) else kind
    if signature.op == "lower" and nodes[0].kind == "texts":
        kind = "texts"
    return Call(signature.op, nodes, kind)


def _unknown(name: str) -> str:
    near = difflib.get_close_matches(name, [*FUNCTIONS, *SPECIAL], n=1)
    hint = f" Write `{OTHER_NAMES[name]}`." if name in OTHER_NAMES else ""
    hint = hint or (f" Did you mean `{near[0]}`?" if near else "")
    return f"There is no function `{name}`.{hint}"


def _zone(checker: Checker) -> Node:
    zone = checker.environment.timezone
    return Const(checker.literal(zone), "text") if zone else Param("zone", "text")


def day_of(checker: Checker, node: Node) -> Node:
    """A day as it is; a point in time as its day in the tenant's zone."""
    return node if node.kind == "date" else Call("date", (node, _zone(checker)), "date")


def _has(checker: Checker, args: tuple[Parsed, ...]) -> Node:
    node = checker.node(args[0])
    if not isinstance(node, Ref):
        raise ConditionError.at(args[0].position, "`has()` takes the name of a field.")
    return Call("has", (node,), "boolean")


def _any(checker: Checker, args: tuple[Parsed, ...]) -> Node:
    link = args[0]
    if not isinstance(link, Name):
        raise ConditionError.at(link.position, f"`any()` takes a link to many records: `{SPECIAL['any'][0][0]}`.")
    inner = checker.environment.related(link.path)
    if inner is None:
        hint = ""
        if checker.environment.variable(link.path) is not None:
            hint = " It holds one value: compare it directly."
        raise ConditionError.at(link.position, f"`{link.path}` is no link to many records.{hint}")
    if checker.related_depth >= MAX_RELATED:
        raise ConditionError.at(link.position, f"`any()` can stand inside itself {MAX_RELATED - 1} time.")
    return Related(link.path, checker.inside(link.path, inner, args[1]))


def _has_values(op: str) -> Callable[[Checker, tuple[Parsed, ...]], Node]:
    def check(checker: Checker, args: tuple[Parsed, ...]) -> Node:
        values = checker.node(args[0])
        if values.kind not in MANY:
            raise ConditionError.at(
                args[0].position, f"A field with many values is needed; this is {describe(values)}."
            )
        items = args[1].items if isinstance(args[1], Items) else ()
        wanted = constants(checker, items, values) if items else None
        if wanted is None or wanted.kind not in {"text", "option"}:
            raise ConditionError.at(args[1].position, f"Write `{SPECIAL[op][0][0]}`.")
        return Call("overlaps" if op == "hasAny" else "includes", (values, wanted), "boolean")

    return check


def _date(checker: Checker, args: tuple[Parsed, ...]) -> Node:
    """``date("2017-01-01")`` or the day of a point in time in the tenant's zone."""
    parsed = args[0]
    if isinstance(parsed, Lit) and isinstance(parsed.value, str):
        try:
            value = date.fromisoformat(parsed.value)
        except ValueError:
            raise ConditionError.at(parsed.position, 'Write a date as `date("2017-01-31")`.') from None
        return Const(checker.literal(value), "date")
    node = checker.node(parsed)
    if node.kind not in {"date", "datetime"}:
        raise ConditionError.at(
            parsed.position, f'`date()` takes a text like "2017-01-31" or a point in time, not {describe(node)}.'
        )
    return day_of(checker, node)


def _timestamp(checker: Checker, args: tuple[Parsed, ...]) -> Node:
    """``timestamp("2017-01-01T12:00:00Z")``; without an offset it is the tenant's time."""
    parsed = args[0]
    value = _moment(parsed.value, checker.environment.timezone) if isinstance(parsed, Lit) else None
    if value is not None:
        return Const(checker.literal(value), "datetime")
    if not isinstance(parsed, Lit) and (node := checker.node(parsed)).kind == "datetime":
        return node
    raise ConditionError.at(parsed.position, 'Write a point in time as `timestamp("2017-01-31T12:00:00Z")`.')


def _moment(value: object, zone: str) -> datetime | None:
    try:
        if isinstance(value, int) and not isinstance(value, bool):
            return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=value)
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
        if found is not None and found.tzinfo is None:
            found = found.replace(tzinfo=ZoneInfo(zone or "UTC"))
        # Near the ends of the calendar another zone may lie beyond them.
        return found.astimezone(UTC) if found is not None else None
    except (ValueError, OverflowError):
        return None


def _time(checker: Checker, args: tuple[Parsed, ...]) -> Node:
    """``time("09:30")``, or what is a time of day already."""
    parsed = args[0]
    if not isinstance(parsed, Lit):
        node = checker.node(parsed)
        if node.kind == "time":
            return node
    if isinstance(parsed, Lit) and isinstance(parsed.value, str) and _CLOCK.fullmatch(parsed.value):
        return Const(checker.literal(time.fromisoformat(parsed.value)), "time")
    raise ConditionError.at(parsed.position, 'Write a time of day as `time("09:30")` or `time("09:30:15")`.')


def _duration(checker: Checker, args: tuple[Parsed, ...]) -> Node:
    parsed = args[0]
    if not isinstance(parsed, Lit):
        node = checker.node(parsed)
        if node.kind == "duration":
            return node
    text = parsed.value if isinstance(parsed, Lit) else None
    if not isinstance(parsed, Lit) or not isinstance(text, str) or not _DURATION.fullmatch(text):
        raise ConditionError.at(parsed.position, 'Write a length of time as `duration("1h30m")`; units d, h, m, s, ms.')
    seconds = sum(
        (Decimal(number) * (_UNITS.get(unit) or _FRACTIONS[unit]) for number, unit in _parts(parsed, text)), Decimal(0)
    )
    if seconds > LONGEST_DURATION:
        raise ConditionError.at(parsed.position, "This length of time is too long.")
    return Const(checker.literal(-seconds if text.startswith("-") else seconds), "duration")


def _parts(parsed: Lit, text: str) -> list[tuple[str, str]]:
    found = _DURATION_PART.findall(text)
    if any(number.count(".") > 1 for number, _ in found):
        raise ConditionError.at(parsed.position, 'Write a length of time as `duration("1h30m")`.')
    return found


def _moved(name: str, op: str, most: int, times: int) -> Callable[[Checker, tuple[Parsed, ...]], Node]:
    """``addDays(today(), -30)``: how far is a literal."""

    def check(checker: Checker, args: tuple[Parsed, ...]) -> Node:
        day, much = args
        node = checker.node(day)
        if node.kind != "date":
            hint = f": write `{name}(date(…), 1)`" if node.kind == "datetime" else ""
            raise ConditionError.at(day.position, f"`{name}()` takes a date, not {describe(node)}{hint}.")
        whole = isinstance(much, Lit) and isinstance(much.value, int) and not isinstance(much.value, bool)
        if not (isinstance(much, Lit) and isinstance(much.value, int) and whole and abs(much.value) * times <= most):
            message = f"Write `{name}(today(), 30)`: a whole number, at most {most // times:,}."
            raise ConditionError.at(much.position, message)
        checker.count_arithmetic(day.position)
        kind: Kind = "date"
        return Call(op, (node, Const(checker.literal(much.value * times), "number", exact=True)), kind)

    return check


def _coalesce(checker: Checker, args: tuple[Parsed, ...]) -> Node:
    """The first of its values that is there; all of one family."""
    made = {at: checker.node(arg) for at, arg in enumerate(args) if not isinstance(arg, Lit) or arg.value is None}
    first = next((node for node in made.values() if not isinstance(node, Null)), None)
    for at, arg in enumerate(args):
        if at not in made and isinstance(arg, Lit):
            made[at] = checker.node(arg) if first is None else fit(checker, arg, first)
    nodes = [made[at] for at in range(len(args))]
    for arg, node in zip(args, nodes, strict=True):
        if isinstance(node, Null) or node.kind in MANY or node.kind == "none":
            raise ConditionError.at(arg.position, f"`coalesce()` does not take {describe(node)}.")
        if family(node.kind) != family(nodes[0].kind):
            kinds = f"{describe(nodes[0])} and {describe(node)}"
            raise ConditionError.at(arg.position, f"`coalesce()` takes values of one kind, not {kinds}.")
    kinds = {node.kind for node in nodes}
    kind: Kind = nodes[0].kind if len(kinds) == 1 else ("money" if "money" in kinds else "text")
    return Call("coalesce", tuple(nodes), kind)


def _concat(checker: Checker, args: tuple[Parsed, ...]) -> Node:
    """Texts and numbers one after the other; what is empty is left out."""
    nodes: list[Node] = []
    for arg in args:
        node = checker.node(arg)
        if node.kind in NUMBER:
            node = Call("stringNumber", (node,), "text")
        elif node.kind in DATE:
            node = Call("stringDate", (node,), "text")
        elif node.kind not in PLAIN:
            message = f"`concat()` takes texts, numbers and dates, not {describe(node)}; write `string(…)` around it."
            raise ConditionError.at(arg.position, message)
        nodes.append(node)
    return Call("join", tuple(nodes), "text")


def _today(_checker: Checker, _args: tuple[Parsed, ...]) -> Node:
    return Param("today", "date")


def _now(_checker: Checker, _args: tuple[Parsed, ...]) -> Node:
    return Param("now", "datetime")


_Check = tuple["Callable[[Checker, tuple[Parsed, ...]], Node]", tuple[int, ...], bool]

#: Name → check, counts of arguments, whether it may follow a dot.
_SPECIAL: Final[dict[str, _Check]] = {
    HAS: (_has, (1,), False),
    "any": (_any, (2,), False),
    "hasAny": (_has_values("hasAny"), (2,), True),
    "hasAll": (_has_values("hasAll"), (2,), True),
    "date": (_date, (1,), False),
    "timestamp": (_timestamp, (1,), False),
    "time": (_time, (1,), False),
    "duration": (_duration, (1,), False),
    "coalesce": (_coalesce, tuple(range(2, _MAX_ARGUMENTS + 1)), False),
    "concat": (_concat, tuple(range(1, _MAX_ARGUMENTS + 1)), False),
    "today": (_today, (0,), False),
    "now": (_now, (0,), False),
    "addDays": (_moved("addDays", "addDays", _MAX_DAYS, 1), (2,), True),
    "addMonths": (_moved("addMonths", "addMonths", _MAX_MONTHS, 1), (2,), True),
    "addYears": (_moved("addYears", "addMonths", _MAX_MONTHS, 12), (2,), True),
}
