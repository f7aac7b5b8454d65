"""Desired components → change set, as pure functions over documents; nothing is read or written here.

The engine reads a ``State``, asks ``desired`` (or ``relayered`` for other lower layers, ``reverted`` for a revert),
plans DDL from ``Changes.before`` and ``Changes.after`` and writes ``Changes.overrides``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from app.metadata.layers import Conflict, Override
    from app.metadata.leaves import Document, Plain
    from app.metadata.patch import Patch
    from app.metadata.problems import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """A tenant's metadata as it is. ``lower`` is all layers below the tenant's, stacked."""

    lower: Document
    overrides: tuple[Override, ...] = ()
    #: Source → what it stated last (``Changes.stated``).
    last: Mapping[str, Document] = field(default_factory=dict[str, "Document"])
    #: What conditions are checked with.
    currency: str = "EUR"
    timezone: str = "UTC"
    locale: str = "en"


@dataclass(frozen=True, slots=True)
class LeafChange:
    """One effective leaf before and after; None where it is absent. Renames are told apart, in ``Changes.renames``."""

    component: str
    path: str
    before: Plain
    after: Plain


@dataclass(frozen=True, slots=True)
class Rename:
    """A node that keeps its data under another name; paths "" are the component itself."""

    component: str
    path: str
    before_component: str
    before_path: str


@dataclass(frozen=True, slots=True)
class Notice:
    """Something whoever applies should know. ``code`` is stable; see ``Changes.warnings``."""

    code: str
    component: str
    path: str
    message: str
    #: What it is about beside: the field removed, the component that breaks.
    about: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What a wanted difference comes to."""

    #: Effective documents, hidden parts included (``app.metadata.layers.live`` leaves them out).
    before: Document
    after: Document
    leaves: tuple[LeafChange, ...]
    renames: tuple[Rename, ...] = ()
    #: The tenant layer as it is to be.
    overrides: tuple[Override, ...] = ()
    #: What the source states now: its new last-applied set.
    stated: Document = field(default_factory=dict[str, "dict[str, Plain]"])
    #: ``drift`` (changed by hand since this source's last apply), ``prune.kept``, ``order.unread`` …
    warnings: tuple[Notice, ...] = ()
    #: Must be answered before applying: ``rename.or_new`` (a field went and one of its type came: say
    #: ``renamed_from: old``, or ``renamed_from: null`` for a new one).
    questions: tuple[Notice, ...] = ()
    #: What would stop working (a view, rule, formula, role, layout, another object's link): blocks.
    broken: tuple[Notice, ...] = ()
    #: What is wrong with the components wanted: blocks.
    problems: tuple[Problem, ...] = ()
    #: Overrides whose lower leaf differs from what they were made over.
    conflicts: tuple[Conflict, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether nothing would change."""
        return not (self.leaves or self.renames)

    @property
    def blocked(self) -> bool:
        """Whether it can't be applied as it is."""
        return bool(self.questions or self.broken or self.problems)


def desired(state: State, patches: Iterable[Patch], *, source: str = "settings", prune: bool = False) -> Changes:
    """What applying ``patches`` would change. Never raises for what the patches say: see ``Changes.problems``."""
    raise NotImplementedError


def relayered(state: State, lower: Document, *, in_use: frozenset[tuple[str, str]] = frozenset()) -> Changes:
    """What other lower layers would change (an upgrade, a pack, an extension).

    ``in_use`` holds (component, node path) of fields, options and stages with data: what goes away below is kept by the
    tenant and marked retired when it is in there, or overridden, or named by a component of the tenant.
    """
    raise NotImplementedError


def reverted(state: State, leaves: Iterable[LeafChange], renames: Iterable[Rename] = ()) -> Changes:
    """What taking a change back would change: a three-way merge (app.metadata.merge).

    Leaves changed since, and what newer components depend on, are named in ``broken``.
    """
    raise NotImplementedError


def drift(last: Mapping[str, Mapping[str, Plain]], now: Mapping[str, Mapping[str, Plain]]) -> list[LeafChange]:
    """What differs now from what a source stated last: ``before`` is its value, ``after`` the one now."""
    raise NotImplementedError
