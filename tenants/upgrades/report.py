"""What an upgrade did, tenant by tenant where there is something to say."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tenants.upgrades.one import Place, Result


@dataclass(frozen=True, slots=True)
class Trouble:
    """A tenant that was not brought to the release, and why."""

    tenant: str
    pod: int
    reason: str

    def document(self) -> dict[str, object]:
        """Make the JSON form."""
        return {"tenant": self.tenant, "pod": self.pod, "reason": self.reason}


@dataclass(slots=True)
class Report:
    """Counts workspaces and spares together; ``left`` were not tried, because of ``stopped``."""

    found: int = 0
    done: int = 0
    current: int = 0
    dropped: int = 0
    retries: int = 0
    plans: int = 0
    longest_wait: float = 0.0
    seconds: float = 0.0
    stopped: str = ""
    dry: bool = False
    skipped: list[Trouble] = field(default_factory=list[Trouble])
    failed: list[Trouble] = field(default_factory=list[Trouble])
    conflicts: dict[str, list[object]] = field(default_factory=dict[str, "list[object]"])
    notices: dict[str, list[str]] = field(default_factory=dict[str, "list[str]"])
    #: What was done → in how many tenants.
    steps: dict[str, int] = field(default_factory=dict[str, int])

    @property
    def left(self) -> int:
        """Workspaces nobody got to."""
        tried = self.done + self.current + self.dropped + len(self.skipped) + len(self.failed)
        return self.found - tried

    @property
    def complete(self) -> bool:
        """Whether everything is at the release now."""
        return not self.skipped and not self.failed and not self.stopped and not self.left

    def take(self, place: Place, result: Result) -> None:
        """Count one tenant."""
        self.done += result.became == "done"
        self.current += result.became in ("current", "gone")
        self.dropped += result.became == "dropped"
        self.longest_wait = max(self.longest_wait, result.held)
        name = str(place.tenant.id)
        if result.conflicts and not place.spare:
            self.conflicts[name] = list(result.conflicts)
        if result.notices and not place.spare:
            self.notices[name] = list(result.notices)
        for step in result.steps:
            self.steps[step] = self.steps.get(step, 0) + 1

    def document(self) -> dict[str, object]:
        """Make the JSON form."""
        return {
            "dry_run": self.dry,
            "found": self.found,
            "done": self.done,
            "current": self.current,
            "spares_dropped": self.dropped,
            "skipped": [one.document() for one in self.skipped],
            "failed": [one.document() for one in self.failed],
            "left": self.left,
            "stopped": self.stopped or None,
            "conflicts": self.conflicts,
            "notices": self.notices,
            "steps": self.steps,
            "plans": self.plans,
            "retries": self.retries,
            "longest_wait": round(self.longest_wait, 4),
            "seconds": round(self.seconds, 2),
        }
