"""The checked tree: the only form of a condition the back ends know."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from app.expressions.kinds import Kind, Variable

Params: TypeAlias = Literal["me", "now", "today", "zone", "home"]


@dataclass(frozen=True, slots=True)
class Const:
    """A literal, by its place in ``Checked.literals``: trees of the same shape differ only there.

    ``many`` marks a list of plain literals, bound as one array. ``exact`` is true for whole numbers (bigint).
    """

    index: int
    kind: Kind
    many: bool = False
    exact: bool = False


@dataclass(frozen=True, slots=True)
class Null:
    """The literal ``null``."""

    kind: Kind = "none"


@dataclass(frozen=True, slots=True)
class Param:
    """A value known only when the condition runs: ``me``, ``now``, ``today``.

    ``zone`` and ``home`` (the workspace's time zone and currency) stand in formulas, which workspaces share.
    """

    name: Params
    kind: Kind


@dataclass(frozen=True, slots=True)
class Ref:
    """A variable."""

    variable: Variable

    @property
    def kind(self) -> Kind:
        """The variable's kind."""
        return self.variable.kind


@dataclass(frozen=True, slots=True)
class Call:
    """An operator or function over checked arguments; ``op`` is one of the names in ``app.expressions.check``."""

    op: str
    args: tuple[Node, ...]
    kind: Kind


@dataclass(frozen=True, slots=True)
class Related:
    """Whether any record of the to-many link ``path`` meets ``body``, whose variables are that record's."""

    path: str
    body: Node
    kind: Kind = "boolean"


Node: TypeAlias = "Const | Null | Param | Ref | Call | Related"


def is_value(node: Node) -> bool:
    """Whether an empty result of ``node`` is the value null rather than "unknown".

    ``me`` counts as computed: without a member nothing is mine, also not what nobody owns.
    """
    return isinstance(node, (Const, Null, Ref)) or (isinstance(node, Param) and node.name != "me")


@dataclass(frozen=True)
class Checked:
    """A condition that passed the checker. ``paths`` names to-many links with what is asked there: ``deals.stage``."""

    source: str
    root: Node
    literals: tuple[object, ...]
    paths: frozenset[str]

    @cached_property
    def shape(self) -> str:
        """The tree without its literals: equal shapes give the same SQL text for the same columns."""
        return _shape(self.root)

    def binds(self) -> dict[str, object]:
        """Literals under the names ``to_sql`` gives their parameters (``c0`` …)."""
        return {f"c{index}": value for index, value in enumerate(self.literals)}


def _shape(node: Node) -> str:
    match node:
        case Const():
            return f"?{node.index}:{node.kind}{'[]' if node.many else ''}{'!' if node.exact else ''}"
        case Null():
            return "null"
        case Param():
            return f"${node.name}"
        case Ref():
            return f"{node.variable.path}:{node.kind}"
        case Related():
            return f"(any {node.path} {_shape(node.body)})"
        case Call():
            return f"({node.op} {' '.join(_shape(arg) for arg in node.args)})"
