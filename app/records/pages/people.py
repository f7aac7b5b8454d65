"""Choosing members, teams and roles while typing: what every box for them lists, and how a chosen one is called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from uuid import UUID

from flask import request

from app.access import teams
from app.access.policy import role_names
from app.core.errors import InvalidInput
from app.http.guard import workspace
from app.records.pages.answers import fragment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from werkzeug.wrappers import Response

    from tenants.scope import TenantScope

#: (value, text, hint)
Option = tuple[str, str, str]

KINDS: Final = ("team", "role", "member")
_HEADINGS: Final = {"team": ("Teams", "users"), "role": ("Roles", "shield"), "member": ("Members", "user")}
#: So many of a kind are listed; who looks for others types more of the name.
_LISTED: Final = 12


@workspace("record.read", member=True)
def people(scope: TenantScope) -> Response:
    """The list of a box: ``kinds`` it may hold, ``q`` what was typed, and whom it leaves out.

    ``not`` leaves out a member, ``outside`` those of a team, ``above`` a team with all below it; ``former`` takes
    members who left along. Of several kinds values are ``kind:id``, of one they are ids.
    """
    arguments = request.args
    kinds = [kind for kind in arguments.get("kinds", "member").split(",") if kind in KINDS]
    if not kinds:
        raise InvalidInput(f"kinds is some of {', '.join(KINDS)}.")
    words = arguments.get("q", "").strip()[:200]
    groups: list[tuple[str, str, list[Option]]] = []
    more = False
    for kind in kinds:
        found = _FINDERS[kind](scope, words)
        more = more or len(found) > _LISTED
        heading, icon = _HEADINGS[kind] if len(kinds) > 1 else ("", "")
        prefix = f"{kind}:" if len(kinds) > 1 else ""
        groups.append((heading, icon, [(prefix + value, text, hint) for value, text, hint in found[:_LISTED]]))
    return fragment("kit/_options.html", groups=groups, words=words, more=more, name=f"people-{'-'.join(kinds)}")


def find_members(
    scope: TenantScope, words: str, *, but: UUID | None = None, outside: UUID | None = None, former: bool = False
) -> list[Option]:
    """Members by name or address, one more than is listed."""
    like = "%" + words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    rows = scope.execute(
        "SELECT id::text, name, email, status FROM member m WHERE (%(former)s OR status <> 'inactive')"
        " AND (name ILIKE %(like)s OR email ILIKE %(like)s) AND id IS DISTINCT FROM %(but)s::uuid"
        " AND NOT EXISTS (SELECT 1 FROM team_member b WHERE b.member = m.id AND b.team = %(outside)s::uuid)"
        " ORDER BY lower(name), id LIMIT %(limit)s",
        {"like": like, "former": former, "but": but, "outside": outside, "limit": _LISTED + 1},
    ).fetchall()
    return [(row[0], row[1] or row[2], "left" if row[3] == "inactive" else row[2] or "") for row in rows]


def find_teams(scope: TenantScope, words: str, *, above: UUID | None = None) -> list[Option]:
    """Teams by name, each with those it is below; ``above`` leaves out a team and all below it."""
    wanted = words.lower().split()
    trails: dict[UUID, str] = {}
    hidden: set[UUID] = set()
    found: list[Option] = []
    for team in teams.list_teams(scope):
        trail = trails.get(team.parent, "") if team.parent else ""
        trails[team.id] = f"{trail} / {team.name}" if trail else team.name
        if team.id == above or team.parent in hidden:
            hidden.add(team.id)
        elif all(word in team.name.lower() for word in wanted):
            found.append((str(team.id), team.name, " · ".join(part for part in (trail, "queue" * team.queue) if part)))
    return found


def called(scope: TenantScope, kind: str, value: object) -> str:
    """How a chosen member, team or role is called; "" for none and for one that is gone."""
    if not value:
        return ""
    if kind == "role":
        return dict(role_names(scope)).get(str(value), "")
    identity = _id(str(value))
    if identity is None or kind not in KINDS:
        return ""
    if kind == "team":
        row = scope.execute("SELECT name FROM team WHERE id = %s", (identity,)).fetchone()
    else:
        row = scope.execute("SELECT name FROM member WHERE id = %s", (identity,)).fetchone()
    return row[0] if row else ""


def chosen(scope: TenantScope, value: object, kinds: Sequence[str] = ("member",)) -> dict[str, str]:
    """What a box shows that holds ``value``: an id, or ``kind:id`` where it may hold several kinds."""
    text = str(value or "")
    kind, _, identity = text.rpartition(":")
    return {"value": text, "text": called(scope, kind or kinds[0], identity)}


def _asked_members(scope: TenantScope, words: str) -> list[Option]:
    arguments = request.args
    return find_members(
        scope, words, but=_id(arguments.get("not", "")), outside=_id(arguments.get("outside", "")),
        former="former" in arguments,
    )  # fmt: skip


def _asked_teams(scope: TenantScope, words: str) -> list[Option]:
    return find_teams(scope, words, above=_id(request.args.get("above", "")))


def _roles(scope: TenantScope, words: str) -> list[Option]:
    needle = words.lower()
    return [(name, label, "") for name, label in role_names(scope) if needle in label.lower()]


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


_FINDERS: Final = {"team": _asked_teams, "role": _roles, "member": _asked_members}
