"""What is measured, a module a section: each has ``run(site, options)`` that answers a Part of the page."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.results import Part
    from bench.site import Site

#: In the order of the page.
NAMES: Final = (
    "beside",
    "clients",
    "tenants",
    "anatomy",
    "rights",
    "search",
    "quality",
    "pages",
    "running",
    "shaping",
    "computed",
)


@dataclass(frozen=True, slots=True)
class Options:
    """How long to measure."""

    rounds: int
    rows: int
    #: Of every count of requests; below 1 for a quick look.
    effort: float

    def times(self, count: int) -> int:
        """So many requests."""
        return max(3, int(count * self.effort))


def load(names: Sequence[str]) -> dict[str, Callable[[Site, Options], Part]]:
    """What measures each of these sections; loaded before anything is measured."""
    return {name: importlib.import_module(f"bench.sections.{name}").run for name in names}
