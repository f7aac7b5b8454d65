"""A naive judge of rights: who may see and do what, in plain Python over dicts.

Written from the rules as people read them, never from the SQL that enforces them, so that the two can be compared.
Everything is looked at one record at a time; nothing is cached, nothing is clever.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

Record = dict[str, Any]
#: What a role's level for an action may be, weakest first.
LEVELS = ("none", "own", "reach", "all")
FIELD_LEVELS = ("none", "read", "edit")
#: Which of the two reaches (sharing, rules and shares know only these) an action needs.
NEEDS = {"read": "read", "edit": "edit", "delete": "edit", "destroy": "edit", "export": "read"}


@dataclass
class Person:
    """A member: roles, whom they report to."""

    roles: list[str]
    manager: str | None = None


@dataclass
class Team:
    """A team: the one above, who manages it, whether it is a queue."""

    parent: str | None = None
    manager: str | None = None
    queue: bool = False


@dataclass
class Sharing:
    """Who sees and changes an object's records by default, and through which link they follow another record."""

    read: str = "everyone"
    edit: str = "everyone"
    inherit: str | None = None
    inherits_from: str = ""


@dataclass
class Rule:
    """Records that meet a condition are shared with a team, a role or a member."""

    object: str
    condition: Callable[[Record, str], bool]
    kind: str
    grantee: str
    level: str


@dataclass
class Share:
    """One record given to somebody by hand."""

    object: str
    record: str
    kind: str
    grantee: str
    level: str
    expired: bool = False


@dataclass
class Role:
    """A role: per object its levels (``*`` for the rest), hidden and read-only fields, row rules."""

    objects: dict[str, dict[str, Any]] = field(default_factory=dict)
    fields: dict[str, dict[str, str]] = field(default_factory=dict)
    rows: dict[str, dict[str, Callable[[Record, str], bool]]] = field(default_factory=dict)


@dataclass
class Judge:
    """The whole world of one workspace, and the verdicts over it."""

    people: dict[str, Person] = field(default_factory=dict)
    teams: dict[str, Team] = field(default_factory=dict)
    belongs: set[tuple[str, str]] = field(default_factory=set)
    roles: dict[str, Role] = field(default_factory=dict)
    sharing: dict[str, Sharing] = field(default_factory=dict)
    rules: list[Rule] = field(default_factory=list)
    shares: list[Share] = field(default_factory=list)
    records: dict[str, dict[str, Record]] = field(default_factory=dict)

    # objects and fields

    def level(self, me: str, object_name: str, action: str, key: str = "") -> str:
        """The strongest level any of my roles has for the action; with a key of mine what both allow."""
        ways = [[self._role_level(role, object_name, action) for role in way] for way in self._ways(me, key)]
        return min((max(levels, key=LEVELS.index, default="none") for levels in ways), key=LEVELS.index)

    def may(self, me: str, object_name: str, action: str, key: str = "") -> bool:
        """Whether any of my roles allows the action at all (create, import and bulk are yes or no)."""
        return all(
            any(
                bool(self._spec(role, object_name).get(action))
                for role in way
                if self._role_level(role, object_name, "read") != "none"
            )
            for way in self._ways(me, key)
        )

    def field(self, me: str, object_name: str, name: str, key: str = "") -> str:
        """What I may do with a field: the most any role allows that lets me read the object."""
        found: list[str] = []
        for way in self._ways(me, key):
            reading = [role for role in way if self._role_level(role, object_name, "read") != "none"]
            said = [self._role_field(role, object_name, name) for role in reading]
            found.append(max(said, key=FIELD_LEVELS.index, default="none"))
        return min(found, key=FIELD_LEVELS.index)

    # records

    def outcome(
        self, me: str, object_name: str, record: str, action: str, changes: Record | None = None, key: str = ""
    ) -> str:
        """What comes of an act: done, forbidden, missing (not there for me), or leaves (my reach: to be confirmed).

        A right I hold nowhere is refused at once; else an object I may not read is not there for me; else a right I
        don't hold with it is refused, whatever the record.
        """
        if self.level(me, object_name, "read", key) == "none":
            return "missing" if self._anywhere(me, action, key) else "forbidden"
        if self.level(me, object_name, action, key) == "none":
            return "forbidden"
        if not self.allows(me, object_name, record, "read", key):
            return "missing"
        if not self.allows(me, object_name, record, action, key):
            return "forbidden"
        after = self.records[object_name][record] | (changes or {})
        return "done" if not changes or self.allows_state(me, object_name, record, after, "edit", key) else "leaves"

    def creation(self, me: str, object_name: str, state: Record, key: str = "") -> str:
        """What comes of creating a record: whoever may edit must reach it afterwards, else whoever may read."""
        if self.level(me, object_name, "read", key) == "none":
            return "missing" if self._anywhere(me, "create", key) else "forbidden"
        if not self.may(me, object_name, "create", key):
            return "forbidden"
        action = "edit" if self.level(me, object_name, "edit", key) != "none" else "read"
        return "done" if self.allows_state(me, object_name, "", state, action, key) else "leaves"

    def bulk_refusal(self, me: str, object_name: str, action: str) -> str:
        """Why I may not do it to many at once at all; "" when that is asked of each record."""
        if self.level(me, object_name, "read") == "none":
            return "missing" if self._anywhere(me, "bulk") else "forbidden"
        return (
            "" if self.may(me, object_name, "bulk") and self.level(me, object_name, action) != "none" else "forbidden"
        )

    def trashing(self, me: str, object_name: str, record: str, key: str = "") -> str:
        """What comes of moving a record to the trash: one that is there already is no longer there."""
        came = self.outcome(me, object_name, record, "delete", key=key)
        held = self.level(me, object_name, "delete", key) != "none"
        return "missing" if held and self.records[object_name][record].get("trashed") else came

    def writing(
        self, me: str, object_name: str, record: str, name: str, changes: Record, key: str = "", *, dead: bool = False
    ) -> str:
        """What comes of writing a field: one I may not write, or a link to nothing I see, is a mistake."""
        came = self.outcome(me, object_name, record, "edit", changes, key)
        if came in ("missing", "forbidden"):
            return came
        return "invalid" if dead or self.field(me, object_name, name, key) != "edit" else came

    def seen(
        self, me: str, object_name: str, key: str = "", *, action: str = "read", trashed: bool = False
    ) -> set[str]:
        """The ids of all records of the object I may see, or a key of mine with that role; of the trash, if said so."""
        states = self.records.get(object_name, {})
        return {
            one
            for one, state in states.items()
            if bool(state.get("trashed")) == trashed and self.allows(me, object_name, one, action, key)
        }

    def sees_every_record(self, me: str, object_name: str, key: str = "") -> bool:
        """Whether no record could be kept from me, not one that is gone either."""
        default = self.sharing.get(object_name, Sharing()).read
        level = self.level(me, object_name, "read", key)
        return level == "all" or (level == "reach" and default == "everyone")

    def is_told(self, me: str, object_name: str, record: str, key: str = "") -> bool:
        """Whether the log tells me of a record: one I see, live or not; of one that is gone only if I saw them all."""
        if record not in self.records.get(object_name, {}):
            return self.sees_every_record(me, object_name, key)
        return self.allows(me, object_name, record, "read", key)

    # the life of records

    def trash(self, object_name: str, record: str, links: dict[str, str]) -> None:
        """The record goes to the trash; live records that pointed to it by ``links`` (object → field) no longer do."""
        gone = self.records[object_name][record]
        gone["trashed"] = True
        gone["cleared"] = [
            (name, one)
            for name, link in links.items()
            for one, state in self.records.get(name, {}).items()
            if state.get(link) == record and not state.get("trashed")
        ]
        for name, one in gone["cleared"]:
            self.records[name][one][links[name]] = None

    def restore(self, object_name: str, record: str, links: dict[str, str]) -> None:
        """It comes back, and with it links to it that are live and still empty."""
        back = self.records[object_name][record]
        if not back.get("trashed"):
            return
        back["trashed"] = False
        for name, one in back.pop("cleared"):
            state = self.records[name].get(one)
            if state is not None and not state.get("trashed") and state[links[name]] is None:
                state[links[name]] = record

    def destroy(self, object_name: str, record: str, links: dict[str, str]) -> None:
        """It is gone for good, and nothing points to it any more."""
        del self.records[object_name][record]
        for name, link in links.items():
            for state in self.records.get(name, {}).values():
                if state.get(link) == record:
                    state[link] = None

    def allows(self, me: str, object_name: str, record: str, action: str, key: str = "") -> bool:
        """Whether I may do it to that record; what I may not see I may not touch either."""
        found = self.records[object_name][record]
        if action != "read" and not self.allows_state(me, object_name, record, found, "read", key):
            return False
        return self.allows_state(me, object_name, record, found, action, key)

    def allows_state(self, me: str, object_name: str, record: str, state: Record, action: str, key: str = "") -> bool:
        """The same for the state a record would be in; with a key its role must let me, too."""
        return all(
            any(self._by_role(role, way, me, object_name, record, state, action, key) for role in way)
            for way in self._ways(me, key)
        )

    # who belongs where

    def my_teams(self, me: str) -> set[str]:
        """Teams I belong to or manage, and all below them."""
        mine = {team for member, team in self.belongs if member == me}
        mine |= {name for name, team in self.teams.items() if team.manager == me}
        return {name for name in self.teams if mine & set(self._line(name))}

    def below_me(self, me: str) -> set[str]:
        """Everybody who reports to me, over however many steps."""
        found: set[str] = set()
        for other in self.people:
            above = self.people[other].manager
            for _ in self.people:
                if above is None:
                    break
                if above == me:
                    found.add(other)
                above = self.people[above].manager
        return found - {me}

    # inside

    def _ways(self, me: str, key: str) -> list[list[Role]]:
        """Sets of roles that must all allow it: mine, and the one of a key of mine."""
        return [self._my_roles(me), *([[self.roles[key]]] if key else [])]

    def _my_roles(self, me: str) -> list[Role]:
        return [self.roles[name] for name in self.people[me].roles if name in self.roles]

    @staticmethod
    def _spec(role: Role, object_name: str) -> dict[str, Any]:
        return role.objects.get(object_name, role.objects.get("*", {}))

    def _anywhere(self, me: str, action: str, key: str = "") -> bool:
        """Whether I hold a right with any object."""
        named = {name for way in self._ways(me, key) for role in way for name in role.objects}
        return any(
            self.level(me, name, action, key) != "none" if action in NEEDS else self.may(me, name, action, key)
            for name in ("*", *named)
        )

    def _role_field(self, role: Role, object_name: str, name: str) -> str:
        """A role that writes nothing lets no field be written."""
        said = role.fields.get(object_name, {}).get(name, "edit")
        spec = self._spec(role, object_name)
        writes = self._role_level(role, object_name, "edit") != "none" or bool(spec.get("create"))
        return "read" if said == "edit" and not writes else said

    def _role_level(self, role: Role, object_name: str, action: str) -> str:
        """A role changes nothing it can't read."""
        spec = self._spec(role, object_name)
        return str(min(spec.get("read", "none"), spec.get(action, "none"), key=LEVELS.index))

    def _by_role(
        self, role: Role, way: list[Role], me: str, object_name: str, record: str, state: Record, action: str, key: str
    ) -> bool:
        level = self._role_level(role, object_name, action)
        if level == "all":
            return True
        if level == "own":
            return state.get("owner") == me
        return level == "reach" and self._reaches(way, me, object_name, record, state, action, key)

    def _reaches(
        self, way: list[Role], me: str, object_name: str, record: str, state: Record, action: str, key: str
    ) -> bool:
        need = NEEDS[action]
        return (
            state.get("owner") == me
            or self._by_default(me, object_name, state, need)
            or self._by_queue(me, state)
            or any(self._by_row_rule(role, me, object_name, state, need) for role in way)
            or self._by_sharing_rule(me, object_name, state, need)
            or self._by_share(me, object_name, record, need)
            or self._by_inheritance(me, object_name, state, action, key)
        )

    def _by_default(self, me: str, object_name: str, state: Record, need: str) -> bool:
        sharing = self.sharing.get(object_name, Sharing())
        default = sharing.read if need == "read" else sharing.edit
        if default == "everyone":
            return True
        in_team = state.get("team") in self.my_teams(me)
        if default == "team":
            return in_team
        return default == "hierarchy" and (in_team or state.get("owner") in self.below_me(me))

    def _by_queue(self, me: str, state: Record) -> bool:
        """What waits in a queue is open to all who serve it."""
        team = state.get("team")
        return state.get("owner") is None and team in self.my_teams(me) and self.teams[team].queue

    def _by_row_rule(self, role: Role, me: str, object_name: str, state: Record, need: str) -> bool:
        """What a role's conditions open, where the role goes as far as reach; one for editing is one for reading, too.

        They widen what I reach; how far I go within it is what all my roles say together.
        """
        rules = role.rows.get(object_name, {})
        far = LEVELS.index("reach")
        edits = LEVELS.index(self._role_level(role, object_name, "edit")) >= far
        reads = LEVELS.index(self._role_level(role, object_name, "read")) >= far
        wanted = [rules.get("edit") if edits else None, rules.get("read") if need == "read" and reads else None]
        return any(rule(state, me) for rule in wanted if rule is not None)

    def _by_sharing_rule(self, me: str, object_name: str, state: Record, need: str) -> bool:
        return any(
            rule.object == object_name
            and enough(rule.level, need)
            and self._is_grantee(me, rule.kind, rule.grantee)
            and rule.condition(state, me)
            for rule in self.rules
        )

    def _by_share(self, me: str, object_name: str, record: str, need: str) -> bool:
        return any(
            share.object == object_name
            and share.record == record
            and not share.expired
            and enough(share.level, need)
            and self._is_grantee(me, share.kind, share.grantee)
            for share in self.shares
        )

    def _by_inheritance(self, me: str, object_name: str, state: Record, action: str, key: str) -> bool:
        sharing = self.sharing.get(object_name, Sharing())
        parent = state.get(sharing.inherit) if sharing.inherit else None
        if parent is None:
            return False
        above = self.records[sharing.inherits_from][parent]
        return self.allows_state(me, sharing.inherits_from, parent, above, action, key)

    def _is_grantee(self, me: str, kind: str, grantee: str) -> bool:
        if kind == "member":
            return grantee == me
        if kind == "role":
            return grantee in self.people[me].roles
        return grantee in self.my_teams(me)

    def _line(self, team: str) -> list[str]:
        """The team and all above it."""
        found: list[str] = []
        at: str | None = team
        while at is not None and at not in found:
            found.append(at)
            at = self.teams[at].parent
        return found


def enough(has: str, need: str) -> bool:
    """Whoever may edit may read."""
    return has == "edit" or need == "read"
