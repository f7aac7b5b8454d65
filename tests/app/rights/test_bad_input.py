"""Whatever is sent to the routes of people and rights, the answer names what is wrong; none breaks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .conftest import Office

ID = "01a20400-0000-7000-8000-000000000000"
ODD: tuple[Any, ...] = (
    "",
    "\0",
    "x\0y",
    "x" * 5000,
    "😀",
    "'; drop table member; --",
    -1,
    None,
    [],
    {},
    True,
)
ROUTES: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("POST", "/teams", {"name": "T", "parent": None, "manager": None, "queue": False}),
    ("PATCH", "/teams/{team}", {"name": "T", "parent": None, "manager": None}),
    ("PUT", "/teams/{team}/members/{owner}", {}),
    ("POST", "/roles", {"label": "L", "help": "", "objects": {}, "fields": {}, "rows": {}, "special": [], "name": "n"}),
    ("POST", "/roles", {"label": "L", "objects": {"deal": {"read": "all"}}, "copy_of": "member"}),
    ("PUT", "/roles/{role}", {"label": "L", "objects": {"*": {}}, "rows": {"deal": {"read": "owner == me"}}}),
    ("PUT", "/sharing/deal", {"read": "team", "edit": "team", "inherit": "company"}),
    ("POST", "/sharing/rules", {"object": "deal", "name": "R", "condition": "amount > 1", "level": "read",
                                "grantee": {"kind": "role", "id": "member"}}),
    ("POST", "/records/deal/{deal}/shares", {"grantee": {"kind": "role", "id": "member"}, "level": "read",
                                             "expires_at": "2099-01-01T00:00:00Z", "collaborator": False}),
    ("PATCH", "/members/{owner}", {"role": "owner", "roles": [], "manager": None}),
    ("POST", "/members/invitations", {"email": "a@example.test", "role": "member", "roles": [], "name": "", "days": 3}),
)  # fmt: skip


@pytest.fixture
def ids(office: Office) -> dict[str, str]:
    team = office.api.post("/teams", {"name": "Team"})["id"]
    role = office.api.post("/roles", {"label": "Own role", "objects": {"*": {"read": "own"}}})["name"]
    deal = office.api.post("/records/deal", {"name": "Deal"})["id"]
    return {"team": team, "role": role, "deal": deal, "owner": str(office.owner.id)}


def test_odd_values_of_each_field_are_refused_by_name_or_taken(office: Office, ids: dict[str, str]) -> None:
    for method, path, body in ROUTES:
        address = path.format(**ids)
        for name in body:
            for odd in ODD:
                answer = office.api.call(method, address, {**body, name: odd})
                assert answer.status_code < 500, f"{method} {path} {name}={odd!r}: {answer.text[:300]}"
                assert answer.status_code != 422 or answer.json["errors"], f"{method} {path} {name}={odd!r}"
        for whole in (b"", b"[]", b"null", b'"x"', b"{", b"\xff", b'{"surprise": 1}'):
            answer = office.api.call(method, address, whole)
            assert answer.status_code < 500, f"{method} {path} {whole!r}: {answer.text[:300]}"


def test_odd_questions_are_refused(office: Office, ids: dict[str, str]) -> None:
    asked = {
        "/audit": ("group", "actor", "actor_kind", "object", "record", "since", "until", "limit", "cursor"),
        f"/records/deal/{ids['deal']}/access": ("member", "action"),
        "/sharing/rules": ("object",),
        f"/roles/{ids['role']}": ("compare",),
    }
    for path, names in asked.items():
        for name in (*names, "surprise"):
            for odd in ("\0", "x" * 300, "-1", "0001-01-01", "99999-01-01", ID, "%"):
                answer = office.api.call("GET", path, query={name: odd})
                assert answer.status_code < 500, f"{path}?{name}={odd!r}: {answer.text[:300]}"


def test_files_of_invitations_that_are_none_are_refused(office: Office) -> None:
    for data in (
        b"",
        b"\xff\xfe",
        b"name\nx",
        b"email\n",
        b"email\n" + b"a@example.test\n" * 201,
        b"email\n\0\n",
        b'email\n"',
    ):
        answer = office.api.call("POST", "/members/invitations/bulk", data)
        assert answer.status_code in (200, 422), answer.text
