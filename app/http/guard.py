"""Access declarations: every view says who may call it, and the guard holds it to that.

A route without a declaration fails at start (``app.http.seal``). The declaration stays readable on the view
(``view.__access__``), so that the isolation suite can walk the URL map.
"""

from __future__ import annotations

import random
import time
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, Literal, ParamSpec, Protocol, TypeVar, cast

from flask import current_app, request
from psycopg.errors import UndefinedColumn, UndefinedTable
from werkzeug.wrappers import Response

from app.core.crypto import sha256
from app.core.errors import Conflict, Forbidden, NotFound, Unauthenticated
from app.http import csrf, idempotency, ratelimit
from app.http.context import (
    PERSON_COOKIE,
    WORKSPACE_COOKIE,
    bearer,
    facts,
    gate,
    is_api,
)
from app.http.uploads import receive_file

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from contextlib import AbstractContextManager

    from app.http.gate import PersonSession, RequestScope

P = ParamSpec("P")
R = TypeVar("R")

#: Where a view keeps its declaration.
ATTRIBUTE = "__access__"

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
#: Request bodies beyond this are refused unless the view declares more (imports, bulk).
BODY_LIMIT = 1024 * 1024
#: Seconds before a request is made again that met another writer.
_PAUSE = (0.01, 0.06)
#: Bodies that are read as fields and files; any other is read as bytes.
_FORMS = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})


@dataclass(frozen=True, slots=True)
class Access:
    """Who may call a view.

    ``audience``: ``workspace`` (a tenant's member or key), ``base`` (the base host), ``public`` (anybody, any host).
    ``right``: what the roles must hold; None = any member. ``object``: with which object, where the address does not
    name it as ``object_name``. ``member``: keys are refused, a member must be behind it, or with ``support`` one who
    was let in to help; they may do whatever asks for no member.
    ``person``: the base host's visitor must be signed in. ``write``: enters a write scope; None = by HTTP method.
    ``body_limit``: how many bytes a body may have; it is taken in before the scope is entered.
    ``by_key``: its statements find rows by keys and by indexes of search only, so that the server may keep their plans.
    ``upload``: its body holds one file, as large as the installation's setting says.
    ``after``: the view runs when its scope has ended and only tells who asks: it changes what scopes stand on.
    """

    audience: Literal["workspace", "base", "public"]
    right: str | None = None
    object: str = ""
    write: bool | None = None
    member: bool = False
    support: bool = False
    person: bool = False
    csrf: bool = True
    credential: bool = True
    body_limit: int = BODY_LIMIT
    by_key: bool = False
    after: bool = False
    upload: bool = False


class _RolledBack(Exception):
    """Carries an error response out of the scope so that its transaction is not committed."""

    def __init__(self, response: Response) -> None:
        super().__init__()
        self.response = response


def workspace(
    right: str | None = None,
    *,
    object_name: str = "",
    write: bool | None = None,
    member: bool = False,
    support: bool = False,
    body_limit: int = BODY_LIMIT,
    by_key: bool = False,
    after: bool = False,
    upload: bool = False,
) -> Callable[[Callable[Concatenate[Any, P], R]], Callable[P, R | Response]]:
    """Run the view inside its tenant's scope, passed as first argument.

    The tenant comes from the host, from the Bearer key, or from both, which must agree (else 404). A response with
    an error status rolls the transaction back, so that a view may answer with a form again without half a write.
    """
    writes_itself = False if after else write
    access = Access(
        "workspace", right, object_name, write=writes_itself, member=member, support=support, body_limit=body_limit,
        by_key=by_key, after=after, upload=upload,
    )  # fmt: skip

    def decorate(view: Callable[Concatenate[Any, P], R]) -> Callable[P, R | Response]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R | Response:
            enter, kind = _entrance(access)
            writes = access.write if access.write is not None else request.method not in SAFE_METHODS
            if request.method not in SAFE_METHODS:
                _receive(enter, access, kind)

            def once() -> R | Response:
                with enter(write=writes) as scope:
                    _admit(scope, access, kind)
                    facts().scope = scope
                    if not access.after:
                        return _run(scope, lambda: view(scope, *args, **kwargs))
                return view(scope, *args, **kwargs)

            try:
                return _again_if_in_the_way(once)
            except _RolledBack as rolled_back:
                return rolled_back.response

        return _declare(guarded, access)

    return decorate


def base_host(*, person: bool = False) -> Callable[[Callable[..., R]], Callable[..., R | Response]]:
    """Answer on the base host only. With ``person=True`` the PersonSession is passed as first argument."""
    access = Access("base", person=person)

    def decorate(view: Callable[..., R]) -> Callable[..., R | Response]:
        @wraps(view)
        def guarded(*args: object, **kwargs: object) -> R | Response:
            if facts().kind != "base":
                raise NotFound("There is no such page here.")
            session = current_person()
            if access.csrf and request.method not in SAFE_METHODS:
                csrf.check()
            if not access.person:
                return view(*args, **kwargs)
            if session is None:
                raise Unauthenticated("Sign in to go on.")
            return view(session, *args, **kwargs)

        return _declare(guarded, access)

    return decorate


def workspace_host(view: Callable[P, R]) -> Callable[P, R]:
    """Answer on a workspace's host without a credential: entering a workspace (``/session``) needs that."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        if facts().kind != "workspace":
            raise NotFound("There is no such page here.")
        return view(*args, **kwargs)

    return _declare(guarded, Access("workspace", credential=False, csrf=False))


def public(view: Callable[P, R]) -> Callable[P, R]:
    """No credential, no tenant, any host: health checks, static files."""
    return _declare(view, Access("public", csrf=False, credential=False))


def current_person() -> PersonSession | None:
    """The person signed in at the base host, or None; looked up once a request."""
    request_facts = facts()
    token = request.cookies.get(PERSON_COOKIE)
    if request_facts.person is None and token and request_facts.kind == "base":
        request_facts.person = gate().person(sha256(token))
    return request_facts.person


def _declare(view: R, access: Access) -> R:
    """Leave the declaration readable on the view."""
    setattr(view, ATTRIBUTE, access)
    return view


def _workspace_credential() -> tuple[int, str | None, bytes, Literal["session", "key"]]:
    """Pod, host (when it names the tenant), credential hash and its kind."""
    request_facts = facts()
    key = bearer()
    host = request_facts.host if request_facts.kind == "workspace" else None
    if key is not None:
        pod = gate().pod_of_key(key)
        if pod is None:
            raise Unauthenticated("The API key is not valid.")
        if host is not None and request_facts.pod != pod:
            raise NotFound("There is nothing at this address.")
        return pod, host, sha256(key), "key"
    if host is None or request_facts.pod is None:
        if is_api() and request_facts.kind != "unknown":
            raise Unauthenticated("Send an API key: Authorization: Bearer rap_…")
        raise NotFound("There is no workspace at this address.")
    token = request.cookies.get(WORKSPACE_COOKIE)
    if not token:
        raise Unauthenticated("Sign in to go on.")
    return request_facts.pod, host, sha256(token), "session"


def _entrance(access: Access) -> tuple[_Enter, Literal["session", "key"]]:
    """How the request's tenant is entered, and by which kind of credential."""
    pod, host, credential, kind = _workspace_credential()
    request_id = facts().id

    def enter(*, write: bool) -> AbstractContextManager[RequestScope]:
        return gate().enter(
            pod=pod, host=host, credential=credential, write=write, request_id=request_id, by_key=access.by_key
        )

    return enter, kind


def read_scope() -> AbstractContextManager[RequestScope] | None:
    """A scope for reading as who is signed in to the workspace at this host; error pages show its frame by it."""
    request_facts, token = facts(), request.cookies.get(WORKSPACE_COOKIE)
    if request_facts.kind != "workspace" or request_facts.pod is None or not token:
        return None
    pod, host = request_facts.pod, request_facts.host
    return gate().enter(pod=pod, host=host, credential=sha256(token), write=False, request_id=request_facts.id)


@contextmanager
def look_again() -> Generator[Any]:
    """A scope for reading as whoever asks, for a view that runs ``after`` its own has ended; pages show their frame."""
    pod, host, credential, _ = _workspace_credential()
    request_facts = facts()
    with gate().enter(pod=pod, host=host, credential=credential, write=False, request_id=request_facts.id) as scope:
        request_facts.scope = scope
        yield scope


class _Enter(Protocol):
    """Enters the tenant of the request."""

    def __call__(self, *, write: bool) -> AbstractContextManager[RequestScope]: ...


def _receive(enter: _Enter, access: Access, kind: str) -> None:
    """Take the body in before the transaction begins: who sends slowly holds no connection and no lock of others.

    A body larger than usual (files, bulk) is taken only from those who may send it.
    """
    if access.upload or access.body_limit > BODY_LIMIT:
        request.max_content_length = access.body_limit
        with enter(write=False) as scope:
            _check_credential(scope, access, kind)
            _check_right(scope, access)
    if access.upload:
        receive_file()
    if request.mimetype in _FORMS:
        _ = request.form
    else:
        request.get_data(cache=True)


def _admit(scope: RequestScope, access: Access, kind: str) -> None:
    """Check kind of credential, rate, CSRF and right, in this order."""
    _check_credential(scope, access, kind)
    if is_api():
        ratelimit.limit("api", str(scope.credential), ratelimit.API, lease=20)
    if kind == "session" and access.csrf and request.method not in SAFE_METHODS:
        csrf.check()
    _check_right(scope, access)


def _check_credential(scope: RequestScope, access: Access, kind: str) -> None:
    if scope.credential_kind == "support" and kind == "session":
        if access.member and not access.support:
            raise Forbidden("This is for members of the workspace; support can't do it.")
        return
    if scope.credential_kind != kind:
        raise Unauthenticated("Sign in to go on.")
    if kind == "key" and access.member:
        raise Forbidden("This needs a person who is signed in; an API key can't do it.")


def _check_right(scope: RequestScope, access: Access) -> None:
    if access.right is not None:
        # The object an address names is what the right must hold for.
        gate().authorise(scope, access.right, access.object or str((request.view_args or {}).get("object_name", "")))


def _again_if_in_the_way(once: Callable[[], R]) -> R:
    """Make the whole transaction again, once, when another writer was in its way for a moment.

    So is a change of metadata that took a calculated column away between a reader's entering and its statement: the
    second time it reads by the new catalog. A body of files is read as it is written away, so that it is there for one
    time only.
    """
    try:
        return once()
    except Conflict as conflict:
        if not conflict.passing or request.mimetype == "multipart/form-data":
            raise
    except (UndefinedColumn, UndefinedTable):
        if request.method not in SAFE_METHODS:
            raise
    time.sleep(random.uniform(*_PAUSE))  # noqa: S311 (two who met shall not meet again; guards nothing)
    return once()


def _run(scope: RequestScope, view: Callable[[], R]) -> R | Response:
    """The view's answer; an error status leaves the scope by an exception and so rolls back."""
    answer = idempotency.once(scope, view) if is_api() else view()
    response = answer if isinstance(answer, Response) else current_app.make_response(cast("Response", answer))
    if response.status_code >= 400:
        raise _RolledBack(response)
    return response
