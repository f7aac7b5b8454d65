"""Random roles, teams, managers, sharing, rules, shares and records: the product answers as the naive judge does."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from itertools import count
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from app.access import catalogs
from app.core.errors import InvalidInput
from app.records.query import ListQuery
from app.records.read import list_records
from app.records.trash import trash_record
from app.records.write import create_record, update_record
from app.rights.explain import explain
from tenants.scope import enter_job
from tests.support.judge import Judge, Person, Role, Rule, Share, Sharing, Team
from tests.support.rights import Person as Member
from tests.support.rights import as_key, as_person, make_role, make_team, share, share_by_default, sharing_rule
from tests.support.rights import make_person as make_member
from tests.support.tenants import PATIENT, owner_of

from .machine import (
    FIGURES,
    LINK,
    OBJECTS,
    WORD,
    came_of,
    carded,
    condition,
    counted,
    got,
    listed,
    searched,
    specs,
    titled,
    told,
)

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


class Rights(RuleBasedStateMachine):
    """One workspace, in one transaction that is never committed."""

    databases: Databases
    tenant: Tenant
    asked = 0
    examples = 0

    def __init__(self) -> None:
        super().__init__()
        Rights.examples += 1
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
        held = list(dict.fromkeys(self._one(self.judge.roles, place) for place in roles))
        teams = [self._one(self.judge.teams, team)] if self.judge.teams and team % 3 else []
        boss = self._one(self.members, manager) if self.members and manager % 3 else None
        made = make_member(
            self.scope,
            *held,
            teams=[_id(one) for one in teams],
            manager=_id(boss) if boss else None,
        )
        key = str(made.id)
        self.members[key] = made
        self.judge.people[key] = Person(held, boss)
        self.judge.belongs |= {(key, one) for one in teams}

    @rule(parent=places, manager=places, queue=st.booleans())
    def make_team(self, parent: int, manager: int, *, queue: bool) -> None:
        above = self._one(self.judge.teams, parent) if self.judge.teams and parent % 2 else None
        boss = self._one(self.members, manager) if manager % 2 else None
        made = make_team(
            self.scope,
            parent=_id(above) if above else None,
            manager=_id(boss) if boss else None,
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

    @precondition(lambda self: self._records())
    @rule(record=places, grantee=places, level=st.sampled_from(("read", "edit")), over=st.booleans())
    def make_share(self, record: int, grantee: int, level: str, *, over: bool) -> None:
        object_name, one = self._record(record)
        kind, name = self._grantee(grantee)
        if any((s.record, s.kind, s.grantee) == (one, kind, name) for s in self.judge.shares):
            return
        share(self.scope, object_name, one, kind, name, level, "-1 hour" if over else "1 hour")
        self.judge.shares.append(Share(object_name, one, kind, name, level, over))

    @rule(object_name=st.sampled_from(OBJECTS), owner=places, team=places, company=places, amount=places)
    def make_record(self, object_name: str, owner: int, team: int, company: int, amount: int) -> None:
        state = self._state(object_name, owner, team, company, amount)
        made = create_record(self.scope, object_name, _payload(object_name, state))
        self.judge.records.setdefault(object_name, {})[str(made["id"])] = state

    # asking

    @rule(who=places)
    def everything_is_seen_as_judged(self, who: int) -> None:
        me = self._one(self.members, who)
        scope = as_person(self.scope, self.members[me])
        for object_name in OBJECTS:
            known = list(self.judge.records.get(object_name, {}))
            if self.judge.level(me, object_name, "read") == "none":
                assert came_of(lambda name=object_name: list_records(scope, name, ListQuery())) == "missing"
                assert got(scope, object_name, known) == set()
                assert titled(scope, object_name, known) == set()
                continue
            seen = self.judge.seen(me, object_name)
            assert listed(scope, object_name) == seen
            assert got(scope, object_name, known) == seen
            assert titled(scope, object_name, known) == seen
            assert told(scope, object_name, known) == seen
            assert counted(scope, object_name) == len(seen)
            assert searched(scope, object_name) == (
                seen if self.judge.field(me, object_name, "name") != "none" else set()
            )
            self._fields_are_as_judged(scope, me, object_name, seen)
            Rights.asked += 7
        if self.judge.level(me, "deal", "read") != "none":
            assert carded(scope) == self.judge.seen(me, "deal")
            Rights.asked += 1

    def _fields_are_as_judged(self, scope: TenantScope, me: str, object_name: str, seen: set[str]) -> None:
        figure = FIGURES.get(object_name)
        if figure is None:
            return
        states = self.judge.records.get(object_name, {})
        if self.judge.field(me, object_name, figure) != "none":
            large = {one for one in seen if (states[one]["figure"] or 0) >= 500}
            assert listed(scope, object_name, f"{figure} >= 500") == large
            return
        for query in (ListQuery(filter=f"{figure} >= 500"), ListQuery(sort=figure), ListQuery(fields=(figure,))):
            with pytest.raises(InvalidInput):
                list_records(scope, object_name, query)
        assert all(figure not in row for row in list_records(scope, object_name, ListQuery(limit=200)).rows)

    @rule(who=places, role=places)
    def a_key_sees_what_its_role_and_its_maker_both_see(self, who: int, role: int) -> None:
        me, key = self._one(self.members, who), self._one(self.judge.roles, role)
        scope = as_key(self.scope, key, self.members[me])
        for object_name in OBJECTS:
            if self.judge.level(me, object_name, "read", key) == "none":
                assert came_of(lambda name=object_name: list_records(scope, name, ListQuery())) == "missing"
                continue
            assert listed(scope, object_name) == self.judge.seen(me, object_name, key)
            figure = FIGURES.get(object_name)
            if figure:
                shown = figure in catalogs.for_scope(scope).objects[object_name].fields
                assert shown == (self.judge.field(me, object_name, figure, key) != "none")
            Rights.asked += 1

    @precondition(lambda self: self._records())
    @rule(who=places, record=places, action=st.sampled_from(("read", "edit", "delete")))
    def why_says_what_was_judged_and_names_what_decides(self, who: int, record: int, action: str) -> None:
        me = self._one(self.members, who)
        object_name, one = self._record(record)
        told_why = explain(self.scope, _id(me), object_name, _id(one), action)
        assert told_why.allowed == self.judge.allows(me, object_name, one, action)
        assert any(reason.opens for reason in told_why.reasons) or not told_why.allowed
        assert told_why.reasons
        Rights.asked += 1

    @precondition(lambda self: self._records())
    @rule(who=places, record=places, owner=places, kept=st.booleans())
    def changing_an_owner_comes_to_what_was_judged(self, who: int, record: int, owner: int, *, kept: bool) -> None:
        me = self._one(self.members, who)
        object_name, one = self._record(record)
        heir = self._one(self.members, owner)
        scope = as_person(self.scope, self.members[me])
        expected = self.judge.outcome(me, object_name, one, "edit", {"owner": heir})
        came = self._act(lambda: update_record(scope, object_name, _id(one), {"owner": heir}), kept=kept)
        assert came == expected
        if kept and came == "done":
            self.judge.records[object_name][one]["owner"] = heir
        Rights.asked += 1

    @precondition(lambda self: self._records())
    @rule(who=places, record=places)
    def deleting_comes_to_what_was_judged(self, who: int, record: int) -> None:
        me = self._one(self.members, who)
        object_name, one = self._record(record)
        if object_name == "company":
            return  # what hangs on it has a say, too
        scope = as_person(self.scope, self.members[me])
        expected = self.judge.outcome(me, object_name, one, "delete")
        assert self._act(lambda: trash_record(scope, object_name, _id(one)), kept=False) == expected
        Rights.asked += 1

    @rule(who=places, object_name=st.sampled_from(OBJECTS), owner=places, team=places)
    def creating_comes_to_what_was_judged(self, who: int, object_name: str, owner: int, team: int) -> None:
        me = self._one(self.members, who)
        state = self._state(object_name, owner, team, 0, 0) | {"figure": None, LINK: None}
        scope = as_person(self.scope, self.members[me])
        expected = self.judge.creation(me, object_name, state)
        payload = _payload(object_name, state)
        assert self._act(lambda: create_record(scope, object_name, payload), kept=False) == expected
        Rights.asked += 1

    # inside

    def _act(self, act: Callable[[], object], *, kept: bool) -> str:
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

    def _state(self, object_name: str, owner: int, team: int, company: int, amount: int) -> dict[str, Any]:
        companies = self.judge.records.get("company", {})
        word = "alpha" if amount % 2 else "beta"
        return {
            "label": f"{WORD} {word} {next(_numbers)}",
            "owner": self._one(self.members, owner) if owner % 3 else None,
            "team": self._one(self.judge.teams, team) if self.judge.teams and team % 3 else None,
            "figure": amount if object_name in FIGURES and amount % 5 else None,
            LINK: self._one(companies, company) if companies and object_name != "company" and company % 4 else None,
        }

    def _records(self) -> list[tuple[str, str]]:
        return [(name, one) for name in OBJECTS for one in self.judge.records.get(name, {})]

    def _record(self, place: int) -> tuple[str, str]:
        known = self._records()
        return known[place % len(known)]

    def _grantee(self, place: int) -> tuple[str, str]:
        kinds = {"member": self.members, "role": self.judge.roles, "team": self.judge.teams}
        kind = ("member", "role", "team")[place % 3] if self.judge.teams else ("member", "role")[place % 2]
        return kind, self._one(kinds[kind], place // 3)

    @staticmethod
    def _one(known: Any, place: int) -> str:
        names = list(known)
        return str(names[place % len(names)])


def _id(text: str) -> Any:
    """As the builders and verbs take it."""
    return UUID(text)


def _payload(object_name: str, state: dict[str, Any]) -> dict[str, Any]:
    named = {"last_name": state["label"]} if object_name == "contact" else {"name": state["label"]}
    figure = {FIGURES[object_name]: state["figure"]} if object_name in FIGURES and state["figure"] is not None else {}
    link = {LINK: state[LINK]} if state.get(LINK) else {}
    return {**named, **figure, **link, "owner": state["owner"], "team": state["team"]}


def _run(
    databases: Databases, tenant: Tenant, examples: int, steps: int, phases: tuple[Phase, ...] = tuple(Phase)
) -> int:
    Rights.databases, Rights.tenant = databases, tenant
    Rights.asked = Rights.examples = 0
    run_state_machine_as_test(
        Rights,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
            phases=phases,
        ),
    )
    return Rights.asked


def test_what_anybody_sees_and_may_do_is_what_a_naive_judge_says(
    databases: Databases, tenant: Tenant, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(databases, tenant, examples=12, steps=30) > 0
    _say(capsys)


@pytest.mark.scale
def test_the_same_over_many_workspaces(
    databases: Databases, tenant: Tenant, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(databases, tenant, examples=400, steps=50) > 1_000
    _say(capsys)


@pytest.mark.scale
@pytest.mark.parametrize(
    ("branch", "answer"),
    [
        ("below_me", set()),
        ("_by_default", False),
        ("_by_queue", False),
        ("_by_row_rule", False),
        ("_by_sharing_rule", False),
        ("_by_share", False),
        ("_by_inheritance", False),
        ("field", "edit"),
    ],
)
def test_a_judge_who_forgets_one_branch_is_found_out(
    databases: Databases, tenant: Tenant, monkeypatch: pytest.MonkeyPatch, branch: str, answer: object
) -> None:
    monkeypatch.setattr(Judge, branch, lambda *_, **__: answer)
    with pytest.raises((AssertionError, InvalidInput, KeyError, BaseExceptionGroup)):
        _run(databases, tenant, examples=150, steps=40, phases=(Phase.generate,))


def _say(capsys: pytest.CaptureFixture[str]) -> None:
    """Said aloud, so that a shrinking proof is seen."""
    with capsys.disabled():
        sys.stdout.write(f"\nrights: {Rights.examples} workspaces made, {Rights.asked} questions, one answer each\n")
