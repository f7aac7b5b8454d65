"""The verbs of shaping for the command line: in a workspace of this installation, or over HTTP with a key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import urlencode

import msgspec

from app.core import net
from app.core.errors import (
    Conflict,
    FieldError,
    Forbidden,
    InvalidInput,
    NotFound,
    RapportError,
    Unauthenticated,
    Unavailable,
)
from app.metadata import history
from app.metadata.work import work
from app.shaping import exporting, service
from tenants.scope import SYSTEM, enter_job

if TYPE_CHECKING:
    from uuid import UUID

    from app.core.ports import Runtime

_BY_STATUS: Final[dict[int, type[RapportError]]] = {
    401: Unauthenticated, 403: Forbidden, 404: NotFound, 409: Conflict, 422: InvalidInput,
}  # fmt: skip
Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Wish:
    """Components to plan or apply and how."""

    components: list[Any]
    source: str
    prune: bool = False
    note: str = ""
    confirm: bool = False
    base: int | None = None


class Workspace(Protocol):
    """Where a command shapes."""

    def export(self, layer: str) -> Document:
        """Version and components as people write them."""
        ...

    def plan(self, wish: Wish) -> Document:
        """What applying would do."""
        ...

    def apply(self, wish: Wish) -> Document:
        """Apply; what is left to a job may go on behind."""
        ...

    def changes(self, limit: int) -> list[Document]:
        """The newest changes."""
        ...

    def revert(self, change: UUID, note: str, *, confirm: bool, newer: bool = False) -> Document:
        """Take a change back; ``newer``: and what people changed after it."""
        ...

    def drift(self, source: str) -> list[Document]:
        """What was changed by hand since."""
        ...

    def conflicts(self) -> list[Document]:
        """What both sides changed."""
        ...

    def choose(self, choices: list[Document], note: str, *, confirm: bool) -> Document:
        """Decide conflicts."""
        ...


@dataclass(frozen=True, slots=True)
class Here:
    """A workspace of this installation, as the operator; long work is done before the command ends."""

    runtime: Runtime
    tenant: UUID

    def export(self, layer: str) -> Document:
        """Version and components as people write them."""
        with self._scope() as scope:
            return {"version": scope.version, "components": exporting.written(scope, exporting.read(scope), layer)}

    def plan(self, wish: Wish) -> Document:
        """What applying would do."""
        wanted = service.wanted_of(wish.components, source=wish.source, prune=wish.prune)
        with self._scope() as scope:
            return service.plan_told(scope, wanted)

    def apply(self, wish: Wish) -> Document:
        """Apply and finish what is left to a job."""
        wanted = service.wanted_of(wish.components, source=wish.source, prune=wish.prune)
        with self._scope() as scope:
            asked = scope
        done = service.apply_in(
            asked, self.runtime.databases, wanted, source=wish.source, note=wish.note, confirm=wish.confirm,
            base=wish.base,
        )  # fmt: skip
        return self._finished(service.applied_told(self.runtime.databases, asked.tenant, done))

    def changes(self, limit: int) -> list[Document]:
        """The newest changes."""
        with self._scope() as scope:
            return history.changes(scope.execute, limit=limit)

    def revert(self, change: UUID, note: str, *, confirm: bool, newer: bool = False) -> Document:
        """Take a change back; ``newer``: and what people changed after it."""
        with self._scope() as scope:
            asked = scope
        wanted = service.wanted_back_beside(self.runtime.databases, asked.tenant, change, newer=newer)
        done = service.apply_in(
            asked, self.runtime.databases, wanted, source="cli", note=note, confirm=confirm,
            reverts=None if newer else change, keeps=False,
        )  # fmt: skip
        return self._finished(service.applied_told(self.runtime.databases, asked.tenant, done))

    def drift(self, source: str) -> list[Document]:
        """What was changed by hand since."""
        with self._scope() as scope:
            return service.drift_of(scope, source)

    def conflicts(self) -> list[Document]:
        """What both sides changed."""
        with self._scope() as scope:
            return service.conflicts_of(scope)

    def choose(self, choices: list[Document], note: str, *, confirm: bool) -> Document:
        """Decide conflicts."""
        kept, taken = (
            [(one["component"], one["path"]) for one in choices if one["choice"] == way] for way in ("keep", "take")
        )
        with self._scope() as scope:
            asked = scope
        done = service.apply_in(
            asked, self.runtime.databases, service.wanted_choices(kept, taken), source="cli", note=note,
            confirm=confirm, keeps=False,
        )  # fmt: skip
        return self._finished(service.applied_told(self.runtime.databases, asked.tenant, done))

    def _finished(self, document: Document) -> Document:
        if document["work"]:
            work(self.runtime, self.tenant, {})
        return document

    def _scope(self) -> Any:
        return enter_job(self.runtime.databases, self.tenant, actor=SYSTEM, write=False)


@dataclass(frozen=True, slots=True)
class There:
    """A workspace at an address, with a key."""

    url: str
    key: str

    def export(self, layer: str) -> Document:
        """Version and components as people write them."""
        return self._call("GET", "?" + urlencode({"form": "written", **({"layer": layer} if layer else {})}))

    def plan(self, wish: Wish) -> Document:
        """What applying would do."""
        return self._call("POST", "/plan", {"components": wish.components, "source": wish.source, "prune": wish.prune})

    def apply(self, wish: Wish) -> Document:
        """Apply; what is left to a job goes on behind."""
        return self._call("POST", "/apply", {
            "components": wish.components, "source": wish.source, "prune": wish.prune, "note": wish.note,
            "confirm": wish.confirm, "base_version": wish.base,
        })  # fmt: skip

    def changes(self, limit: int) -> list[Document]:
        """The newest changes."""
        return self._call("GET", f"/changes?limit={limit}")["data"]

    def revert(self, change: UUID, note: str, *, confirm: bool, newer: bool = False) -> Document:
        """Take a change back; ``newer``: and what people changed after it."""
        asked = {"note": note, "confirm": confirm, "newer": newer}
        return self._call("POST", f"/changes/{change}/revert", asked)

    def drift(self, source: str) -> list[Document]:
        """What was changed by hand since."""
        return self._call("GET", f"/drift?{urlencode({'source': source})}")["data"]

    def conflicts(self) -> list[Document]:
        """What both sides changed."""
        return self._call("GET", "/conflicts")["data"]

    def choose(self, choices: list[Document], note: str, *, confirm: bool) -> Document:
        """Decide conflicts."""
        return self._call("POST", "/conflicts", {"choices": choices, "note": note, "confirm": confirm})

    def _call(self, method: str, path: str, body: Document | None = None) -> Document:
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        address = f"{self.url.rstrip('/')}/api/v1/metadata{path}"
        sent = msgspec.json.encode(body) if body is not None else b""
        return _read(net.call(method, address, headers=headers, body=sent))


def _read(answer: net.Answer) -> Document:
    try:
        document: Document = msgspec.json.decode(answer.body)
    except msgspec.DecodeError:
        document = {}
    if answer.status < 400:
        return document
    detail = str(document.get("detail") or document.get("title") or f"The server answered {answer.status}.")
    errors = [
        FieldError(str(one.get("pointer", "")), str(one.get("code", "")), str(one.get("message", "")))
        for one in document.get("errors", [])
    ]
    extra = {name: document[name] for name in ("steps", "changed") if name in document}
    error = _BY_STATUS.get(answer.status, Unavailable)(detail, errors, extra)
    error.code = str(document.get("code") or error.code)  # type: ignore[misc]
    raise error
