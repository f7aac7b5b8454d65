"""Why somebody may see or change a record, or why not: each thing that decides it, in words.

The verdict is the real one: the statement that guards the record, asked as that member. The reasons look at each
branch of it by itself.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, cast
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from app.access import catalogs, shares
from app.access.grants import FLAGS
from app.access.policy import policy_of
from app.access.rights import RIGHTS_MANAGE, allows, for_scope
from app.core import clock
from app.core.errors import FieldError, InvalidInput
from app.metadata.reach import ACTIONS, READING
from app.records.environment import RecordEnvironment
from app.records.paths import TITLE, Row, column_of, plain
from app.records.reach import branches_of, permitted
from app.records.read import get_record
from app.records.statements import compile_statement, run
from app.records.titles import titles
from app.rights.roles import condition_errors
from tenants.identity.members import get_member
from tenants.scope import Actor, Member

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.access.grants import Flag, Role
    from app.metadata.model import ObjectType
    from app.metadata.reach import Action, Reach
    from app.records.statements import Statement
    from tenants.identity.members import MemberRow
    from tenants.scope import TenantScope

_UUID: Final = pg.UUID(as_uuid=True)
#: What one may ask about: actions on a record that is there, and rights with an object as a whole.
ASKED: Final = (*ACTIONS, *FLAGS)
_VERBS: Final = {
    "read": "see", "edit": "edit", "delete": "delete", "destroy": "delete for good", "export": "export",
    "create": "create", "import": "import", "bulk": "change many at once",
}  # fmt: skip
_LEVELS: Final = {
    "own": "those they own", "reach": "those sharing opens to them", "all": "every one, whatever sharing says",
}  # fmt: skip
_OPEN: Final = {"private": "private", "team": "open to its team", "hierarchy": "open to its team and managers"}


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that speaks for it (``opens``) or does not; ``of`` names where it is set: role, sharing, record."""

    opens: bool
    of: str
    text: str

    def public(self) -> dict[str, Any]:
        """The API's form."""
        return {"opens": self.opens, "of": self.of, "text": self.text}


@dataclass(frozen=True, slots=True)
class Explanation:
    """The verdict and what decides it, the deciding reasons first."""

    member: str
    action: str
    allowed: bool
    reasons: tuple[Reason, ...]
    hidden: tuple[str, ...] = ()
    read_only: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """The verdict in a sentence."""
        return f"{self.member} {'may' if self.allowed else 'may not'} {_VERBS[self.action]} this."

    def public(self) -> dict[str, Any]:
        """The API's form."""
        return {
            "action": self.action,
            "allowed": self.allowed,
            "summary": self.sentence,
            "reasons": [reason.public() for reason in self.reasons],
            "hidden_fields": list(self.hidden),
            "read_only_fields": list(self.read_only),
        }


def explain(scope: TenantScope, member: UUID, object_name: str, record: UUID, action: str = "read") -> Explanation:
    """Why ``member`` may or may not do it to a record whoever asks can see themselves.

    Raises:
        RecordNotFound: whoever asks does not see the record.
        NotFound: no such member.
        InvalidInput: no such action.
    """
    if action not in ASKED:
        message = f"Choose one of {', '.join(ASKED)}."
        raise InvalidInput(message, [FieldError("?action", "option", message)])
    get_record(scope, object_name, record, fields=("id",))
    who = get_member(scope, member)
    asked = _Question(scope, acting(scope, who), who, object_name, record, action)
    reasons = asked.reasons()
    ordered = sorted(reasons, key=lambda reason: not reason.opens) if asked.allowed else reasons
    return Explanation(who.name, action, asked.allowed, tuple(ordered), *asked.fields())


def acting(scope: TenantScope, who: MemberRow) -> TenantScope:
    """The same transaction, seen as a member sees it."""
    member = Member(who.id, who.name, who.email, who.role, {}, who.team)
    return replace(
        scope,
        member=member,
        actor=Actor("member", who.id, who.name),
        role=who.role,
        roles=tuple(who.every_role[1:]),
        makers=(),
        write=False,
    )


class _Question:
    """One member, one record, one action."""

    def __init__(
        self, scope: TenantScope, seen: TenantScope, who: MemberRow, object_name: str, record: UUID, action: str
    ) -> None:
        self._scope, self._seen, self._who, self._record, self._action = scope, seen, who, record, action
        self._whole = catalogs.whole(scope)
        self._object = self._whole.objects[object_name]
        self._catalog = catalogs.for_scope(seen)
        self._policy = policy_of(scope)
        self._roles = [self._policy.role(name) for name in who.every_role]
        self._teams = {
            str(row[0]): str(row[1])
            for row in scope.execute(
                "select t.id, t.name from team_reach r join team t on t.id = r.team where r.member = %s", (who.id,)
            )
        }
        self.allowed = self._verdict()

    def _verdict(self) -> bool:
        obj = self._catalog.objects.get(self._object.name)
        if self._who.status == "inactive" or obj is None:
            return False
        grant = for_scope(self._seen).grant(obj.name)
        if self._action in FLAGS:
            return self._action in grant.flags
        action = cast("Action", self._action)
        if grant.level(action) == "none" or not permitted(self._seen, self._catalog, obj, [self._record], "read"):
            return False
        return bool(permitted(self._seen, self._catalog, obj, [self._record], action))

    def reasons(self) -> list[Reason]:
        """Everything that bears on it, roles first."""
        if self._who.status == "inactive":
            return [Reason(opens=False, of="member", text=f"{self._who.name} is deactivated.")]
        found = [self._of_role(role) for role in self._roles]
        if self._action in FLAGS or not any(reason.opens for reason in found):
            return found
        level = for_scope(self._seen).grant(self._object.name).level(cast("Action", self._action))
        if level == "all":
            return found
        if level == "own":
            return [*found, self._owned()]
        return found + self._of_sharing()

    def fields(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Labels of fields that are hidden from the member, for who manages rights, and of those they may only read."""
        obj = self._catalog.objects.get(self._object.name)
        if obj is None:
            return (), ()
        hidden = [field.label for name, field in self._object.fields.items() if name not in obj.fields and field.shown]
        if not allows(self._scope, RIGHTS_MANAGE):
            hidden = []
        return tuple(hidden), tuple(field.label for field in obj.fields.values() if field.denied)

    def _of_role(self, role: Role) -> Reason:
        grant, many, verb = role.grant(self._object.name), self._object.plural.lower(), _VERBS[self._action]
        if self._action in FLAGS:
            held = cast("Flag", self._action) in grant.flags
            return Reason(
                held, "role", f"The role {role.label} {'lets' if held else 'does not let'} them {verb} {many}."
            )
        level = grant.level(cast("Action", self._action))
        if level == "none":
            return Reason(opens=False, of="role", text=f"The role {role.label} does not let them {verb} {many}.")
        return Reason(opens=True, of="role", text=f"The role {role.label} lets them {verb} {many}: {_LEVELS[level]}.")

    def _owned(self) -> Reason:
        state = self._state()
        mine = state["owner"] == self._who.id
        return Reason(mine, "record", self._owner_text(state, mine=mine))

    def _of_sharing(self) -> list[Reason]:
        action = cast("Action", self._action)
        obj = self._catalog.objects[self._object.name]
        many = self._object.plural
        verb = "changing" if action not in READING else "reading"
        if not obj.reach:
            return [Reason(opens=True, of="sharing", text=f"{many} are open to everyone for {verb}.")]
        way = obj.reach[0]
        if way.follows:
            return [self._followed(way)]
        if way.openness(action) == "everyone":
            return [Reason(opens=True, of="sharing", text=f"{many} are open to everyone for {verb}.")]
        openness = _OPEN[way.openness(action)]
        return [
            Reason(opens=False, of="sharing", text=f"For {verb}, each of the {many.lower()} is {openness}."),
            *self._branches(obj, way, action),
        ]

    def _followed(self, way: Reach) -> Reason:
        names = " and ".join(self._object.fields[link].label for link in way.follows)
        return Reason(
            self.allowed, "record", f"It goes as {names} {'does' if len(way.follows) == 1 else 'do'}: see there."
        )

    def _branches(self, obj: ObjectType, way: Reach, action: Action) -> list[Reason]:
        branches = branches_of(self._catalog, obj, way, Row("g"), action)
        columns = [sa.cast(met, sa.Boolean()).label(f"b{at}") for at, (_, met) in enumerate(branches)]
        rows = run(self._seen, self._of_record(columns), {"record_id": self._record})
        met = dict(zip((name for name, _ in branches), rows[0], strict=True)) if rows else {}
        state = self._state()
        told = [self._told(name, state, opens=value is True) for name, value in met.items() if name != "share"]
        conditions = self._of_conditions(action, met)
        return [reason for reason in told if reason is not None] + conditions + self._of_shares(action)

    def _told(self, name: str, state: dict[str, Any], *, opens: bool) -> Reason | None:
        who = self._who.name
        if name == "owner":
            return Reason(opens, "record", self._owner_text(state, mine=opens))
        if name == "team":
            return Reason(opens, "team", self._team_text(state, opens=opens))
        if name == "queue":
            text = f"It waits in the queue {state['team_name']}, which {who} serves."
            return Reason(opens=True, of="team", text=text) if opens else None
        if name == "manager":
            reports = "reports to" if opens else "does not report to"
            if not state["owner"]:
                return Reason(opens=False, of="manager", text="Nobody owns it, so it is open to no owner's manager.")
            return Reason(opens, "manager", f"{state['owner_name']}, who owns it, {reports} {who}.")
        if name.startswith("inherit:"):
            label = self._object.fields[name.partition(":")[2]].label
            how = f"{who} reaches it, which opens this one, too" if opens else f"there is none that {who} reaches"
            return Reason(opens, "record", f"{label}: {how}.")
        return None

    def _owner_text(self, state: dict[str, Any], *, mine: bool) -> str:
        if mine:
            return f"{self._who.name} owns it."
        return f"{state['owner_name']} owns it, not {self._who.name}." if state["owner"] else "Nobody owns it."

    def _team_text(self, state: dict[str, Any], *, opens: bool) -> str:
        who, team = self._who.name, state["team_name"]
        if not state["team"]:
            return "It belongs to no team."
        if not opens:
            return f"It belongs to the team {team}; {who} is neither in it nor above it."
        row = self._scope.execute(_SEATS, {"member": self._who.id, "team": state["team"]}).fetchone()
        if row is None or row[0] == team:
            how = "manages it" if row is not None and row[1] else "is in it"
            return f"It belongs to the team {team}; {who} {how}."
        how = "manages" if row[1] else "is in"
        return f"It belongs to the team {team}, which is below {row[0]}; {who} {how} {row[0]}."

    def _of_conditions(self, action: Action, met: dict[str, Any]) -> list[Reason]:
        name = self._object.name
        found: list[Reason] = []
        for role in self._roles:
            for kind, condition in role.rows.get(name, {}).items():
                value = met.get(f"condition:{condition}")
                if value is not None and (kind == "edit" or action in READING):
                    said = "meets" if value else "does not meet"
                    text = f"It {said} the condition of the role {role.label}{self._quoted(condition)}"
                    found.append(Reason(value is True, "role", text))
        for rule in self._policy.rules.get(name, ()):
            value = met.get(f"condition:{rule.condition}")
            if value is None or (rule.level != "edit" and action not in READING):
                continue
            concerned = self._concerns(rule.grantee_kind, rule.grantee)
            if concerned:
                said = "opens it to" if value else "does not open it: the condition is not met, for"
                found.append(Reason(value is True, "sharing", f"The sharing rule “{rule.name}” {said} {concerned}."))
        return found

    def _quoted(self, condition: str) -> str:
        """The condition's text, for whoever may read all it compares; else just the end of the sentence."""
        seen = catalogs.for_scope(self._scope)
        environment = RecordEnvironment(seen, seen.objects[self._object.name], self._scope.tenant)
        return "." if condition_errors(condition, environment, "") else f": {condition}"

    def _of_shares(self, action: Action) -> list[Reason]:
        found: list[Reason] = []
        now = clock.now()
        for row in shares.list_shares(self._scope, self._object.name, self._record):
            if not self._concerns(row.kind, row.grantee):
                continue
            over = row.expires_at is not None and row.expires_at <= now
            enough = row.level == "edit" or action in READING
            by = f" by {row.by}" if row.by else ""
            if over:
                found.append(Reason(opens=False, of="share", text=f"It was shared with {row.name}{by}; that is over."))
            elif not enough:
                found.append(
                    Reason(opens=False, of="share", text=f"It was shared with {row.name}{by} for reading only.")
                )
            else:
                found.append(Reason(opens=True, of="share", text=f"It was shared with {row.name}{by}."))
        return found

    def _concerns(self, kind: str, grantee: str) -> str:
        """The grantee in words when the member is meant; else ""."""
        if kind == "role":
            label = self._policy.role(grantee).label
            return f"everybody with the role {label}" if grantee in self._who.every_role else ""
        if kind == "member":
            return self._who.name if grantee == str(self._who.id) else ""
        return f"the team {self._teams[grantee]}" if grantee in self._teams else ""

    def _of_record(self, columns: Sequence[sa.ColumnElement[Any]]) -> Statement:
        """Columns of the one record, whoever may see it: whoever asks has been let see it before."""
        where = column_of(Row("g"), "id", _UUID) == sa.bindparam("record_id", type_=_UUID)
        return compile_statement(sa.select(*columns).select_from(plain(self._object, "g")).where(where))

    def _state(self) -> dict[str, Any]:
        """Owner and team of the record with their names."""
        names = [name for name in ("owner", "team") if name in self._object.fields]
        columns = [column_of(Row("g"), name, _UUID) for name in names]
        rows = run(self._scope, self._of_record(columns), {"record_id": self._record})
        found = {"owner": None, "team": None} | dict(zip(names, rows[0] if rows else (), strict=False))
        known = titles(self._scope, {"member": _some(found["owner"]), "team": _some(found["team"])})
        ids = {name: UUID(str(value)) if value else None for name, value in found.items()}
        return {
            **ids,
            "owner_name": known.get(("member", str(found["owner"])), ""),
            "team_name": known.get(("team", str(found["team"])), ""),
        }


#: The seat from which somebody reaches a team: the nearest team above it they are in or manage.
_SEATS: Final = """
with recursive up (id, name, parent, manager, steps) as (
    select id, name, parent, manager, 0 from team where id = %(team)s::uuid
    union all select t.id, t.name, t.parent, t.manager, u.steps + 1 from up u join team t on t.id = u.parent
     where u.steps < 100
)
select u.name, u.manager = %(member)s::uuid and u.manager is not null
  from up u left join team_member b on b.team = u.id and b.member = %(member)s::uuid
  left join member m on m.id = %(member)s::uuid
 where b.member is not null or u.manager = %(member)s::uuid or m.team = u.id order by u.steps limit 1
"""


def _some(value: object) -> list[str]:
    return [str(value)] if value else []


def title_of(scope: TenantScope, object_name: str, record: UUID) -> str:
    """How the record is called for whoever looks. Raises RecordNotFound."""
    return str(get_record(scope, object_name, record, fields=(TITLE,)).get(TITLE) or "Untitled")
