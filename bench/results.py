"""What a section found, kept between runs: the page is made of it, so that one section can be run again alone."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

from app.core import clock

HERE: Final = Path(__file__).resolve().parent
#: Of full runs; part of the checkout, for the page is.
FULL: Final = HERE / "results.json"


@dataclass(frozen=True, slots=True)
class Budget:
    """A line of DESIGN §12: what is asked, what was found. ``met`` is None where nothing is built or asked yet."""

    what: str
    asked: str
    found: str
    met: bool | None = None

    @property
    def verdict(self) -> str:
        """In a word."""
        return {True: "met", False: "**missed**", None: "-"}[self.met]


@dataclass(slots=True)
class Part:
    """What one section found. ``text`` is Markdown; ``rates`` are requests a second of wall time, by name."""

    text: str
    budgets: list[Budget] = field(default_factory=list[Budget])
    rates: dict[str, float] = field(default_factory=dict[str, float])
    machine: str = ""
    when: str = ""

    def __post_init__(self) -> None:
        """Where and when."""
        self.machine = self.machine or machine()
        self.when = self.when or f"{clock.now():%Y-%m-%d %H:%M} UTC"


def machine() -> str:
    """The machine's name, processor and cores: rates are compared on the same one only."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        lines = info.read_text("utf-8", "replace").splitlines()
        model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), model)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{platform.node()}, {model}, {cores} cores"


def load(path: Path) -> dict[str, Part]:
    """The parts kept in ``path``, by section."""
    if not path.exists():
        return {}
    kept = json.loads(path.read_text("utf-8"))
    return {
        name: Part(**{**part, "budgets": [Budget(**budget) for budget in part["budgets"]]})
        for name, part in kept.items()
    }


def keep(path: Path, name: str, part: Part) -> dict[str, Part]:
    """Put ``part`` in the place of what the section found before; answers all parts."""
    parts = load(path) | {name: part}
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({name: asdict(part) for name, part in parts.items()}, indent=1, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")
    return parts


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """A table in Markdown."""
    lines = [f"| {' | '.join(cells)} |" for cells in (head, *rows)]
    return "\n".join([lines[0], "|---" * len(head) + "|", *lines[1:]])
