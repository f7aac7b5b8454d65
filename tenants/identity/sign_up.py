"""Signing up: a person, a workspace, a session; a failed one leaves nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from app.core.errors import Conflict, FieldError, InvalidInput
from tenants.identity import people, repository, sessions
from tenants.identity.addresses import normalise_email
from tenants.provisioning.lifecycle import Created, PersonRef, create_tenant
from tenants.registry.naming import check_slug, suggest_slug

if TYPE_CHECKING:
    from uuid import UUID

    from app.core.ports import Runtime
    from tenants.identity.regions import Region
    from tenants.identity.sessions import Visitor

LONGEST_COMPANY = 120


@dataclass(frozen=True, slots=True)
class SignUp:
    """What the form holds, as typed."""

    company: str
    slug: str
    name: str
    email: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SignedUp:
    """The new workspace's host and the person's base-host session token."""

    tenant: UUID
    host: str
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Address:
    """A workspace address in the form: what stands in it, what is wrong, whether it is free."""

    slug: str
    suggested: str
    error: str = ""
    free: bool = False


def check_address(runtime: Runtime, *, company: str, slug: str, suggested: str) -> Address:
    """Suggest an address until one is written by hand; say whether it is free."""
    proposal = free_slug(runtime, company)
    chosen = slug.strip().lower()
    if chosen in {"", suggested}:
        return Address(proposal, proposal, free=bool(proposal))
    problem = _slug_problem(chosen)
    if problem is None and _taken(runtime, chosen):
        problem = "This address is taken. Choose another one."
    return Address(chosen, suggested, problem or "", free=problem is None)


def free_slug(runtime: Runtime, company: str) -> str:
    """The company's name as an address, with a number when that is taken or reserved; empty when nothing fits."""
    if len(company) > LONGEST_COMPANY:
        return ""
    stem = suggest_slug(company) if any(letter.isalnum() for letter in company) else ""
    if not stem:
        return ""
    for number in range(1, 50):
        candidate = stem if number == 1 else f"{stem[:36]}-{number}"
        if _slug_problem(candidate) is None and not _taken(runtime, candidate):
            return candidate
    return ""


def sign_up(runtime: Runtime, form: SignUp, region: Region, visitor: Visitor) -> SignedUp:
    """Make the workspace and its owner.

    Raises:
        InvalidInput: every problem of the form at once.
    """
    form, email = _checked(runtime, form)
    person = people.register(runtime, name=form.name, email=email, password=form.password)
    created = _create(runtime, form, region, person)
    if person.new:
        people.send_verification(runtime, person)
    return SignedUp(created.tenant.id, created.tenant.host, sessions.start(runtime.databases, person.id, visitor))


def add_workspace(runtime: Runtime, form: SignUp, region: Region, person: people.Known) -> str:
    """Another workspace for somebody who is signed in; its host. Name, e-mail and password of the form don't count.

    Raises:
        InvalidInput: every problem of the form at once.
    """
    company, slug, problems = _checked_names(runtime, form)
    if problems:
        raise InvalidInput(problems[0].message, problems)
    named = SignUp(company, slug, person.name, person.email, "")
    return _create(runtime, named, region, person).tenant.host


def _create(runtime: Runtime, form: SignUp, region: Region, person: people.Known) -> Created:
    """The workspace; takes the person back when it could not be made and they are new."""
    try:
        return create_tenant(
            runtime,
            slug=form.slug,
            name=form.company,
            currency=region.currency,
            timezone=region.timezone,
            locale=region.locale,
            owner=PersonRef(person.id, person.name, person.email, new=person.new),
        )
    except Conflict as error:
        _take_back(runtime, person)
        message = "This address was taken a moment ago. Choose another one."
        raise InvalidInput(message, [FieldError("/slug", "taken", message)]) from error
    except BaseException:
        _take_back(runtime, person)
        raise


def _take_back(runtime: Runtime, person: people.Known) -> None:
    if person.new:
        people.forget(runtime, person.id)


def _checked(runtime: Runtime, form: SignUp) -> tuple[SignUp, str]:
    """The form with blanks filled and the normalised address; raises InvalidInput with all its problems."""
    company, slug, problems = _checked_names(runtime, form)
    email = ""
    try:
        email = normalise_email(form.email)
        people.check_password(form.password, email, form.name, company, slug)
    except InvalidInput as error:
        problems.extend(error.errors)
    if problems:
        raise InvalidInput(problems[0].message, problems)
    return SignUp(company, slug, form.name, email, form.password), email


def _checked_names(runtime: Runtime, form: SignUp) -> tuple[str, str, list[FieldError]]:
    """Company, address (made from the company when left empty), and what is wrong with them."""
    problems: list[FieldError] = []
    company = " ".join(form.company.split())
    if not company or len(company) > LONGEST_COMPANY:
        problems.append(FieldError("/company", "required", "Enter your company's name."))
    slug = form.slug.strip().lower() or free_slug(runtime, company)
    slug_error = _slug_problem(slug) if slug else "Enter an address for your workspace."
    if slug_error is None and _taken(runtime, slug):
        slug_error = "This address is taken. Choose another one."
    if slug_error is not None and company:
        problems.append(FieldError("/slug", "slug", slug_error))
    return company, slug, problems


def _slug_problem(slug: str) -> str | None:
    try:
        check_slug(slug)
    except InvalidInput as error:
        return error.detail
    return None


def _taken(runtime: Runtime, slug: str) -> bool:
    with runtime.databases.control.connect() as connection:
        return repository.slug_taken(connection, slug)
