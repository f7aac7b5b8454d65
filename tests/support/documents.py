"""Random documents that are valid, and small texts for tests of metadata."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from app.metadata.changeset import State, desired
from app.metadata.components import platform_layer
from app.metadata.document import parse, read, whole

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.metadata.changeset import Changes
    from app.metadata.leaves import Document, Plain

MACHINE = """
kind: object
name: machine
label: {one: Machine, other: Machines}
title: serial
list_columns: [serial, company, price]
fields:
  serial: {type: text, label: Serial, required: true}
  company: {type: link, label: Company, to: company, inverse: machines}
  price: {type: money, label: Price}
  state: {type: select, label: State, options: {new: New, used: Used}}
pipelines:
  care:
    label: Care
    stages:
      running: {label: Running, status: open}
      broken: {label: Broken, status: cancelled}
"""

NAMES = st.from_regex(r"[a-z]{1,3}(_[a-z]{1,2})?", fullmatch=True).filter(lambda name: name not in _TAKEN)
TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12)
COLORS = st.sampled_from(["red", "green", "blue"])
RANKS = st.from_regex(r"[0-9]{1,5}", fullmatch=True)
_TAKEN = frozenset({
    "id", "me", "as", "for", "if", "in", "let", "now", "map", "int", "var", "date", "list", "team", "tags", "type",
})  # fmt: skip


@cache
def platform() -> Document:
    """The platform layer."""
    return platform_layer()


def state_of(text: str = "", **more: object) -> State:
    """A tenant that has applied ``text`` from source ``git``."""
    state = State(lower=platform(), **more)  # type: ignore[arg-type]
    if not text:
        return state
    changes = desired(state, read(text), source="git")
    assert not changes.blocked, (changes.problems, changes.broken, changes.questions)
    return after(state, changes, "git")


def after(state: State, changes: Changes, source: str = "git") -> State:
    """The tenant once ``changes`` are applied."""
    return State(
        lower=state.lower,
        overrides=changes.overrides,
        last={**state.last, source: changes.stated},
        currency=state.currency,
        timezone=state.timezone,
        roles=state.roles,
    )


def leaves_of(document: Mapping[str, Mapping[str, Plain]]) -> dict[tuple[str, str], Plain]:
    """Every leaf of a document by component and path."""
    return {(component, path): value for component, leaves in document.items() for path, value in leaves.items()}


@st.composite
def options(draw: st.DrawFn) -> dict[str, object]:
    names = draw(st.lists(NAMES, max_size=4, unique=True))
    return {
        name: draw(st.one_of(TEXTS, st.fixed_dictionaries({"label": TEXTS, "color": COLORS}), st.just({})))
        for name in names
    }


@st.composite
def fields(draw: st.DrawFn) -> dict[str, object]:
    kind = draw(st.sampled_from(["text", "integer", "boolean", "date", "money", "select", "link", "long_text"]))
    spec: dict[str, object] = {"type": kind}
    if draw(st.booleans()):
        spec["label"] = draw(TEXTS)
    if draw(st.booleans()):
        spec["help"] = draw(st.sampled_from(["yes", "no", "0o17", "1_000", "12:30", "2026-01-01", "- x: y", "null"]))
    if kind == "select":
        spec["options"] = draw(options())
    if kind == "link":
        spec |= {"to": draw(st.sampled_from(["company", "member"])), "on_delete": "clear"}
    if draw(st.booleans()):
        spec["required"] = draw(st.booleans())
    if draw(st.integers(0, 4)) == 0:
        spec["rank"] = draw(RANKS)
    return spec


@st.composite
def objects(draw: st.DrawFn, name: str = "") -> dict[str, object]:
    names = draw(st.lists(NAMES, min_size=1, max_size=6, unique=True))
    spec: dict[str, object] = {
        "kind": "object",
        "name": name or f"x_{draw(NAMES)}",
        "label": {"one": draw(TEXTS), "other": draw(TEXTS)},
        "title": [names[0]],
        "list_columns": draw(st.lists(st.sampled_from(names), unique=True)),
        "fields": {one: draw(fields()) for one in names},
    }
    spec["fields"][names[0]] = {"type": "text"}  # type: ignore[index]
    if draw(st.booleans()):
        stages = draw(st.lists(NAMES, max_size=3, unique=True))
        spec["pipelines"] = {
            "line": {
                "label": draw(TEXTS),
                "stages": {"begun": {"status": "open"}} | {one: {"status": "done", "color": "red"} for one in stages},
            }
        }
    return spec


@st.composite
def documents(draw: st.DrawFn) -> Document:
    """A layer of its own."""
    found = draw(st.lists(objects(), max_size=3, unique_by=lambda one: str(one["name"])))
    more: list[dict[str, object]] = []
    for one in found:
        columns = draw(st.lists(st.sampled_from([*one["fields"], "owner.name"]), unique=True))  # type: ignore[misc]
        more.append({"kind": "view", "name": f"{one['name']}.all", "label": draw(TEXTS), "columns": columns})
    if draw(st.booleans()):
        more.append({"kind": "option_set", "name": "colours", "label": draw(TEXTS), "options": draw(options())})
    if draw(st.booleans()):
        more.append({"kind": "currency", "name": "USD", "rates": {"2026-01-01": 0.9, "2026-02-01": "1.0000000001"}})
    return whole(parse([*found, *more]))
