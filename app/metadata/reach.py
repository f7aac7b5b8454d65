"""How far somebody's rights in an object's records go, as data: part of a compiled object, and so of its hash.

``app.access`` makes it from roles and sharing, ``app.records.reach`` writes it as SQL. None of it names a member or a
team of one's own: who asks is a parameter, so that all who hold the same roles share one object and its statements.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

Level: TypeAlias = Literal["none", "own", "reach", "all"]
Openness: TypeAlias = Literal["private", "team", "hierarchy", "everyone"]
#: What one may do with a record that is there, and how far.
Action: TypeAlias = Literal["read", "edit", "delete", "destroy", "export"]

LEVELS: Final[tuple[Level, ...]] = ("none", "own", "reach", "all")
OPENNESS: Final[tuple[Openness, ...]] = ("private", "team", "hierarchy", "everyone")
ACTIONS: Final[tuple[Action, ...]] = ("read", "edit", "delete", "destroy", "export")
#: Actions that only look at a record; the others ask what sharing lets one edit.
READING: Final = frozenset({"read", "export"})


@dataclass(frozen=True, slots=True)
class Widening:
    """A condition that opens more records: of a role (for whoever holds it) or of a sharing rule (for its grantee)."""

    condition: str
    edit: bool
    grantee_kind: Literal["", "team", "member"] = ""
    grantee: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What one set of roles opens of one object's records, before shares of single records.

    ``read`` and ``edit`` say what an object is open to by default. ``inherit`` is a link: a record is seen when the one
    it points to is. ``follows`` names the links of a record that is a detail of others (a deal's line): it is seen
    when all of them are, and changed when the first may be changed.
    """

    levels: tuple[tuple[Action, Level], ...]
    read: Openness = "everyone"
    edit: Openness = "everyone"
    inherit: str = ""
    follows: tuple[str, ...] = ()
    widenings: tuple[Widening, ...] = ()

    def level(self, action: Action) -> Level:
        """How far ``action`` goes."""
        return dict(self.levels).get(action, "none")

    def openness(self, action: Action) -> Openness:
        """What the object is open to for ``action``."""
        return self.read if action in READING else self.edit

    def is_whole(self, action: Action) -> bool:
        """Whether every record is in it, whoever asks; of a detail that depends on what it follows."""
        level = self.level(action)
        return level == "all" or (level == "reach" and not self.follows and self.openness(action) == "everyone")
