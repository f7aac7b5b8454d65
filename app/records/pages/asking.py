"""What a list's address asks for: condition, quick words, sort; and the addresses of its variants."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from flask import request

if TYPE_CHECKING:
    from app.metadata.model import ObjectType

_QUICK_KINDS: Final = frozenset({"text", "texts"})


@dataclass(frozen=True, slots=True)
class Asked:
    """The state of a list that its address carries."""

    object: str
    filter: str = ""
    words: str = ""
    sort: str = ""
    cursor: str = ""
    #: The view it looks through, and what that says: its condition and its order.
    view: str = ""
    within: str = ""
    order: str = ""

    @property
    def narrowed(self) -> bool:
        """Whether anything hides records."""
        return bool(self.filter or self.words or self.within)

    def condition(self, obj: ObjectType) -> str:
        """View, filter box and quick words as one condition."""
        return joined(self.within, self.filter, quick_condition(obj, self.words))

    def query(self, **changes: str) -> str:
        """The query string of this state with ``changes``."""
        state = replace(self, **changes)
        pairs = {
            "view": state.view,
            "filter": state.filter,
            "q": state.words,
            "sort": state.sort,
            "cursor": state.cursor,
        }
        return urlencode({name: value for name, value in pairs.items() if value})

    def href(self, base: str = "", **changes: str) -> str:
        """The address of this state with ``changes``; a new question starts at the first page."""
        query = self.query(**{"cursor": "", **changes})
        return (base or f"/records/{self.object}") + (f"?{query}" if query else "")


def asked(object_name: str) -> Asked:
    """The state in the current request's address."""
    arguments = request.args
    return Asked(
        object_name,
        arguments.get("filter", "").strip(),
        arguments.get("q", "").strip(),
        arguments.get("sort", "").strip(),
        arguments.get("cursor", ""),
        arguments.get("view", "").strip(),
    )


def joined(*conditions: str) -> str:
    """Conditions that must all hold, as one."""
    given = [one for one in conditions if one]
    return given[0] if len(given) == 1 else " && ".join(f"({one})" for one in given)


def quick_condition(obj: ObjectType, words: str) -> str:
    """Each word somewhere in the title or e-mail address, whatever its case."""
    names = [n for n in (*obj.title, "email") if n in obj.fields and obj.fields[n].type.condition in _QUICK_KINDS]
    if not names or not words:
        return ""
    found: list[str] = []
    for word in words.lower().split():
        literal = json.dumps(word, ensure_ascii=False)
        found.append("(" + " || ".join(_contains(obj, name, literal) for name in dict.fromkeys(names)) + ")")
    return " && ".join(found)


def _contains(obj: ObjectType, name: str, literal: str) -> str:
    if obj.fields[name].type.condition == "texts":
        return f"{name}.contains({literal})"
    return f"{name}.lower().contains({literal})"
