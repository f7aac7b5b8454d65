"""Links of a file: by id, title, unique field or the field the user names; looked up for a whole batch at once."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from typing import TYPE_CHECKING, Final, cast
from uuid import UUID

from app.core import ids
from app.core.streamsafe import is_stream_safe
from app.imports.cells import Problem
from app.imports.errors import InvalidImport
from app.metadata.fieldtypes.base import ValueProblem
from app.metadata.fieldtypes.reference import Reference
from app.metadata.sortkeys import sort_key_sql
from app.records.batch import PreparedRow, write_batch
from app.records.links import SYSTEM_TARGETS
from app.records.matching import matches
from app.records.reach import visible
from app.records.rowform import quote, trusted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from app.imports.cells import ReadRow
    from app.imports.mapping import Plan, Target
    from app.metadata.fieldtypes.base import Coercion
    from app.metadata.model import Catalog, ObjectType
    from tenants.scope import TenantScope

#: Resolved texts remembered between batches.
_REMEMBERED: Final = 100_000
_PENDING: Final = "link.pending"
#: Role of a member an import made up: none may sign in before an invitation claims it.
_NEW_MEMBER_ROLE: Final = "member"


def check_link_by(catalog: Catalog, plan: Plan) -> None:
    """Refuse a ``--link-by`` field the target does not have."""
    for target in plan.targets:
        by = plan.wishes.link_by.get(target.field.name)
        for name in _objects(target) if by and by != "title" else ():
            found = catalog.objects.get(name)
            known = {"name", "email"} if name in SYSTEM_TARGETS else set(found.fields if found is not None else ())
            if by not in known:
                raise InvalidImport.of("link_by", f"{name} has no field {by}.", "field.unknown")


def own_links(plan: Plan) -> frozenset[str]:
    """Links to the very object that is imported: their targets may stand further down in the file."""
    own = plan.object_type.name
    return frozenset(target.field.name for target in plan.targets if own in _objects(target))


def _objects(target: Target) -> tuple[str, ...]:
    if not target.field.to:
        return ()
    return (target.part,) if target.part else target.field.to[:1]


def fold(text: str) -> str:
    """A title as links compare it: case and surrounding space ignored, accents kept."""
    folded = " ".join(text.split()).casefold()
    return unicodedata.normalize("NFC", folded) if is_stream_safe(folded) else folded


class LinkResolver:
    """Turns what cells say into ids; one a run."""

    def __init__(
        self,
        catalog: Catalog,
        plan: Plan,
        ctx: Coercion,
        own_keys: frozenset[str],
        *,
        dry: bool = False,
        make: bool = True,
    ) -> None:
        """``own_keys``: folded texts by which rows of this file could be linked to; ``make``: may make targets."""
        self._catalog, self._plan, self._ctx, self._dry, self._make = catalog, plan, ctx, dry, make
        self._own_keys = own_keys
        self._own_links = own_links(plan)
        self._known: dict[tuple[str, str], UUID] = {}
        #: Records made for links in this batch, to be reported and undone with the import.
        self.made: list[tuple[UUID, int]] = []

    def resolve(self, scope: TenantScope, rows: Sequence[ReadRow], *, last: bool = False) -> None:
        """Give each row its links' ids or its problems. ``last``: nothing can be found later any more."""
        self.made = []
        wanted: defaultdict[tuple[str, str], list[ReadRow]] = defaultdict(list)
        for row in rows:
            for name in row.links if not row.problems else ():
                wanted[name, row.links[name][0].part].append(row)
        for (name, _), group in wanted.items():
            target = group[0].links[name][0]
            texts = list(dict.fromkeys(row.links[name][1] for row in group))
            found = self._find(scope, target, texts)
            for row in group:
                self._settle(row, target, row.links[name][1], found, last=last)

    def _settle(self, row: ReadRow, target: Target, text: str, found: Mapping[str, UUID | str], *, last: bool) -> None:
        name, answer = target.field.name, found.get(text)
        if isinstance(answer, UUID):
            row.values[name] = Reference(_objects(target)[0], answer) if self._polymorphic(target) else answer
            return
        policy = self._plan.wishes.policy_of_link(name)
        if answer is None and self._comes_later(target, text):
            if not self._dry:
                row.warnings.append(Problem(target.header, text[:200], _PENDING, "", warning=True))
            return
        message = answer or self._missing(target, text)
        if policy == "empty" or last:
            row.values[name] = None
            message = f"{message} The link was left empty."
            row.warnings.append(Problem(target.header, text[:200], "link.not_found", message, warning=True))
        else:
            code = "link.ambiguous" if answer else "link.not_found"
            row.problems.append(Problem(target.header, text[:200], code, message))

    def _missing(self, target: Target, text: str) -> str:
        """That nothing is called so, in the words the workspace has for it."""
        name, by = _objects(target)[0], self._plan.wishes.link_by.get(target.field.name, "")
        found = self._catalog.objects.get(name)
        label = f"{found.label[:1].lower()}{found.label[1:]}" if found is not None else name
        if found is not None and by and by != "title":
            return f"There is no {label} whose {found.fields[by].label} is {text[:80]!r}."
        return f"There is no {label} called {text[:80]!r}."

    def _comes_later(self, target: Target, text: str) -> bool:
        """Whether a row of this file may become what the text means."""
        return target.field.name in self._own_links and fold(text) in self._own_keys

    @staticmethod
    def _polymorphic(target: Target) -> bool:
        return target.field.type.name == "reference"

    def _find(self, scope: TenantScope, target: Target, texts: list[str]) -> dict[str, UUID | str]:
        """Text → id, or why it has none; a text that is nowhere is left out."""
        object_name = _objects(target)[0]
        by = self._plan.wishes.link_by.get(target.field.name, "")
        found: dict[str, UUID | str] = {}
        open_: list[str] = []
        for text in texts:
            known = self._known.get((target.path, text))
            if known is None:
                open_.append(text)
            else:
                found[text] = known
        if open_:
            looked_up = self._look_up(scope, object_name, by, open_)
            self._remember(target.path, looked_up)
            missing = [text for text in open_ if text not in looked_up and not self._comes_later(target, text)]
            if missing and self._make and self._plan.wishes.policy_of_link(target.field.name) == "create":
                looked_up |= self._create(scope, object_name, by, missing)
            found |= looked_up
        return found

    def _remember(self, path: str, found: Mapping[str, UUID | str]) -> None:
        if len(self._known) < _REMEMBERED:
            self._known |= {(path, text): answer for text, answer in found.items() if isinstance(answer, UUID)}

    def _look_up(self, scope: TenantScope, object_name: str, by: str, texts: list[str]) -> dict[str, UUID | str]:
        if object_name in SYSTEM_TARGETS:
            return _people(scope, object_name, by, texts)
        object_type = self._catalog.objects.get(object_name)
        if object_type is None:
            return {}
        if by and by != "title":
            return self._by_field(scope, object_type, by, texts)
        found = {} if by else _by_id(scope, self._catalog, object_type, texts)
        found |= _by_title(scope, self._catalog, object_type, [text for text in texts if text not in found])
        for field in () if by else object_type.fields.values():
            rest = [text for text in texts if text not in found]
            if field.unique and rest:
                found |= self._by_field(scope, object_type, field.name, rest)
        return found

    def _by_field(
        self, scope: TenantScope, object_type: ObjectType, name: str, texts: Iterable[str]
    ) -> dict[str, UUID | str]:
        field = object_type.fields[name]
        values: list[object] = []
        asked: list[str] = []
        for text in texts:
            try:
                value = field.type.parse(field, text, self._ctx)
            except ValueProblem:
                continue
            if value is not None:
                values.append(value)
                asked.append(text)
        found: dict[str, UUID | str] = {}
        for text, (_, ids_) in zip(
            asked, matches(scope, object_type, field, values, seen_in=self._catalog), strict=True
        ):
            if ids_:
                found[text] = _one(ids_, object_type.plural, text)
        return found

    def _create(self, scope: TenantScope, object_name: str, by: str, texts: list[str]) -> dict[str, UUID | str]:
        """Make what is missing; texts that differ in case only are one."""
        first: dict[str, str] = {}
        for text in texts:
            first.setdefault(fold(text), text)
        if object_name in SYSTEM_TARGETS:
            made: dict[str, UUID | str] = {key: _new_person(scope, object_name, first[key]) for key in first}
        else:
            found = self._catalog.objects.get(object_name)
            made = self._new_records(scope, found, by, first) if found is not None else {}
        return {text: made[fold(text)] for text in texts if fold(text) in made}

    def _new_records(
        self, scope: TenantScope, object_type: ObjectType, by: str, texts: Mapping[str, str]
    ) -> dict[str, UUID | str]:
        keys = list(texts)
        rows = [PreparedRow(at, self._title_values(object_type, by, texts[key])) for at, key in enumerate(keys)]
        made: dict[str, UUID | str] = {}
        for key, result in zip(keys, write_batch(scope, object_type.name, rows), strict=True):
            if result.id is not None and result.status == "created":
                made[key] = result.id
                self.made.append((result.id, result.version or 1))
            else:
                why = " ".join(error.message for error in result.errors)
                made[key] = f"{object_type.label} {texts[key][:80]!r} could not be made: {why}"
        return made

    def _title_values(self, object_type: ObjectType, by: str, text: str) -> dict[str, object]:
        """A new record's title (a person's last word is the last name) and the field it is linked by."""
        names = object_type.title
        texts = [text]
        if len(names) > 1:
            head, _, tail = text.rpartition(" ")
            texts = [head, tail]
        given = dict(zip(names, texts, strict=False)) | ({by: text} if by and by != "title" else {})
        values: dict[str, object] = {}
        for name, part in given.items():
            field = object_type.fields[name]
            try:
                value = field.type.parse(field, part, self._ctx)
            except ValueProblem:
                continue
            if value is not None:
                values[name] = value
        return values


def _one(found: Sequence[UUID], plural: str, text: str) -> UUID | str:
    return found[0] if len(found) == 1 else f"{len(found)} {plural.lower()} are called {text[:80]!r}."


def _by_id(scope: TenantScope, catalog: Catalog, object_type: ObjectType, texts: list[str]) -> dict[str, UUID | str]:
    named: dict[str, UUID] = {}
    for text in texts:
        try:
            named[text] = UUID(text)
        except ValueError:
            continue
    if not named:
        return {}
    table, guard = visible(catalog, object_type)
    text = f"SELECT r.id FROM {table} r WHERE r.id = ANY(%(ids)s::uuid[]) AND r.deleted_at IS NULL"
    rows = scope.execute(trusted(text), {"ids": list(named.values()), **guard.binds(scope)}).fetchall()
    live = {row[0] for row in rows}
    return {text: id_ for text, id_ in named.items() if id_ in live}


def _by_title(scope: TenantScope, catalog: Catalog, object_type: ObjectType, texts: list[str]) -> dict[str, UUID | str]:
    if not texts or object_type.masked:
        return {}
    table, guard = visible(catalog, object_type)
    text = (
        "SELECT k.raw, t.id, t.title FROM unnest(%(texts)s::text[]) AS k(raw) CROSS JOIN LATERAL"
        f" (SELECT r.id, r._title AS title FROM {table} r WHERE r._title_key = {sort_key_sql('k.raw')}"
        " AND r.deleted_at IS NULL LIMIT 100) t ORDER BY t.id"
    )
    rows = scope.execute(trusted(text), {"texts": texts, **guard.binds(scope)}).fetchall()
    exact: defaultdict[str, list[UUID]] = defaultdict(list)
    alike: defaultdict[str, list[UUID]] = defaultdict(list)
    for raw, id_, title in cast("list[tuple[str, UUID, str]]", rows):
        if title.strip() == raw:
            exact[raw].append(id_)
        elif fold(title) == fold(raw):
            alike[raw].append(id_)
    return {text: _one(exact.get(text) or alike[text], object_type.plural, text) for text in {**exact, **alike}}


def _people(scope: TenantScope, object_name: str, by: str, texts: list[str]) -> dict[str, UUID | str]:
    """Members by name or e-mail address, teams by name."""
    columns = "name, email" if object_name == "member" else "name, ''"
    rows = scope.execute(f"SELECT id, {columns} FROM {quote(object_name)} ORDER BY id").fetchall()  # type: ignore[arg-type]
    held: defaultdict[str, list[UUID]] = defaultdict(list)
    for id_, name, email in cast("list[tuple[UUID, str, str]]", rows):
        for key in {fold(name) if by != "email" else "", fold(email) if by != "name" else "", str(id_)} - {""}:
            held[key].append(id_)
    plural = f"{object_name}s"
    return {text: _one(held[fold(text)], plural, text) for text in texts if fold(text) in held}


def _new_person(scope: TenantScope, object_name: str, text: str) -> UUID:
    """An inactive member with this name (or e-mail address), whom an invitation can claim later; or a team."""
    identity = ids.uuid7()
    name = " ".join(text.split())[:120]
    if object_name == "team":
        scope.execute("INSERT INTO team (id, name) VALUES (%s, %s)", (identity, name))
        return identity
    email = name.lower() if "@" in name else ""
    scope.execute(
        "INSERT INTO member (id, name, email, role, status) VALUES (%s, %s, %s, %s, 'inactive')",
        (identity, name.partition("@")[0] if email else name, email, _NEW_MEMBER_ROLE),
    )
    return identity
