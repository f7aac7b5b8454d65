"""The rates of the last release, kept in ``rates.toml`` for each machine: they may not fall from one to the next.

raw.py's above all: a limit that gets slower would make the product look closer to it.
"""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Final

from bench.results import HERE, Budget, machine, table

if TYPE_CHECKING:
    from pathlib import Path

    from bench.results import Part

FILE: Final = HERE / "rates.toml"
#: Less than this is the noise of a machine with neighbours.
TOLERANCE: Final = 0.10


def read(path: Path = FILE) -> dict[str, dict[str, float]]:
    """Machine → name → requests a second."""
    return tomllib.loads(path.read_text("utf-8"))["machine"] if path.exists() else {}


def write(found: dict[str, float], path: Path = FILE) -> None:
    """Keep the rates of this machine as those of the release."""
    kept = read(path)
    kept[machine()] = kept.get(machine(), {}) | found
    lines = ["# Requests a second of the last release, by machine; written by `python -m bench --release`."]
    for name, rates in sorted(kept.items()):
        lines += ["", f'[machine."{name}"]', *(f'"{key}" = {rate:.1f}' for key, rate in sorted(rates.items()))]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def all_rates(parts: dict[str, Part]) -> dict[str, float]:
    """Every rate found on this machine."""
    return {name: rate for part in parts.values() if part.machine == machine() for name, rate in part.rates.items()}


def compare(parts: dict[str, Part], path: Path = FILE) -> tuple[str, list[Budget]]:
    """The rates beside those of the last release on the same machine, as a table, and whether raw's fell."""
    kept = read(path)
    found = {
        name: (rate, kept.get(part.machine, {}).get(name))
        for part in parts.values()
        for name, rate in part.rates.items()
    }
    rows = [
        (name, "-" if before is None else f"{before:,.1f}", f"{rate:,.1f}", _moved(rate, before))
        for name, (rate, before) in sorted(found.items())
    ]
    raw = [(rate, before) for name, (rate, before) in found.items() if name.startswith("raw") and before is not None]
    fallen = sum(rate < before * (1 - TOLERANCE) for rate, before in raw)
    budget = Budget(
        "absolute rates of raw.py against the last release, same machine",
        f"none falls by more than {TOLERANCE:.0%}",
        f"{fallen} of {len(raw)} fell" if raw else "no release to compare with",
        not fallen if raw else None,
    )
    return table(("requests a second", "last release", "now", "moved"), rows), [budget]


def _moved(now: float, before: float | None) -> str:
    return "-" if not before else f"{now / before - 1:+.0%}"
