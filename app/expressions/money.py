"""Money in formulas: calculated in its own currency, as an amount and a currency beside it.

A condition compares money by its worth in the workspace's currency. A formula answers money, and what it calculates
from must not depend on a rate: ``quantity * unit_price`` stays in the price's currency, amounts in two currencies give
nothing. Only where a bare number stands beside money (``amount > 1000``) it is compared as in a condition, by its
worth. All of that is written in the tree itself, so both back ends follow without knowing of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from app.expressions.kinds import Variable
from app.expressions.tree import Call, Node, Null, Param, Ref

if TYPE_CHECKING:
    from app.expressions.kinds import Kind

HOME: Final = Param("home", "text")
_COMPARED: Final = frozenset({"lt", "le", "gt", "ge", "eq", "div"})
_ADDED: Final = frozenset({"add", "sub", "min", "max"})


@dataclass(frozen=True, slots=True)
class Worth:
    """Money as parts: ``amount`` (a number) holds where all ``currencies`` are one, the first."""

    amount: Node
    currencies: tuple[Node, ...]

    @property
    def currency(self) -> Node:
        """The currency; empty where it is not one."""
        return _guarded(self.currencies, self.currencies[0], "text")

    @property
    def guarded(self) -> Node:
        """The amount; empty where its currencies differ."""
        return _guarded(self.currencies, self.amount, "number")


def plain(node: Node) -> Node:
    """``node``, which is no money, with what it asks of money asked in its own currency."""
    if not isinstance(node, Call):
        return node
    money = [arg.kind == "money" for arg in node.args]
    if not any(money):
        return Call(node.op, tuple(plain(arg) for arg in node.args), node.kind)
    if node.op in _COMPARED and all(money):
        first, second = (worth(arg) for arg in node.args)
        same = tuple(dict.fromkeys((*first.currencies, *second.currencies)))
        return _guarded(same, Call(node.op, (first.amount, second.amount), node.kind), node.kind)
    if node.op == "sign" or (node.op in {"has", "isnull"} and not isinstance(node.args[0], Ref)):
        return Call(node.op, (worth(node.args[0]).guarded,), node.kind)
    return node


def worth(node: Node) -> Worth:
    """Money, or a number that stands for an amount of the workspace's currency, as its parts."""
    if isinstance(node, Null):
        return Worth(node, (node,))
    if node.kind != "money":
        return Worth(plain(node), (HOME,))
    if isinstance(node, Ref):
        path = node.variable.path
        currency = Ref(Variable(f"{path}.currency", "text"))
        return Worth(Ref(Variable(f"{path}.amount", "number")), (currency,))
    if not isinstance(node, Call):
        return Worth(node, (HOME,))
    if node.op in _ADDED:
        parts = [worth(arg) for arg in node.args]
        currencies = tuple(dict.fromkeys(currency for part in parts for currency in part.currencies))
        return Worth(Call(node.op, tuple(part.amount for part in parts), "number"), currencies)
    if node.op == "if":
        return _branches(node)
    if node.op == "coalesce":
        return _first(node)
    return _scaled(node)


def _scaled(node: Call) -> Worth:
    """An operator or function of one amount of money and numbers."""
    at = next(index for index, arg in enumerate(node.args) if arg.kind == "money")
    money = worth(node.args[at])
    args = tuple(money.amount if index == at else plain(arg) for index, arg in enumerate(node.args))
    return Worth(Call(node.op, args, "number"), money.currencies)


def _branches(node: Call) -> Worth:
    test = plain(node.args[0])
    then, other = worth(node.args[1]), worth(node.args[2])
    amount = Call("if", (test, then.guarded, other.guarded), "number")
    return Worth(amount, (Call("if", (test, then.currency, other.currency), "text"),))


def _first(node: Call) -> Worth:
    """The currency of the first amount there is."""
    parts = [worth(arg) for arg in node.args]
    amount = Call("coalesce", tuple(part.guarded for part in parts), "number")
    beside = tuple(Call("beside", (part.guarded, part.currencies[0]), "text") for part in parts)
    return Worth(amount, (Call("coalesce", beside, "text"),))


def _guarded(currencies: tuple[Node, ...], value: Node, kind: Kind) -> Node:
    if len(currencies) == 1:
        return value
    first, *others = currencies
    same = tuple(Call("eq", (first, other), "boolean") for other in others)
    test = same[0] if len(same) == 1 else Call("and", same, "boolean")
    return Call("if", (test, value, Null()), kind)
