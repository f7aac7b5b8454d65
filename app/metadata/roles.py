"""Who holds a role: members, keys and sharing rules name it, so it is not taken away from under them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from app.metadata.effects import Notice
from app.metadata.layers import live
from app.metadata.leaves import SEPARATOR

if TYPE_CHECKING:
    from collections.abc import Iterable

    from app.metadata.changeset import Changes
    from app.metadata.store import Connection, Execute

_KIND: Final = "role" + SEPARATOR
_COUNTED: Final = (("member", "members"), ("API key", "API keys"), ("sharing rule", "sharing rules"))
_READ: Final = """
select r, (select count(*) from member where role = r or r = any (roles)),
       (select count(*) from api_key where role = r and revoked_at is null),
       (select count(*) from sharing_rule where grantee_kind = 'role' and grantee = r)
  from unnest(%s::text[]) r
"""


def gone(changes: Changes) -> list[str]:
    """The roles that are not there any more once ``changes`` are made; a role under another name is gone, too."""
    before, after = live(changes.before), live(changes.after)
    return sorted(one.removeprefix(_KIND) for one in before.keys() - after.keys() if one.startswith(_KIND))


def held(execute: Execute, roles: Iterable[str]) -> dict[str, str]:
    """Those of ``roles`` that somebody holds, each with who in words: "2 members and 1 API key"."""
    asked = list(roles)
    if not asked:
        return {}
    found: dict[str, str] = {}
    for name, *counts in execute(_READ, (asked,)).fetchall():
        told = [
            f"{count:,} {one if count == 1 else many}"
            for count, (one, many) in zip(counts, _COUNTED, strict=True)
            if count
        ]
        if told:
            found[name] = " and ".join(told)
    return found


def refused(label: str, holders: str) -> str:
    """Why a role that is held is not taken away."""
    return f"{label} is held by {holders}. Give them another role first."


def guarded(execute: Execute, changes: Changes) -> Changes:
    """``changes`` with each role that would be taken away from its holders among what breaks."""
    found = held(execute, gone(changes))
    if not found:
        return changes
    before = live(changes.before)
    notices = [
        Notice("role.in_use", _KIND + name, "", refused(str(before[_KIND + name].get("label") or name), holders))
        for name, holders in sorted(found.items())
    ]
    return replace(changes, broken=(*changes.broken, *notices))


def forget(connection: Connection, roles: Iterable[str]) -> None:
    """Records given to everybody with a role that is gone are given to nobody: a new one of its name begins empty."""
    names = list(roles)
    if names:
        connection.execute("delete from share where grantee_kind = 'role' and grantee = any (%s)", (names,))


def events(changes: Changes) -> list[dict[str, Any]]:
    """What the log tells of roles that came, went or changed, beside the change of metadata itself."""
    before, after = live(changes.before), live(changes.after)
    differing: dict[str, dict[str, list[Any]]] = {}
    for leaf in changes.leaves:
        if leaf.component.startswith(_KIND) and leaf.base is None:
            differing.setdefault(leaf.component, {})[leaf.path] = [leaf.before, leaf.after]
    found: list[dict[str, Any]] = []
    for component in sorted({*differing, *(_KIND + name for name in gone(changes))}):
        was, now = (component.removeprefix(_KIND) if component in side else None for side in (before, after))
        if was is None and now is None:
            continue
        kind = "role_changed" if was and now else "role_created" if now else "role_removed"
        diff = {"name": [was, now]} | (differing.get(component, {}) if now else {})
        found.append({"kind": kind, "object": "role", "diff": diff})
    return found
