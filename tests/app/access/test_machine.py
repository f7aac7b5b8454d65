"""Random roles, teams, managers, sharing, rules, shares and records: the product answers as the naive judge does."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule, run_state_machine_as_test

from app.core.errors import InvalidInput
from app.records.bulk import bulk
from app.records.query import ListQuery
from app.records.read import list_records
from app.records.trash import destroy_record, restore_record, trash_record
from app.records.write import create_record, update_record
from app.rights.explain import explain
from tests.support.judge import Judge
from tests.support.rights import as_key, as_person

from .machine import (
    CODES,
    FIGURES,
    LINK,
    LINKS,
    OBJECTS,
    came_of,
    carded,
    counted,
    fed,
    got,
    links_of,
    listed,
    seal,
    searched,
    titled,
    told,
)
from .world import World, payload_of, places, uuid_of

if TYPE_CHECKING:
    from app.core.db import Databases
    from tenants.scope import Tenant, TenantScope


class Rights(World):
    """What anybody asks and does there."""

    asked = 0

    @rule(who=places)
    def everything_is_seen_as_judged(self, who: int) -> None:
        me = self.one(self.members, who)
        self._all_is_as_judged(as_person(self.scope, self.members[me]), me)

    @rule(who=places, role=places)
    def a_key_sees_what_its_role_and_its_maker_both_see(self, who: int, role: int) -> None:
        me, key = self.one(self.members, who), self.one(self.judge.roles, role)
        self._all_is_as_judged(as_key(self.scope, key, self.members[me]), me, key)

    def _all_is_as_judged(self, scope: TenantScope, me: str, key: str = "") -> None:
        for object_name in OBJECTS:
            known = list(self.judge.records.get(object_name, {}))
            if self.judge.level(me, object_name, "read", key) == "none":
                assert came_of(lambda name=object_name: list_records(scope, name, ListQuery())) == "missing"
                assert got(scope, object_name, known) == set()
                assert titled(scope, object_name, known) == set()
                continue
            seen = self.judge.seen(me, object_name, key)
            binned = self.judge.seen(me, object_name, key, trashed=True)
            live = [one for one in known if not self.judge.records[object_name][one].get("trashed")]
            assert listed(scope, object_name) == seen
            assert listed(scope, object_name, trash="only") == binned
            if self.judge.level(me, object_name, "export", key) != "none":  # the right itself is asked at the edge
                taken = self.judge.seen(me, object_name, key, action="export")
                assert listed(scope, object_name, action="export") == taken
            assert got(scope, object_name, known) == seen
            assert titled(scope, object_name, live) == seen
            assert told(scope, object_name, known) == seen | binned
            assert counted(scope, object_name) == len(seen)
            named = self.judge.field(me, object_name, "name", key) != "none"
            assert searched(scope, object_name) == (seen if named else set())
            self._fields_are_as_judged(scope, me, object_name, seen, key)
            Rights.asked += 9
        if self.judge.level(me, "deal", "read", key) != "none":
            assert carded(scope) == self.judge.seen(me, "deal", key)
            Rights.asked += 1

    def _fields_are_as_judged(self, scope: TenantScope, me: str, object_name: str, seen: set[str], key: str) -> None:
        figure = FIGURES.get(object_name)
        if figure is None:
            return
        states = self.judge.records.get(object_name, {})
        if self.judge.field(me, object_name, figure, key) != "none":
            large = {one for one in seen if (states[one]["figure"] or 0) >= 500}
            assert listed(scope, object_name, f"{figure} >= 500") == large
            return
        for query in (ListQuery(filter=f"{figure} >= 500"), ListQuery(sort=figure), ListQuery(fields=(figure,))):
            with pytest.raises(InvalidInput):
                list_records(scope, object_name, query)
        assert all(figure not in row for row in list_records(scope, object_name, ListQuery(limit=200)).rows)

    @rule(who=places, role=places, keyed=st.booleans())
    def the_feed_tells_what_is_judged(self, who: int, role: int, *, keyed: bool) -> None:
        me, key = self.one(self.members, who), self.one(self.judge.roles, role) if keyed else ""
        seal(self.scope)
        expected: list[tuple[str, list[str]]] = []
        leading = links_of(self.scope, OBJECTS)
        for event in fed(self.scope):
            name = event["object"]
            if name not in OBJECTS or self.judge.level(me, name, "read", key) == "none":
                continue
            hidden = {field for field, to in leading[name].items() if self._read_none(me, to, key)}
            if self.judge.field(me, name, FIGURES.get(name, ""), key) == "none":
                hidden.add(FIGURES.get(name, ""))
            told_of = sorted((event["diff"] or {}).keys() - hidden)
            if self.judge.is_told(me, name, event["record_id"], key) and (told_of or not event["diff"]):
                expected.append((event["id"], told_of))
        answer = fed(self._asking(me, key))
        assert [(e["id"], sorted(e["diff"] or {})) for e in answer if e["object"] in OBJECTS] == expected
        Rights.asked += 1

    def _read_none(self, me: str, objects: tuple[str, ...], key: str) -> bool:
        """Whether a link leads to nothing one may read: then it is no field of one's."""
        return all(self.judge.level(me, one, "read", key) == "none" for one in objects)

    @precondition(lambda self: self.all_records())
    @rule(who=places, record=places, action=st.sampled_from(("read", "edit", "delete", "destroy", "export")))
    def why_says_what_was_judged_and_names_what_decides(self, who: int, record: int, action: str) -> None:
        me = self.one(self.members, who)
        object_name, one = self.any_record(record)
        if self.judge.records[object_name][one].get("trashed"):
            return
        told_why = explain(self.scope, uuid_of(me), object_name, uuid_of(one), action)
        assert told_why.allowed == self.judge.allows(me, object_name, one, action)
        assert any(reason.opens for reason in told_why.reasons) or not told_why.allowed
        assert told_why.reasons
        Rights.asked += 1

    @precondition(lambda self: self.live_records())
    @rule(who=places, key=places, record=places, owner=places, kept=st.booleans())
    def changing_an_owner_comes_to_what_was_judged(
        self, who: int, key: int, record: int, owner: int, *, kept: bool
    ) -> None:
        me, name = self.one(self.members, who), self._key(key)
        object_name, one = self.any_live_record(record)
        heir = self.one(self.members, owner)
        expected = self.judge.outcome(me, object_name, one, "edit", {"owner": heir}, name)
        came = self.act(
            lambda: update_record(self._asking(me, name), object_name, uuid_of(one), {"owner": heir}), kept=kept
        )
        assert came == expected
        if kept and came == "done":
            self.judge.records[object_name][one]["owner"] = heir
        Rights.asked += 1

    @precondition(lambda self: self.live_records())
    @rule(who=places, key=places, record=places, value=st.integers(0, 1_000), kept=st.booleans())
    def changing_a_figure_comes_to_what_was_judged(
        self, who: int, key: int, record: int, value: int, *, kept: bool
    ) -> None:
        me, name = self.one(self.members, who), self._key(key)
        object_name, one = self.any_live_record(record)
        figure = FIGURES.get(object_name)
        if figure is None:
            return
        expected = self.judge.writing(me, object_name, one, figure, {"figure": value}, name)
        came = self.act(
            lambda: update_record(self._asking(me, name), object_name, uuid_of(one), {figure: value}), kept=kept
        )
        assert came == expected
        if kept and came == "done":
            self.judge.records[object_name][one]["figure"] = value
        Rights.asked += 1

    @precondition(lambda self: self.live_records("company") and self.live_records("contact", "deal"))
    @rule(who=places, key=places, record=places, company=places, kept=st.booleans())
    def linking_comes_to_what_was_judged(self, who: int, key: int, record: int, company: int, *, kept: bool) -> None:
        me, name = self.one(self.members, who), self._key(key)
        object_name, one = self.any_live_record(record, "contact", "deal")
        _, target = self.any_live_record(company, "company")
        stays = self.judge.records[object_name][one][LINK] == target
        dead = self.judge.level(me, "company", "read", name) == "none" or (
            not stays and target not in self.judge.seen(me, "company", name)
        )
        expected = self.judge.writing(me, object_name, one, LINK, {LINK: target}, name, dead=dead)
        came = self.act(
            lambda: update_record(self._asking(me, name), object_name, uuid_of(one), {LINK: target}), kept=kept
        )
        assert came == expected
        if kept and came == "done":
            self.judge.records[object_name][one][LINK] = target
        Rights.asked += 1

    @precondition(lambda self: self.all_records())
    @rule(who=places, key=places, record=places, kept=st.booleans())
    def trashing_comes_to_what_was_judged(self, who: int, key: int, record: int, *, kept: bool) -> None:
        me, name = self.one(self.members, who), self._key(key)
        object_name, one = self.any_record(record)
        expected = self.judge.trashing(me, object_name, one, name)
        came = self.act(lambda: trash_record(self._asking(me, name), object_name, uuid_of(one)), kept=kept)
        assert came == expected
        if kept and came == "done":
            self.judge.trash(object_name, one, LINKS.get(object_name, {}))
        Rights.asked += 1

    @precondition(lambda self: self.all_records())
    @rule(who=places, key=places, record=places, kept=st.booleans())
    def restoring_comes_to_what_was_judged(self, who: int, key: int, record: int, *, kept: bool) -> None:
        me, name = self.one(self.members, who), self._key(key)
        object_name, one = self.any_record(record)
        expected = self.judge.outcome(me, object_name, one, "delete", key=name)
        came = self.act(lambda: restore_record(self._asking(me, name), object_name, uuid_of(one)), kept=kept)
        assert came == expected
        if kept and came == "done":
            self.judge.restore(object_name, one, LINKS.get(object_name, {}))
        Rights.asked += 1

    @precondition(lambda self: self.all_records())
    @rule(who=places, key=places, record=places, kept=st.booleans())
    def destroying_comes_to_what_was_judged(self, who: int, key: int, record: int, *, kept: bool) -> None:
        me, name = self.one(self.members, who), self._key(key)
        object_name, one = self.any_record(record)
        expected = self.judge.outcome(me, object_name, one, "destroy", key=name)
        came = self.act(lambda: destroy_record(self._asking(me, name), object_name, uuid_of(one)), kept=kept)
        assert came == expected
        if kept and came == "done":
            self.judge.destroy(object_name, one, LINKS.get(object_name, {}))
        Rights.asked += 1

    @rule(who=places, key=places, object_name=st.sampled_from(OBJECTS), owner=places, team=places)
    def creating_comes_to_what_was_judged(self, who: int, key: int, object_name: str, owner: int, team: int) -> None:
        me, name = self.one(self.members, who), self._key(key)
        state = self.new_state(object_name, owner, team, 0, 0) | {"figure": None, LINK: None}
        expected = self.judge.creation(me, object_name, state, name)
        payload = payload_of(object_name, state)
        came = self.act(lambda: create_record(self._asking(me, name), object_name, payload), kept=False)
        assert came == expected
        Rights.asked += 1

    @precondition(lambda self: self.live_records())
    @rule(who=places, object_name=st.sampled_from(OBJECTS), owner=places)
    def changing_many_owners_comes_to_what_was_judged_of_each(self, who: int, object_name: str, owner: int) -> None:
        me, heir = self.one(self.members, who), self.one(self.members, owner)
        records = [one for _, one in self.live_records(object_name)]
        scope = as_person(self.scope, self.members[me])
        rows = [{"id": one, "owner": heir} for one in records]
        came: list[str] = []

        def change() -> None:
            results = bulk(scope, object_name, rows, mode="update")["results"]
            came.extend(row["errors"][0]["code"] if row["status"] == "failed" else "done" for row in results)

        refused = self.act(change, kept=False)
        expected = self.judge.bulk_refusal(me, object_name, "edit")
        if expected or not rows:
            assert refused == (expected or refused)
            return
        judged = [self.judge.outcome(me, object_name, one, "edit", {"owner": heir}) for one in records]
        assert [CODES.get(code, code) for code in came] == judged
        Rights.asked += len(rows)

    def _asking(self, me: str, key: str) -> TenantScope:
        return as_key(self.scope, key, self.members[me]) if key else as_person(self.scope, self.members[me])

    def _key(self, place: int) -> str:
        """A role of a key, for every fourth who acts."""
        return self.one(self.judge.roles, place // 4) if place % 4 == 0 else ""


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
    assert _run(databases, tenant, examples=10, steps=25) > 0
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
        _run(databases, tenant, examples=400, steps=40, phases=(Phase.generate,))


def _say(capsys: pytest.CaptureFixture[str]) -> None:
    """Said aloud, so that a shrinking proof is seen."""
    with capsys.disabled():
        sys.stdout.write(f"\nrights: {Rights.examples} workspaces made, {Rights.asked} questions, one answer each\n")
