"""Which column feeds which field: by exact API name, by the user's word, or (for the page) by a guess."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from app.imports.errors import InvalidImport
from app.metadata.fieldtypes.file import FileType

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from app.imports.options import Wishes
    from app.metadata.model import Catalog, Field, ObjectType

#: What exports of other systems call things. Compared with letters and digits only; the field must exist.
_SYNONYMS: Final[dict[str, tuple[str, ...]]] = {
    "name": ("title", "subject"),
    "title": ("name", "subject", "task"),
    "external_id": ("id", "recordid", "externalid", "customerid", "accountid", "contactid", "opportunityid", "orderid",
                    "leadid", "prospectid"),
    "first_name": ("firstname", "givenname", "forename", "vorname"),
    "last_name": ("lastname", "surname", "familyname", "nachname"),
    "email": ("emailaddress", "mail", "email1", "email1value", "primaryemail", "workemail"),
    "phone": ("phonenumber", "telephone", "tel", "mobile", "phone1", "phone1value", "workphone"),
    "job_title": ("jobtitle", "title", "organization1title", "position", "role", "contacttitle"),
    "company": ("companyname", "accountid", "companyid", "customerid", "organization1name", "account", "accountname",
                "organization", "organisation", "employer"),
    "company_name": ("company", "account", "organization", "organisation"),
    "website": ("url", "homepage", "web", "websiteurl"),
    "domain": ("companydomain", "domainname", "companydomainname"),
    "industry": ("sector", "branch", "branche"),
    "employees": ("numberofemployees", "headcount", "noofemployees", "size"),
    "annual_revenue": ("revenue", "turnover", "annualrevenue"),
    "amount": ("value", "dealvalue", "closevalue", "dealamount", "price", "total"),
    "price": ("salesprice", "unitprice", "listprice"),
    "stage": ("dealstage", "stagename", "status", "salesstage", "opportunitystage"),
    "close_on": ("closedate", "expectedclosedate", "closingdate", "closed"),
    "opened_on": ("opendate", "createdate", "engagedate", "opened"),
    "owner": ("salesagent", "salesrep", "accountowner", "dealowner", "contactowner", "leadowner", "assignedto"),
    "family": ("series", "category", "productfamily"),
    "code": ("sku", "productcode", "articlenumber"),
    "source": ("leadsource", "origin"),
    "description": ("notes", "comment", "comments", "remarks"),
    "birthday": ("dateofbirth", "dob", "birthdate"),
    "parent": ("parentcompany", "subsidiaryof", "parentaccount"),
}  # fmt: skip
#: What the name of a record is called in files of its own object; elsewhere the same words mean a link.
_NAMES: Final[dict[str, tuple[str, ...]]] = {
    "company": (
        "companyname",
        "accountid",
        "companyid",
        "customerid",
        "organization1name",
        "account",
        "accountname",
        "company",
        "organization",
        "organisation",
        "firma",
    ),
    "deal": ("dealname", "deal", "opportunity", "opportunityname"),
    "product": ("product", "productname"),
}
_ADDRESS: Final[dict[str, tuple[str, ...]]] = {
    "line1": (
        "street",
        "address1street",
        "mailingstreet",
        "billingstreet",
        "address",
        "address1",
        "streetaddress",
        "addressline1",
    ),
    "line2": ("address2", "addressline2"),
    "city": ("city", "town", "ort"),
    "region": ("region", "state", "province", "county"),
    "postal_code": ("postalcode", "zip", "zipcode", "postcode", "plz"),
    "country": ("country", "countrycode", "officelocation", "land"),
}
_WORD: Final = re.compile(r"[^a-z0-9]+")
_LIKE: Final = 0.91
#: Of a column's name in a message.
_LONGEST_NAME: Final = 60


@dataclass(frozen=True, slots=True)
class Target:
    """Where a cell goes. ``column`` is None for a value that is the same in each row (``--set``)."""

    field: Field
    part: str
    column: int | None
    header: str
    constant: str = ""

    @property
    def path(self) -> str:
        """The field as options name it: ``amount``, ``billing_address.city``."""
        return f"{self.field.name}.{self.part}" if self.part else self.field.name


@dataclass(frozen=True, slots=True)
class Plan:
    """An import as it will run over a header."""

    object_type: ObjectType
    wishes: Wishes
    header: tuple[str, ...]
    targets: tuple[Target, ...]
    unmapped: tuple[str, ...]

    @property
    def match(self) -> Target | None:
        """The target whose value finds the record to update."""
        name = self.wishes.match if self.wishes.mode != "create" else ""
        return next((target for target in self.targets if target.path == name), None)


def make_plan(catalog: Catalog, header: Sequence[str], wishes: Wishes) -> Plan:
    """Bind the wishes to a header. Raises InvalidImport naming the option that does not fit."""
    object_type = catalog.objects.get(wishes.object)
    if object_type is None:
        raise InvalidImport.of("object", f"There is no object {wishes.object}.{_near(wishes.object, catalog.objects)}")
    _check_columns(header, wishes.columns)
    targets: list[Target] = []
    unmapped: list[str] = []
    for column, name in enumerate(header):
        if name in wishes.columns:
            paths: Iterable[str] = wishes.columns[name]
        else:
            paths = [name] if _by_itself(object_type, name, wishes) else []
        if not paths:
            unmapped.append(name)
        targets += [_target(object_type, path, column, name, wishes) for path in paths]
    for path, value in wishes.constants.items():
        targets.append(_target(object_type, path, None, f"--set {path}", wishes, value))
    plan = Plan(object_type, wishes, tuple(header), tuple(targets), tuple(unmapped))
    _check_targets(plan)
    return plan


def guess_mapping(object_type: ObjectType, header: Sequence[str]) -> dict[str, str]:
    """A field (path) for each column that looks like one, each field once; for a person to correct."""
    paths = paths_of(object_type)
    taken: set[str] = set()
    found: dict[str, str] = {}

    def _by_own_name(name: str, paths: Mapping[str, str], taken: set[str]) -> str | None:
        own = "name" in paths and "name" not in taken and _plain(name) in _NAMES.get(object_type.name, ())
        return "name" if own else None

    for guess in (_exactly, _by_label, _by_own_name, _by_synonym, _nearly):
        for name in header:
            if name in found:
                continue
            path = guess(name, paths, taken)
            if path is not None:
                found[name] = path
                taken.add(path)
    return found


def second_fields(object_type: ObjectType, guessed: Mapping[str, str]) -> list[tuple[str, str]]:
    """Column and field where a required text would stay empty though a key of the record is there to name it."""
    key = next((name for name, path in guessed.items() if path == "external_id"), None)
    if key is None:
        return []
    return [
        (key, name)
        for name, field in object_type.fields.items()
        if field.required and field.type.name == "text" and field.default is None and not field.system
        and name not in guessed.values()
    ]  # fmt: skip


def paths_of(object_type: ObjectType) -> dict[str, str]:
    """Everything a column can feed, as path → label."""
    found: dict[str, str] = {}
    for name, field in object_type.fields.items():
        if not field.writable or isinstance(field.type, FileType):
            continue
        if field.type.name != "address":
            found[name] = field.label
        parts = [column.part for column in field.columns if column.part in field.type.parts]
        for part in parts:
            found[f"{name}.{part}"] = f"{field.label}: {part.replace('_', ' ')}"
    return found


def _exactly(name: str, paths: Mapping[str, str], taken: set[str]) -> str | None:
    return name if name in paths and name not in taken else None


def _by_label(name: str, paths: Mapping[str, str], taken: set[str]) -> str | None:
    wanted = _plain(name)
    return next((p for p, label in paths.items() if p not in taken and wanted in {_plain(label), _plain(p)}), None)


def _by_synonym(name: str, paths: Mapping[str, str], taken: set[str]) -> str | None:
    wanted = _plain(name)
    for path in paths:
        head, _, part = path.partition(".")
        words = _ADDRESS.get(part, ()) if part else _SYNONYMS.get(head, ())
        if path not in taken and wanted in words:
            return path
    return None


def _nearly(name: str, paths: Mapping[str, str], taken: set[str]) -> str | None:
    free = {_plain(path): path for path in paths if path not in taken}
    near = difflib.get_close_matches(_plain(name), free, n=1, cutoff=_LIKE)
    return free[near[0]] if near else None


def _plain(text: str) -> str:
    """Letters and digits; the prefix of one large exporter is noise."""
    return _WORD.sub("", text.lower().removeprefix("property_"))


def _by_itself(object_type: ObjectType, name: str, wishes: Wishes) -> bool:
    """A column whose header is exactly an API name that an import may write, or the one to match by."""
    if name in wishes.constants:
        return False
    if name == "id":
        return wishes.match == "id"
    head, _, part = name.partition(".")
    field = object_type.fields.get(head)
    if field is None or not field.writable or isinstance(field.type, FileType):
        return False
    return not part or part in _parts(field)


def _target(
    object_type: ObjectType, path: str, column: int | None, header: str, wishes: Wishes, constant: str = ""
) -> Target:
    option = "map" if column is not None else "set"
    head, _, part = path.partition(".")
    field = object_type.fields.get(head)
    if field is None:
        raise InvalidImport.of(
            option, f"{object_type.label} has no field {head}.{_near(head, object_type.fields)}", "field.unknown"
        )
    if not field.writable and not (head == "id" and wishes.match == "id"):
        raise InvalidImport.of(option, f"{field.label} ({head}) is written by the system and can't be imported.")
    if isinstance(field.type, FileType):
        message = f"{field.label} ({head}) holds files: they are uploaded to records, no column can say them."
        raise InvalidImport.of(option, message, "field.file")
    if part and part not in _parts(field):
        parts = ", ".join(_parts(field)) or "none"
        raise InvalidImport.of(option, f"{field.label} has no part {part}; parts: {parts}.", "field.unknown")
    return Target(field, part, column, header, constant)


def _parts(field: Field) -> tuple[str, ...]:
    """Parts a column may feed by themselves; of a polymorphic link its targets."""
    if field.type.name == "reference":
        return field.to
    return tuple(column.part for column in field.columns if column.part in field.type.parts)


def _check_columns(header: Sequence[str], columns: Iterable[str]) -> None:
    for column in columns:
        if column not in header:
            hint = _near(column, header) or f" The file has: {shown(header)}."
            raise InvalidImport.of("map", f"The file has no column {column!r}.{hint}", "column.unknown")


def shown(header: Sequence[str]) -> str:
    """The columns of a file in a message; what is no table of text may have endless ones."""
    return ", ".join(name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}…" for name in header[:30])


def _check_targets(plan: Plan) -> None:
    """Every option names something that is mapped; no field is fed twice."""
    seen: dict[str, str] = {}
    for target in plan.targets:
        if target.path in seen:
            message = f"{target.path} is fed by two columns: {seen[target.path]!r} and {target.header!r}."
            raise InvalidImport.of("map", message)
        seen[target.path] = target.header
    _check_parts(plan)
    wishes, mapped = plan.wishes, {target.field.name for target in plan.targets} | seen.keys()
    links = {target.field.name for target in plan.targets if target.field.to}
    named = {
        "map_value": wishes.values, "links": wishes.link_policy, "link_by": wishes.link_by,
        "options": wishes.option_policy,
    }  # fmt: skip
    for option, names in named.items():
        for name in filter(None, names):
            allowed = links if option in {"links", "link_by"} else mapped
            if name not in allowed:
                what = "a mapped link" if allowed is links else "a mapped field"
                raise InvalidImport.of(option, f"{name} is not {what}.{_near(name, allowed)}", "field.unknown")
    if wishes.mode != "create" and plan.match is None:
        raise InvalidImport.of("match", f"No column is mapped to {wishes.match}, by which records are matched.")


def _check_parts(plan: Plan) -> None:
    """A whole address and a part of it can't both be read; an amount may have its currency beside it."""
    in_parts = {target.field.name for target in plan.targets if target.part and not target.field.to}
    for target in plan.targets:
        if not target.part and target.field.name in in_parts and target.field.type.name != "money":
            raise InvalidImport.of("map", f"{target.field.name} is mapped as a whole and in parts; choose one.")


def _near(name: str, names: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(names), n=1, cutoff=0.6)
    return f" Did you mean {near[0]}?" if near else ""
