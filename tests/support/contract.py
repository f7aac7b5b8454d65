"""Generated calls of everything a workspace's OpenAPI document names, each answer held against it (schemathesis)."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from unittest.mock import patch
from zlib import crc32

import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema
from schemathesis.python import wsgi
from werkzeug.test import Client

if TYPE_CHECKING:
    from collections.abc import Callable

    from schemathesis import HookContext

    from tests.support.api import Api

PATH = "/api/v1/openapi.json"
RECORDS = "/api/v1/records"


#: What a text parameter may say, which no schema can: half of the random calls take one of these.
WORDS = {
    "filter": [
        "true",
        'title.contains("a")',
        'created_at > date("2020-01-01")',
        "!has(owner) || owner == me",
        'owner.name.startsWith("O")',
        "has(nothing)",
        "created_at >",
        "1 / 0 == 1",
    ],
    "sort": ["title", "-created_at,id", "owner.name", "-nothing", ",", "title,title"],
    "fields": ["id", "tags,owner.name", "id,version", "nothing", "owner", "created_by.email"],
    "group_by": ["owner", "created_at:month", "created_at:week,owner", "stage", "created_at:day", "nothing", "title"],
    "metrics": ["count", "max:created_at", "count,min:updated_at", "sum:amount,weighted:amount", "sum:nothing"],
    "match": ["id", "external_id", "name", "email", "nothing"],
    "object": ["company", "deal,contact", "nothing", ","],
    "q": ["acme", "a", '"an exact phrase"', "ada@example.com", "+49 30 1234567", "https://example.com", "%_"],
    "mode": ["create", "update", "upsert", "delete"],
}


@dataclass
class Outcome:
    """What was called and what came back."""

    #: Operation → status → how often.
    answers: dict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    #: What was wrong, each once: text → an example of a call.
    failures: dict[str, str] = field(default_factory=dict)
    phases: Counter[str] = field(default_factory=Counter)

    @property
    def cases(self) -> int:
        """Calls in all."""
        return sum(sum(statuses.values()) for statuses in self.answers.values())

    def add(self, other: Outcome) -> None:
        """Take in what another exploration found."""
        for label, statuses in other.answers.items():
            self.answers[label].update(statuses)
        self.failures |= other.failures
        self.phases += other.phases

    def table(self) -> str:
        """Calls by route, with the object's name left out, and class of status."""
        grouped: dict[str, Counter[str]] = defaultdict(Counter)
        operations: Counter[str] = Counter()
        for label, statuses in self.answers.items():
            name = _without_object(label)
            operations[name] += 1
            for status, number in statuses.items():
                grouped[name][f"{status // 100}xx"] += number
        lines = [f"{'operation':58} {'objects':>7} {'calls':>7} {'2xx':>6} {'3xx':>5} {'4xx':>6} {'5xx':>5}"]
        for name in sorted(grouped, key=lambda one: one.partition(" ")[2]):
            row = grouped[name]
            figures = f"{row.total():7} {row['2xx']:6} {row['3xx']:5} {row['4xx']:6} {row['5xx']:5}"
            lines.append(f"{name:58} {operations[name]:7} {figures}")
        total = sum(grouped.values(), Counter())
        figures = f"{total.total():7} {total['2xx']:6} {total['3xx']:5} {total['4xx']:6} {total['5xx']:5}"
        lines.append(f"{'all':58} {operations.total():7} {figures}")
        lines.append("calls by phase: " + ", ".join(f"{name} {number}" for name, number in sorted(self.phases.items())))
        return "\n".join(lines)


def explore(
    api: Api, *, seed: int, examples: int, boundaries: bool, flows: int, only: str = "", without: str = ""
) -> Outcome:
    """Call the operations whose path matches ``only`` and not ``without``.

    ``examples`` random calls an operation (well-formed and broken ones), with ``boundaries`` each edge of each
    parameter and property once more, and ``flows`` chains of calls in which later ones use what earlier ones answered.
    """
    loaded = schemathesis.openapi.from_wsgi(
        PATH, api.flask_app, config=_config(seed, examples, boundaries=boundaries, flows=flows), headers=_headers(api)
    )
    loaded.config.update(headers=_headers(api))
    loaded.hooks.register_hook_with_name(_aims_at(_known_ids(api)), "map_path_parameters")
    if only:
        loaded = loaded.include(path_regex=only)
    if without:
        loaded = loaded.exclude(path_regex=without)
    outcome = Outcome()
    own = {key["id"] for key in api.get("/keys")["data"]}
    with patch.object(wsgi, "get_client", lambda application: _Client(application, own)):
        for event in from_schema(loaded).execute():
            if isinstance(event, events.ScenarioFinished):
                _count(outcome, event)
            elif isinstance(event, events.NonFatalError | events.FatalError):
                outcome.failures.setdefault(str(getattr(event, "info", event)), str(getattr(event, "label", "")))
    return outcome


class _Client(Client):
    """Ends no key that was there before: with the explorer's own every later call would be refused alike.

    schemathesis's calls without a credential carry settings of the network that the WSGI client does not know.
    """

    def __init__(self, application: Any, own: set[str]) -> None:
        super().__init__(application)
        self._own = own

    def open(self, *args: Any, **kwargs: Any) -> Any:
        for name in ("max_redirects", "verify", "cert"):
            kwargs.pop(name, None)
        if kwargs.get("method") == "DELETE" and kwargs["path"].rpartition("/")[2] in self._own:
            kwargs["path"] = kwargs["path"].rpartition("/")[0] + "/01890000-0000-7000-8000-000000000000"
        return super().open(*args, **kwargs)


def _headers(api: Api) -> dict[str, str]:
    return {"Authorization": f"Bearer {api.key}"}


def _config(seed: int, examples: int, *, boundaries: bool, flows: int) -> SchemathesisConfig:
    document: dict[str, Any] = {
        "seed": seed,
        "suppress-health-check": ["filter_too_much"],
        "continue-on-failure": True,
        "dictionaries": {name: {"values": values} for name, values in WORDS.items()},
        "parameters": {f"query.{name}": {"dictionary": name, "probability": 0.5} for name in WORDS},
        "generation": {"max-examples": examples, "no-shrink": True, "database": "none", "allow-x00": True},
        "checks": {
            # A condition, a name of a field, an id of a record: what a schema allows may well be refused.
            "positive_data_acceptance": {"enabled": False},
            "missing_required_header": {"enabled": False},
            # 412: that the record has another version is said before its new values are looked at.
            "negative_data_rejection": {
                "expected-statuses": ["400", "401", "403", "404", "405", "409", "412", "413", "415", "422", "429"]
            },
        },
        "phases": {
            "examples": {"enabled": True},
            "coverage": {"enabled": boundaries},
            "fuzzing": {"enabled": examples > 0},
            "stateful": {"enabled": flows > 0, "generation": {"max-examples": max(flows, 1)}},
        },
    }
    return SchemathesisConfig.from_dict(document)


def _aims_at(known: dict[str, list[str]]) -> Callable[[HookContext, dict[str, Any] | None], dict[str, Any] | None]:
    """Half of the ids generated become those of records there are."""

    def map_path_parameters(context: HookContext, path_parameters: dict[str, Any] | None) -> dict[str, Any] | None:
        there = known.get(context.operation.path.split("/")[4]) if context.operation.path.startswith(RECORDS) else None
        given = str(path_parameters.get("id", "")) if path_parameters else ""
        if path_parameters and there and given and crc32(given.encode("utf-8", "replace")) % 2:
            return {**path_parameters, "id": there[crc32(given.encode("utf-8", "replace")) % len(there)]}
        return path_parameters

    return map_path_parameters


def _known_ids(api: Api) -> dict[str, list[str]]:
    """Ids of records there are, by object: random ones find nothing."""
    names = [tag["name"] for tag in api.get("/openapi.json")["tags"] if tag["name"] != "workspace"]
    pages = {name: api.get(f"/records/{name}", fields="id")["data"] for name in names}
    return {name: [record["id"] for record in page] for name, page in pages.items() if page}


def _count(outcome: Outcome, event: events.ScenarioFinished) -> None:
    recorder = event.recorder
    for case_id, interaction in recorder.interactions.items():
        node = recorder.cases.get(case_id)
        if interaction.response is None or node is None:
            continue
        outcome.answers[node.value.operation.label][interaction.response.status_code] += 1
        outcome.phases[event.phase.value] += 1
    for case_id, checks in recorder.checks.items():
        for check in checks:
            if check.failure_info is not None:
                node = recorder.cases[case_id]
                problem = check.failure_info.failure
                text = (
                    f"{check.name}: {_without_object(node.value.operation.label)}: {problem.title}: {problem.message}"
                )
                outcome.failures.setdefault(text[:600], check.failure_info.code_sample[:1000])


def _without_object(label: str) -> str:
    """``GET /api/v1/records/company/{id}`` → ``GET /records/{object}/{id}``."""
    method, _, path = label.partition(" ")
    parts = path.removeprefix("/api/v1").split("/")
    if parts[1:2] == ["records"] and parts[-1] != "convert":
        parts[2] = "{object}"
    return f"{method} {'/'.join(parts)}"
