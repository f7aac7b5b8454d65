"""What can be wrong with components: one problem says where it is and what would be right."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.core.errors import FieldError, InvalidInput

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

#: How many names a hint lists when none is near.
_LISTED = 12


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a component.

    ``source`` is where it was read from (``machine.yaml``), "" for what is stored; ``path`` is dotted, in the form
    people write; ``pointer`` is the JSON pointer into what was sent, "" when nothing was.
    """

    component: str
    path: str
    code: str
    message: str
    source: str = ""
    pointer: str = ""

    def __str__(self) -> str:
        place = f"{self.source}: " if self.source else f"{self.component}: "
        return f"{place}{self.path or 'the document'}: {self.message}"


class InvalidComponents(InvalidInput):
    """Components that can't be used: every problem found, each with its place."""

    code = "metadata.invalid"
    title = "The components are not valid"

    def __init__(self, problems: Sequence[Problem]) -> None:
        """``problems`` holds at least one."""
        errors = [FieldError(one.pointer or _pointer(one), one.code, str(one)) for one in problems]
        super().__init__(str(problems[0]), errors)
        self.problems = tuple(problems)


def _pointer(problem: Problem) -> str:
    return "/" + "/".join(filter(None, (problem.component, *problem.path.split("."))))


def near(word: object, known: Iterable[str]) -> str:
    """The nearest known name as the end of a sentence; when there are few and none is near, all of them."""
    names = sorted(known)
    close = difflib.get_close_matches(str(word), names, n=1)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; known are {', '.join(names)}" if 0 < len(names) <= _LISTED else ""
