"""What the state machine of rights draws from: roles, conditions, and the ways product and judge are asked the same.

Conditions come in pairs, in the product's language and in Python, so that nothing of the product decides for the judge.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from hypothesis import strategies as st

from app.access import catalogs
from app.core.errors import Conflict, Forbidden, InvalidInput, NotFound
from app.records.aggregate import aggregate
from app.records.board import board
from app.records.errors import LeavesReach
from app.records.history import feed, record_events
from app.records.query import AggregateQuery, BoardQuery, ListQuery
from app.records.read import get_record, list_records
from app.records.search import search
from app.records.titles import titles

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.metadata.reach import Action
    from app.records.query import Trash
    from tenants.scope import TenantScope
    from tests.support.judge import Judge, Record

OBJECTS: Final = ("company", "contact", "deal")
#: The field each object has that may be hidden, and that conditions compare.
FIGURES: Final = {"company": "annual_revenue", "deal": "amount"}
LINK: Final = "company"
#: Which fields of other objects point to a company's record.
LINKS: Final = {"company": {"contact": LINK, "deal": LINK}}
WORD: Final = "zebra"
#: What a row of a bulk call says of itself, in the judge's words.
CODES: Final = {
    "access.denied": "forbidden", "record.not_found": "missing", "record.leaves_reach": "leaves",
}  # fmt: skip


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
            "destroy": level,
            "export": level,
            "create": st.booleans(),
            "bulk": st.booleans(),
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


def links_of(scope: TenantScope, objects: tuple[str, ...]) -> dict[str, dict[str, tuple[str, ...]]]:
    """Per object its links to objects that rights are set for, each with the objects it may lead to."""
    known = catalogs.whole(scope).objects
    return {
        name: {
            field.name: field.to for field in known[name].fields.values() if field.to and known.keys() >= set(field.to)
        }
        for name in objects
    }


def listed(
    scope: TenantScope, object_name: str, text: str = "", *, trash: Trash = "", action: Action = "read"
) -> set[str]:
    """The ids of all records a list gives, page by page."""
    found: list[str] = []
    cursor = ""
    while True:
        query = ListQuery(
            filter=text, sort="-created_at", fields=("id",), limit=3, cursor=cursor, trash=trash, action=action
        )
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
    except InvalidInput:
        return "invalid"
    return "done"


def seal(scope: TenantScope) -> None:
    """Give what happened so far its place in the feed, as the sealer does once it is committed."""
    scope.execute(
        "insert into event_seal (batch, first_seq, event_ids, leaves, root, previous_root)"
        " select coalesce((select max(batch) from event_seal), 0) + 1,"
        " coalesce((select max(first_seq + cardinality(event_ids)) from event_seal), 1),"
        " array_agg(e.id order by e.id), array_agg('\\x00'::bytea), '\\x00'::bytea, '\\x00'::bytea from event e"
        " where not exists (select from event_seal s where e.id = any (s.event_ids)) having count(*) > 0"
    )


def fed(scope: TenantScope) -> list[dict[str, Any]]:
    """The whole change feed of the workspace as somebody gets it."""
    found: list[dict[str, Any]] = []
    after: int | None = 0
    while after is not None:
        page = feed(scope, after=after, limit=100)
        found += page["data"]
        after = page["next"]
    return found
