"""Every route of the URL map with its access declaration, and URLs filled with a tenant's own ids."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from app.factory.web import create_flask_app
from app.http.guard import SAFE_METHODS, Access

_ARGUMENT = re.compile(r"<(?:[^:<>]+:)?([a-z_]+)>")

#: URL arguments that name something a tenant (or person) owns: with another's value the answer is 404.
OWNED = frozenset({
    "record_id", "import_id", "export_id", "file_id",
    "member", "key", "session", "tenant", "team", "role", "rule", "share", "invitation", "grant",
    "change", "own_view_name",
})  # fmt: skip
#: Arguments that name nothing of anybody.
SHARED = frozenset({
    "object_name", "unique_field", "value", "field_name", "filename", "token",
    "currency", "set_name", "calendar", "language", "rule_name", "layout_name", "view_name",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Route:
    """One method of one rule."""

    rule: str
    method: str
    access: Access

    @property
    def id(self) -> str:
        """For the test's name."""
        return f"{self.access.audience}-{self.method}-{self.rule}"

    @property
    def arguments(self) -> frozenset[str]:
        """Names of the URL's values."""
        return frozenset(_ARGUMENT.findall(self.rule))

    @property
    def safe(self) -> bool:
        """Whether the method only reads."""
        return self.method in SAFE_METHODS

    @property
    def api(self) -> bool:
        """Whether programs call it."""
        return self.rule.startswith("/api/")

    @property
    def object_name(self) -> str:
        """The object whose record the route is about."""
        if "/lead/" in self.rule:
            return "lead"
        if self.rule.endswith(("/move", "/moved")):
            return "deal"
        return "task" if self.rule.endswith("/done") else "company"

    def url(self, values: dict[str, str]) -> str:
        """The path with its values; raises KeyError for one nobody knows how to fill."""
        known = {"object_name": self.object_name, "record_id": values.get(self.object_name, ""), **values}
        if self.object_name == "deal":
            known["field_name"] = "stage"
        return _ARGUMENT.sub(lambda found: known[found.group(1)], self.rule)


def all_routes() -> list[Route]:
    """The URL map of the whole application; nothing connects for that."""
    config = SimpleNamespace(
        base_domain="localhost",
        base_url="http://localhost:8000",
        scheme="http",
        secret_key="none",
        home=Path(),
        proxies=0,
        file_limit=0,
    )
    runtime = SimpleNamespace(config=config, redis=None, databases=None, ports=SimpleNamespace(gate=None))
    flask_app = create_flask_app(cast("Any", runtime))
    return [
        Route(rule.rule, method, flask_app.view_functions[rule.endpoint].__access__)
        for rule in flask_app.url_map.iter_rules()
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
    ]
