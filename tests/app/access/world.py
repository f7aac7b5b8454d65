"""The workspace the state machine of rights makes: people, teams, roles, sharing, records, and how they change."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING, Any
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from app.access.closures import rebuild_managers, rebuild_teams
from app.records.write import create_record
from tenants.scope import enter_job
from tests.support.judge import Judge, Person, Role, Rule, Share, Sharing, Team
from tests.support.rights import Person as Member
from tests.support.rights import make_person as make_member
from tests.support.rights import make_role, make_team, share, share_by_default, sharing_rule
from tests.support.tenants import PATIENT, owner_of

from .machine import FIGURES, LINK, OBJECTS, WORD, came_of, condition, specs

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.core.db import Databases
    from tenants.scope import Tenant, TenantScope

_numbers = count(1)
places = st.integers(0, 1_000)
openness = st.sampled_from(("private", "private", "team", "hierarchy", "hierarchy", "everyone"))
WIDTH = ("private", "team", "hierarchy", "everyone")


class _UndoError(Exception):
    """Takes an act back."""


def _undo() -> None:
    raise _UndoError


class World(RuleBasedStateMachine):
    """One workspace, in one transaction that is never committed; the judge knows what is made."""

    databases: Databases
    tenant: Tenant
    asked = 0
    examples = 0

    def __init__(self) -> None:
        super().__init__()
        type(self).examples += 1
        self.judge = Judge()
        self.members: dict[str, Member] = {}
        self.stack = ExitStack()
        actor = owner_of(self.databases, self.tenant)
        opened = enter_job(self.databases, self.tenant.id, actor=actor, write=True, budget=PATIENT)
        self.scope: TenantScope = self.stack.enter_context(opened)

    def teardown(self) -> None:
        undo = _UndoError()
        self.stack.__exit__(_UndoError, undo, undo.__traceback__)

    # making

    @initialize(data=st.data())
    def begin(self, data: st.DataObject) -> None:
        """A small company to begin with, so that few steps lead to something worth asking."""
        for _ in range(2):
            self.make_role(data.draw(specs()))
        self.make_person([0], 0, 0)
        for at in range(2):
            self.make_team(at, data.draw(places), queue=data.draw(st.booleans()))
        for _ in range(3):
            self.make_person([data.draw(places)], data.draw(places), data.draw(places))
        for name in OBJECTS:
            read, edit = data.draw(openness), data.draw(openness)
            self.set_sharing(name, read, edit, inherit=data.draw(st.booleans()))
        for name in (*OBJECTS, *OBJECTS):
            self.make_record(name, *(data.draw(places) for _ in range(4)))
        for name in data.draw(st.lists(st.sampled_from(OBJECTS), max_size=2)):
            self.make_rule(name, data.draw(places), data.draw(places), "edit")

    @rule(spec=specs())
    def make_role(self, spec: dict[str, Any]) -> None:
        name = f"role_{next(_numbers)}"
        pairs = {
            (o, action): condition(self.judge, o, number)
            for o, rules in spec["rows"].items()
            for action, number in rules.items()
        }
        rows = {o: {a: pairs[o, a][0] for a in rules} for o, rules in spec["rows"].items()}
        fields = {o: {FIGURES[o]: level} for o, level in spec["fields"].items()}
        make_role(self.scope, name, objects=spec["objects"], fields=fields, rows=rows)
        judged = {o: {a: pairs[o, a][1] for a in rules} for o, rules in spec["rows"].items()}
        self.judge.roles[name] = Role(spec["objects"], fields, judged)

    @rule(roles=st.lists(places, min_size=1, max_size=2), team=places, manager=places)
    def make_person(self, roles: list[int], team: int, manager: int) -> None:
        held = list(dict.fromkeys(self.one(self.judge.roles, place) for place in roles))
        teams = [self.one(self.judge.teams, team)] if self.judge.teams and team % 3 else []
        boss = self.one(self.members, manager) if self.members and manager % 3 else None
        made = make_member(
            self.scope,
            *held,
            teams=[uuid_of(one) for one in teams],
            manager=uuid_of(boss) if boss else None,
        )
        key = str(made.id)
        self.members[key] = made
        self.judge.people[key] = Person(held, boss)
        self.judge.belongs |= {(key, one) for one in teams}

    @rule(parent=places, manager=places, queue=st.booleans())
    def make_team(self, parent: int, manager: int, *, queue: bool) -> None:
        above = self.one(self.judge.teams, parent) if self.judge.teams and parent % 2 else None
        boss = self.one(self.members, manager) if manager % 2 else None
        made = make_team(
            self.scope,
            parent=uuid_of(above) if above else None,
            manager=uuid_of(boss) if boss else None,
            queue=queue,
        )
        self.judge.teams[str(made)] = Team(above, boss, queue)

    @rule(object_name=st.sampled_from(OBJECTS), read=openness, edit=openness, inherit=st.booleans())
    def set_sharing(self, object_name: str, read: str, edit: str, *, inherit: bool) -> None:
        edit = min(read, edit, key=WIDTH.index)
        link = LINK if inherit and object_name != "company" else None
        share_by_default(self.scope, object_name, read, edit, link)
        self.judge.sharing[object_name] = Sharing(read, edit, link, "company" if link else "")

    @rule(object_name=st.sampled_from(OBJECTS), number=places, grantee=places, level=st.sampled_from(("read", "edit")))
    def make_rule(self, object_name: str, number: int, grantee: int, level: str) -> None:
        text, judged = condition(self.judge, object_name, number)
        kind, name = self._grantee(grantee)
        sharing_rule(self.scope, object_name, text, kind, name, level)
        self.judge.rules.append(Rule(object_name, judged, kind, name, level))

    @precondition(lambda self: self.all_records())
    @rule(record=places, grantee=places, level=st.sampled_from(("read", "edit")), over=st.booleans())
    def make_share(self, record: int, grantee: int, level: str, *, over: bool) -> None:
        object_name, one = self.any_record(record)
        kind, name = self._grantee(grantee)
        if any((s.record, s.kind, s.grantee) == (one, kind, name) for s in self.judge.shares):
            return
        share(self.scope, object_name, one, kind, name, level, "-1 hour" if over else "1 hour")
        self.judge.shares.append(Share(object_name, one, kind, name, level, over))

    @rule(object_name=st.sampled_from(OBJECTS), owner=places, team=places, company=places, amount=places)
    def make_record(self, object_name: str, owner: int, team: int, company: int, amount: int) -> None:
        state = self.new_state(object_name, owner, team, company, amount)
        made = create_record(self.scope, object_name, payload_of(object_name, state))
        self.judge.records.setdefault(object_name, {})[str(made["id"])] = state

    # changing

    @rule(who=places, roles=st.lists(places, min_size=1, max_size=2))
    def give_other_roles(self, who: int, roles: list[int]) -> None:
        me = self.one(self.members, who)
        held = list(dict.fromkeys(self.one(self.judge.roles, place) for place in roles))
        sql = "update member set role = %s, roles = %s where id = %s"
        self.scope.execute(sql, (held[0], held[1:], me))
        self.members[me] = replace(self.members[me], roles=tuple(held))
        self.judge.people[me].roles = held

    @rule(who=places, boss=places)
    def report_to_somebody_else(self, who: int, boss: int) -> None:
        me, other = self.one(self.members, who), self.one(self.members, boss)
        if boss % 4 and (me == other or other in self.judge.below_me(me)):
            return
        above = other if boss % 4 else None
        self.scope.execute("update member set manager = %s where id = %s", (above, me))
        rebuild_managers(self.scope)
        self.judge.people[me].manager = above

    @precondition(lambda self: self.judge.teams)
    @rule(who=places, team=places)
    def join_or_leave_a_team(self, who: int, team: int) -> None:
        seat = self.one(self.members, who), self.one(self.judge.teams, team)
        if seat in self.judge.belongs:
            self.scope.execute("delete from team_member where member = %s and team = %s", seat)
        else:
            self.scope.execute("insert into team_member (member, team) values (%s, %s)", seat)
        rebuild_teams(self.scope)
        self.judge.belongs ^= {seat}

    @precondition(lambda self: self.judge.shares)
    @rule(place=places, over=st.booleans())
    def a_share_ends_or_is_taken_back(self, place: int, *, over: bool) -> None:
        gone = self.judge.shares[place % len(self.judge.shares)]
        grant = (gone.object, gone.record, gone.kind, gone.grantee)
        where = "where object = %s and record_id = %s and grantee_kind = %s and grantee = %s"
        if over:
            self.scope.execute(f"update share set expires_at = now() - interval '1 second' {where}", grant)
            gone.expired = True
        else:
            self.scope.execute(f"delete from share {where}", grant)
            self.judge.shares.remove(gone)

    # inside

    def act(self, act: Callable[[], object], *, kept: bool) -> str:
        """Do it in a savepoint; taken back unless it worked and is kept."""
        came = ""
        try:
            with self.scope.connection.transaction():
                came = came_of(act)
                if came != "done" or not kept:
                    _undo()
        except _UndoError:
            pass
        return came

    def new_state(self, object_name: str, owner: int, team: int, company: int, amount: int) -> dict[str, Any]:
        companies = [one for _, one in self.live_records("company")]
        word = "alpha" if amount % 2 else "beta"
        return {
            "label": f"{WORD} {word} {next(_numbers)}",
            "owner": self.one(self.members, owner) if owner % 3 else None,
            "team": self.one(self.judge.teams, team) if self.judge.teams and team % 3 else None,
            "figure": amount if object_name in FIGURES and amount % 5 else None,
            LINK: self.one(companies, company) if companies and object_name != "company" and company % 4 else None,
        }

    def all_records(self) -> list[tuple[str, str]]:
        return [(name, one) for name in OBJECTS for one in self.judge.records.get(name, {})]

    def live_records(self, *names: str) -> list[tuple[str, str]]:
        return [
            (name, one)
            for name, one in self.all_records()
            if name in (names or OBJECTS) and not self.judge.records[name][one].get("trashed")
        ]

    def any_live_record(self, place: int, *names: str) -> tuple[str, str]:
        known = self.live_records(*names)
        return known[place % len(known)]

    def any_record(self, place: int) -> tuple[str, str]:
        known = self.all_records()
        return known[place % len(known)]

    def _grantee(self, place: int) -> tuple[str, str]:
        kinds = {"member": self.members, "role": self.judge.roles, "team": self.judge.teams}
        kind = ("member", "role", "team")[place % 3] if self.judge.teams else ("member", "role")[place % 2]
        return kind, self.one(kinds[kind], place // 3)

    @staticmethod
    def one(known: Any, place: int) -> str:
        names = list(known)
        return str(names[place % len(names)])


def uuid_of(text: str) -> Any:
    """As the builders and verbs take it."""
    return UUID(text)


def payload_of(object_name: str, state: dict[str, Any]) -> dict[str, Any]:
    named = {"last_name": state["label"]} if object_name == "contact" else {"name": state["label"]}
    figure = {FIGURES[object_name]: state["figure"]} if object_name in FIGURES and state["figure"] is not None else {}
    link = {LINK: state[LINK]} if state.get(LINK) else {}
    return {**named, **figure, **link, "owner": state["owner"], "team": state["team"]}
