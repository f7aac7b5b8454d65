"""The table that the series prints at the end of a run."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest

#: The property of a test's report that holds one line's figures; it travels from test workers by itself.
PROPERTY = "kill"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Victim by victim: how often, what was lost or doubled, how long the import took from the kill to its end."""
    lines: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for outcome in ("passed", "failed"):
        for report in terminalreporter.stats.get(outcome, ()):
            for name, value in getattr(report, "user_properties", ()):
                if name == PROPERTY and report.when == "call":
                    lines[value["victim"]].append(value)
    if not lines:
        return
    terminalreporter.section("imports that met a kill -9")
    terminalreporter.line(f"{'victim':30}{'times':>6}{'rows':>9}{'lost':>6}{'doubled':>9}   seconds until done")
    for victim, turns in lines.items():
        rows, lost, doubled = (sum(turn[key] for turn in turns) for key in ("rows", "lost", "doubled"))
        seconds = sorted(turn["seconds"] for turn in turns)
        span = f"{seconds[0]:.1f} to {seconds[-1]:.1f}" if len(seconds) > 1 else f"{seconds[0]:.1f}"
        terminalreporter.line(f"{victim:30}{len(turns):>6}{rows:>9,}{lost:>6}{doubled:>9}   {span}")
