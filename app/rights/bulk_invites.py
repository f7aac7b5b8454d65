"""Inviting many colleagues from a CSV: ``email``, and if it has them ``name``, ``role`` (or ``roles``) and ``team``."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from app.access import teams
from app.access.policy import role_names
from app.core.errors import FieldError, InvalidInput, RapportError
from app.http.ratelimit import Bucket
from app.rights import granting

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from uuid import UUID

    from app.core.ports import Runtime
    from tenants.scope import TenantScope

MAX_ROWS: Final = 200
#: Whole files: ten at once, then one each six minutes.
LIMIT: Final = Bucket(10, 10 / 3600)
COLUMNS: Final = ("email", "name", "role", "team")
_ALSO: Final = {"e-mail": "email", "mail": "email", "roles": "role", "full name": "name", "teams": "team"}
#: A file of so many rows is written in one transaction; each row takes a few statements.
_PATIENCE: Final = 20.0


@dataclass(frozen=True, slots=True)
class Wanted:
    """A row of the file; ``row`` counts the header as 1."""

    row: int
    email: str
    name: str = ""
    roles: tuple[str, ...] = ("member",)
    team: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a row: ``status`` is invited or failed."""

    row: int
    email: str
    status: str
    message: str = ""
    url: str = ""

    def public(self) -> dict[str, Any]:
        """The API's form."""
        found: dict[str, Any] = {"row": self.row, "email": self.email, "status": self.status}
        return found | ({"error": self.message} if self.message else {"url": self.url})


def read_rows(data: bytes) -> list[Wanted]:
    """The rows of a CSV with a header; several roles are separated by ``;`` or ``|``.

    Raises:
        InvalidInput: no text, no e-mail column, no rows or too many.
    """
    try:
        text = data.decode("utf-8-sig").replace("\0", "")
    except UnicodeDecodeError as error:
        raise _refused("The file is not UTF-8 text.") from error
    lines = text.splitlines()
    if not lines:
        raise _refused("The file is empty.")
    delimiter = max(",;\t", key=lines[0].count)
    try:
        rows = list(csv.reader(io.StringIO(text), delimiter=delimiter))
    except csv.Error as error:
        raise _refused("This is no CSV.") from error
    header = [_ALSO.get(name.strip().lower(), name.strip().lower()) for name in rows[0]]
    if "email" not in header:
        raise _refused("The first line names the columns; one of them is email.")
    found = [
        _wanted(number, dict(zip(header, row, strict=False)))
        for number, row in enumerate(rows[1:], start=2)
        if any(cell.strip() for cell in row)
    ]
    if not found or len(found) > MAX_ROWS:
        raise _refused(f"A file has 1 to {MAX_ROWS} rows below its header.")
    return found


def invite_all(runtime: Runtime, scope: TenantScope, rows: Iterable[Wanted]) -> list[Result]:
    """Invite each row for itself; what is wrong with one keeps none of the others back."""
    scope.deadline += _PATIENCE
    labels = {label.lower(): name for name, label in role_names(scope)}
    known = {team.name.lower(): team.id for team in teams.list_teams(scope)}
    seen: set[str] = set()
    results: list[Result] = []
    for row in rows:
        twice = row.email.lower() in seen
        seen.add(row.email.lower())
        results.append(
            Result(row.row, row.email, "failed", "This address is in the file twice.")
            if twice
            else _invite(runtime, scope, row, labels, known)
        )
    return results


def counts(results: Iterable[Result]) -> dict[str, int]:
    """How many rows came to what."""
    listed = list(results)
    invited = sum(1 for one in listed if one.status == "invited")
    return {"invited": invited, "failed": len(listed) - invited}


def _invite(
    runtime: Runtime, scope: TenantScope, row: Wanted, labels: Mapping[str, str], known: Mapping[str, UUID]
) -> Result:
    main, *further = [labels.get(role.lower(), role.lower()) for role in row.roles]
    team = known.get(row.team.lower()) if row.team else None
    if row.team and team is None:
        return Result(row.row, row.email, "failed", f"There is no team called {row.team}.")
    try:
        made = granting.invite(runtime, scope, email=row.email, name=row.name, role=main, roles=further)
        if team is not None:
            teams.put_member(scope, team, made.member)
    except RapportError as error:
        return Result(row.row, row.email, "failed", error.errors[0].message if error.errors else error.detail)
    return Result(row.row, made.email, "invited", url=made.url)


def _wanted(number: int, cells: Mapping[str, str]) -> Wanted:
    texts = {name: " ".join(cells.get(name, "").split())[:320] for name in COLUMNS}
    roles = tuple(role.strip() for role in texts["role"].replace("|", ";").split(";") if role.strip())
    return Wanted(number, texts["email"], texts["name"], roles or ("member",), texts["team"])


def _refused(message: str) -> InvalidInput:
    return InvalidInput(message, [FieldError("/file", "csv", message)])
