"""What roles should allow, route by route and field by field: the table the matrix test holds the product against.

Written from the documents of the roles, not from the code that reads them: the standard roles stand here a second
time. Levels and unions are the naive judge's; this adds what he does not know: which right a route needs, rights that
concern no object, and which records go as others do.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Final

from tests.support.judge import NEEDS, Judge, Person, Role

_ALL: Final = {
    "read": "all", "create": True, "edit": "all", "delete": "all", "destroy": "all", "export": "all", "import": True,
    "bulk": True,
}  # fmt: skip
_WORK: Final = {**{name: level if level is True else "reach" for name, level in _ALL.items()}, "destroy": "none"}
_READ: Final = {"read": "reach"}

#: name → (objects, fields, special rights)
ROLES: Final[dict[str, tuple[dict[str, Any], dict[str, Any], tuple[str, ...]]]] = {
    "owner": ({"*": _ALL}, {}, (
        "metadata", "members", "rights", "keys", "extensions", "billing", "merge", "support", "workspace")),
    "admin": ({"*": _ALL}, {}, ("metadata", "members", "rights", "keys", "extensions", "merge", "support")),
    "manager": ({"*": {**_WORK, "destroy": "reach"}}, {}, ("merge",)),
    "member": ({"*": _WORK}, {}, ()),
    "read_only": ({"*": _READ}, {}, ()),
    "auditor": ({"*": {"read": "all"}}, {}, ()),
    "seller": (
        {"deal": _WORK, "deal_line": _WORK, "contact": {**_WORK, "delete": "none"}, "company": {**_READ, "edit": "own"},
         "product": _READ, "task": {**_WORK, "read": "own", "edit": "own"}},
        {"deal": {"amount": "none", "close_on": "read"}, "contact": {"email": "none"}, "company": {"industry": "none"},
         "task": {"title": "none"}},
        (),
    ),
    "own_only": ({"*": {**_ALL, "read": "own"}}, {}, ()),
    "desk": ({"task": _WORK, "note": {**_WORK, "export": "none", "bulk": False}, "record_link": _WORK}, {}, ()),
    "importer": ({"*": {"read": "reach", "import": True, "create": True}}, {"deal": {"amount": "read"}}, ()),
    "keeper": ({"*": _READ}, {"company": {"name": "none"}, "deal": {"stage": "none"}}, ("members", "rights", "keys")),
    "nobody": ({}, {}, ()),
}  # fmt: skip
STANDARD: Final = ("owner", "admin", "manager", "member", "read_only")


@dataclass(frozen=True)
class Who:
    """Somebody with roles; with ``key``, an API key of that role they made."""

    roles: tuple[str, ...]
    key: str = ""

    @property
    def name(self) -> str:
        """For reports."""
        return "+".join(self.roles) + (f"/{self.key} key" if self.key else "")


EVERYBODY: Final = (
    *(Who((name,)) for name in ROLES),
    Who(("seller", "desk")), Who(("importer", "keeper")), Who(("own_only", "auditor")), Who(("desk", "read_only")),
    Who(("owner",), "owner"), Who(("owner",), "seller"), Who(("seller",), "admin"), Who(("keeper", "desk"), "seller"),
)  # fmt: skip

#: Details: records that go as others do, by which fields; the first must let itself be changed for them to be.
DETAILS: Final = {
    "affiliation": ("contact", "company"),
    "company_relation": ("company", "company"),
    "deal_contact": ("deal", "contact"),
    "deal_line": ("deal",),
    "record_link": ("note", "company"),
}
#: Fields that go together: the lesser right of the two holds for both.
PAIRS: Final = {"email": "emails", "emails": "email", "phone": "phones", "phones": "phone", "stage": "pipeline",
                "pipeline": "stage"}  # fmt: skip
#: Without these a record is none.
ALWAYS: Final = frozenset({"id", "version", "deleted_at"})

#: (method, rule) → the right, first match; "" needs a credential only.
ROUTES: Final = (
    (r"GET", r"/api/v1/records/lead/.*/convert|/records/lead/.*/convert", "edit"),
    (r"POST", r"/api/v1/records/lead/.*/convert|/records/lead/.*/convert", "edit"),
    (r".*", r"/records/<object_name>/views/.*", "read"),
    (r"GET", r"/records/<object_name>/export.*", "export"),
    (r"POST", r"/records/<object_name>/export.*", "export"),
    (r"POST", r"/(api/v1/)?records/<object_name>/(bulk|owner)|/api/v1/batch", "bulk"),
    (r"POST", r"/api/v1/records/<object_name>|/records/<object_name>/(new|live)", "create"),
    (r"GET", r"/records/<object_name>/new", "create"),
    (r"PUT", r"/api/v1/records/<object_name>/by/.*", "create"),
    (r"PATCH", r"/api/v1/records/<object_name>/.*", "edit"),
    (r"GET", r"/records/<object_name>/<uuid:record_id>/fields/<field_name>/(move|moved|edit)", "edit"),
    (r"POST", r"/records/<object_name>/<uuid:record_id>/(done|live|fields/<field_name>(/move)?)", "edit"),
    (r"POST", r"/records/<object_name>/<uuid:record_id>/activities", "create"),
    (r"DELETE", r"/api/v1/records/<object_name>/<string.*>", "delete"),
    (r"POST", r"(/api/v1)?/records/<object_name>/.*(restore|trash)|/records/<object_name>/(restore|trash)", "delete"),
    (r"GET", r"/trash", "delete"),
    (r"POST", r"/trash/.*/restore", "delete"),
    (r"POST", r"/trash/.*/destroy", "destroy"),
    (r".*", r"/records/<object_name>.*|/api/v1/records/<object_name>.*", "read"),
    (r"GET", r"/|/search|/people|/api/v1/(search|events|members|teams.*)|/settings/members", "read"),
    (r".*", r"(/api/v1)?/imports.*", "import"),
    (r".*", r"(/api/v1)?/exports.*", "export"),
    (r"POST", r"/api/v1/files", "edit"),
    (r"GET", r"(/api/v1)?/files/.*", "read"),
    (r"POST", r"/onboarding/.*", "create"),
    (r"POST", r"/samples/.*", "bulk"),
    (r".*", r"/api/v1/(members|teams).*|/settings/(members|teams).*", "members"),
    (r".*", r"/api/v1/(roles|sharing|audit|access-review).*|/settings/(roles|sharing|audit|access).*", "rights"),
    (r".*", r"/api/v1/keys.*|/settings/keys.*", "keys"),
    (r".*", r"/api/v1/metadata/.*|/settings/(objects|changes|history).*", "metadata"),
    (r".*", r"/settings/(option-sets|currencies|calendars|translations|updates).*", "metadata"),
    (r".*", r"/api/v1/support-grants.*|/settings/support.*", "support"),
    (r".*", r"/api/(docs|v1/(me|metadata|openapi.json))|/preferences|/settings/(profile|sessions.*)", ""),
    (r"POST", r"/session|/sign-out|/support.*", ""),
    (r"GET", r"/session/start", ""),
)  # fmt: skip
SPECIAL: Final = {"members": "members.manage", "rights": "rights.manage", "keys": "keys.manage",
                  "support": "support.grant", "metadata": "metadata.edit"}  # fmt: skip


def right_of(method: str, rule: str) -> str | None:
    """The right a route should need; None for one the table does not know."""
    return next(
        (right for verb, pattern, right in ROUTES if re.fullmatch(verb, method) and re.fullmatch(pattern, rule)), None
    )


def declared_as(right: str) -> str | None:
    """How a guard declares it."""
    return SPECIAL.get(right, f"record.{right}") if right else None


@dataclass
class Table:
    """The answers, for whoever asks."""

    judge: Judge = field(default_factory=Judge)

    def __post_init__(self) -> None:
        """Give the judge the roles and one person for each set of them."""
        for name, (objects, fields, _) in ROLES.items():
            self.judge.roles[name] = Role(dict(objects), {one: dict(levels) for one, levels in fields.items()})
        for who in EVERYBODY:
            self.judge.people["+".join(who.roles)] = Person(list(who.roles))

    def special(self, who: Who) -> set[str]:
        """Rights that concern no object."""
        held = {name for role in who.roles for name in ROLES[role][2]}
        return held & set(ROLES[who.key][2]) if who.key else held

    def passes(self, who: Who, right: str, object_name: str = "") -> bool:
        """Whether a route that needs ``right`` lets them in; of an object they may not read the verb says 404."""
        if not right or right in SPECIAL:
            return not right or right in self.special(who)
        me = "+".join(who.roles)
        if not object_name or self.level(who, object_name, "read") == "none":
            return any(self._holds(me, who.key, right, name) for name in self._named(who))
        return self._holds(me, who.key, right, object_name)

    def level(self, who: Who, object_name: str, action: str) -> str:
        """How far an action goes."""
        return self.judge.level("+".join(who.roles), object_name, action, who.key)

    def field(self, who: Who, object_name: str, name: str, targets: tuple[str, ...] = ()) -> str:
        """What they may do with a field; one that links only to what they may not read is not there."""
        if targets and all(self.level(who, target, "read") == "none" for target in targets):
            return "none"
        me = "+".join(who.roles)
        found = [self.judge.field(me, object_name, one, who.key) for one in (name, PAIRS.get(name, name))]
        least = min(found, key=("none", "read", "edit").index)
        return "read" if name in ALWAYS and least == "none" else least

    def reaches_the_owners(self, who: Who, object_name: str, action: str = "read") -> bool:
        """Whether they reach a record of the workspace's owner, sharing being open to everyone."""
        level = self.level(who, object_name, action)
        if object_name in DETAILS and level in ("own", "reach"):
            first, *others = DETAILS[object_name]
            return self.reaches_the_owners(who, first, action) and all(self.reaches_the_owners(who, o) for o in others)
        return level in ("reach", "all") or (level == "own" and "owner" in who.roles)

    def _holds(self, me: str, key: str, right: str, name: str) -> bool:
        if right in NEEDS:
            return self.judge.level(me, name, right, key) != "none"
        return self.judge.may(me, name, right, key)

    def _named(self, who: Who) -> set[str]:
        roles = (*who.roles, *([who.key] if who.key else []))
        return {"*", *(name for role in roles for name in ROLES[role][0])}
