"""What the state machine of rights draws from: roles, conditions, and the ways product and judge are asked the same.

Conditions come in pairs, in the product's language and in Python, so that nothing of the product decides for the judge.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from hypothesis import strategies as st

from app.access import catalogs
from app.core.errors import Conflict, Forbidden, NotFound
from app.records.aggregate import aggregate
from app.records.board import board
from app.records.errors import LeavesReach
from app.records.history import record_events
from app.records.query import AggregateQuery, BoardQuery, ListQuery
from app.records.read import get_record, list_records
from app.records.search import search
from app.records.titles import titles

if TYPE_CHECKING:
    from collections.abc import Callable

    from tenants.scope import TenantScope
    from tests.support.judge import Judge, Record

OBJECTS: Final = ("company", "contact", "deal")
#: The field each object has that may be hidden, and that conditions compare.
FIGURES: Final = {"company": "annual_revenue", "deal": "amount"}
LINK: Final = "company"
WORD: Final = "zebra"


def condition(judge: Judge, object_name: str, number: int) -> tuple[str, Callable[[Record, str], bool]]:
    """A condition of an object in both languages."""
    figure = FIGURES.get(object_name)

    def company_is_a(state: Record, _: str) -> bool:
        company = state.get(LINK)
        return company is not None and "alpha" in judge.records["company"][company]["label"]

    pairs: list[tuple[str, Callable[[Record, str], bool]]] = [
        ("owner == me", lambda state, me: state["owner"] == me),
        ("has(team)", lambda state, _: state["team"] is not None),
        ("!has(owner)", lambda state, _: state["owner"] is None),
    ]
    if figure:
        pairs.append((f"{figure} >= 500", lambda state, _: (state["figure"] or 0) >= 500))
    if object_name != "company":
        pairs.append(('company.name.contains("alpha")', company_is_a))
    else:
        pairs.append(('name.contains("alpha")', lambda state, _: "alpha" in state["label"]))
    return pairs[number % len(pairs)]


@st.composite
def specs(draw: st.DrawFn) -> dict[str, Any]:
    """A role's levels by object, hidden fields, and numbers of row conditions."""
    level = st.sampled_from(("none", "own", "reach", "reach", "reach", "reach", "all"))
    grant = st.fixed_dictionaries(
        {
            "read": st.sampled_from(("none", "own", "reach", "reach", "reach", "reach", "reach", "reach", "all")),
            "edit": level,
            "delete": level,
            "create": st.booleans(),
        }
    )
    objects = draw(st.dictionaries(st.sampled_from(OBJECTS), grant, max_size=2))
    figure = st.sampled_from(("none", "read", "edit"))
    return {
        "objects": {"*": draw(grant), **objects},
        "fields": draw(st.dictionaries(st.sampled_from(("company", "deal")), figure, max_size=2)),
        "rows": draw(
            st.dictionaries(
                st.sampled_from(OBJECTS),
                st.dictionaries(st.sampled_from(("read", "edit")), st.integers(0, 5), min_size=1),
                max_size=1,
            )
        ),
    }


def listed(scope: TenantScope, object_name: str, text: str = "") -> set[str]:
    """The ids of all records a list gives, page by page."""
    found: list[str] = []
    cursor = ""
    while True:
        query = ListQuery(filter=text, sort="-created_at", fields=("id",), limit=3, cursor=cursor)
        page = list_records(scope, object_name, query)
        found += [str(row["id"]) for row in page.rows]
        if page.next is None:
            break
        cursor = page.next
    assert len(found) == len(set(found))
    return set(found)


def got(scope: TenantScope, object_name: str, records: list[str]) -> set[str]:
    """Those of the ids that can be read one by one."""
    found: set[str] = set()
    for one in records:
        try:
            found.add(str(get_record(scope, object_name, one)["id"]))
        except NotFound:
            continue
    return found


def counted(scope: TenantScope, object_name: str) -> int:
    """How many records all groups by owner hold."""
    answer: Any = aggregate(scope, object_name, AggregateQuery(group_by=("owner",), limit=200))
    return sum(row["count"] for row in answer["data"])


def carded(scope: TenantScope) -> set[str]:
    """The deals on the board."""
    answer: Any = board(scope, "deal", BoardQuery(group_by="stage", fields=("id",), limit=100))
    shown = [card["id"] for group in answer["groups"] for card in group["data"]]
    assert sum(group["count"] for group in answer["groups"]) == len(shown)
    return {str(one) for one in shown}


def searched(scope: TenantScope, object_name: str) -> set[str]:
    """What the search box finds."""
    return {str(hit["id"]) for hit in search(scope, WORD, (object_name,), 200)}


def titled(scope: TenantScope, object_name: str, records: list[str]) -> set[str]:
    """Those of the ids that have a title for whoever asks."""
    return {one for _, one in titles(scope, {object_name: records})}


def told(scope: TenantScope, object_name: str, records: list[str]) -> set[str]:
    """Those of the ids whose history is told; a hidden figure is in none of it."""
    catalog = catalogs.for_scope(scope)
    figure = FIGURES.get(object_name, "")
    found: set[str] = set()
    for one in records:
        try:
            events = record_events(scope, object_name, UUID(one))["data"]
        except NotFound:
            continue
        found.add(one)
        if figure not in catalog.objects[object_name].fields:
            assert all(figure not in (event["diff"] or {}) for event in events)
    return found


def came_of(act: Callable[[], object]) -> str:
    """What an act came to, in the judge's words."""
    try:
        act()
    except LeavesReach:
        return "leaves"
    except Forbidden:
        return "forbidden"
    except NotFound:
        return "missing"
    except Conflict as error:
        return f"conflict {error.code}"
    return "done"
