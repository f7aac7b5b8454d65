"""A spy asks for what they may not see: by id, condition, order, group, figure, search, count, hint, title."""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.statements import counted

from .conftest import silent, stripped

if TYPE_CHECKING:
    from .conftest import Den

#: (method, path below a record's address, what is sent)
BY_ID: list[tuple[str, str, dict[str, Any]]] = [
    ("GET", "", {}),
    ("GET", "?fields=name", {}),
    ("GET", "?trash=with", {}),
    ("PATCH", "", {"json": {"description": "x"}}),
    ("PATCH", "", {"json": {"description": "x"}, "headers": {"If-Match": '"99"'}}),
    ("DELETE", "", {}),
    ("DELETE", "?destroy=true", {}),
    ("POST", "/restore", {}),
    ("GET", "/events", {}),
    ("GET", "/shares", {}),
    ("POST", "/shares", {"json": {"grantee": {"kind": "role", "id": "spy"}, "level": "edit"}}),
    ("GET", "/access", {}),
]
PAGES = [
    "",
    "/related",
    "/timeline",
    "/sharing",
    "/access",
    "/fields/name",
    "/fields/name/edit",
    "/fields/name/history",
]


@pytest.mark.parametrize(("method", "below", "sent"), BY_ID, ids=lambda part: str(part)[:30])
@pytest.mark.parametrize("name", ["company", "deal"])
def test_an_id_out_of_sight_is_an_id_of_nothing(
    den: Den, name: str, method: str, below: str, sent: dict[str, Any]
) -> None:
    nothing = str(uuid.uuid4())
    answers = []
    for one in (den.ids[name], nothing):
        answer = den.ask(f"/records/{name}/{one}{below}", method, **sent)
        silent(answer)
        answers.append(stripped(answer, one))
    assert answers[0] == answers[1]
    assert answers[0][0] in (403, 404)


@pytest.mark.parametrize("below", PAGES)
def test_pages_of_a_record_out_of_sight_are_pages_of_nothing(den: Den, below: str) -> None:
    nothing = str(uuid.uuid4())
    answers = []
    for one in (den.ids["deal"], nothing):
        answer = den.page(f"/records/deal/{one}{below}")
        silent(answer)
        answers.append(stripped(answer, one))
    assert answers[0] == answers[1]
    assert answers[0][0] == 404


def test_an_object_that_may_not_be_read_is_one_that_is_not_there(den: Den) -> None:
    for path in ("/records/{}", "/records/{}/aggregate?group_by=owner", f"/records/{{}}/{den.ids['lead']}"):
        answers = [stripped(den.ask(path.format(name)), name) for name in ("lead", "unicorn")]
        assert answers[0] == answers[1]


def test_an_id_costs_the_same_statements_whether_it_is_out_of_sight_or_of_nothing(den: Den) -> None:
    nothing = str(uuid.uuid4())
    for method, below, sent in BY_ID:
        asked: list[list[str]] = []
        for one in (den.ids["deal"], nothing, den.ids["deal"], nothing):
            with counted() as statements:
                den.ask(f"/records/deal/{one}{below}", method, **sent)
            asked.append(statements.texts)
        assert asked[2] == asked[3], f"{method} {below}"


@pytest.mark.parametrize(
    "query",
    [
        "?filter=name.contains('Whisper')",
        "?filter=next_step=='backroom'",
        "?filter=company.name=='Whisper Ltd'",
        "?filter=company.external_id.startsWith('W')",
        "?filter=has(company.name)",
        "?filter=any(lines, description=='espionage')&fields=name",
        "?sort=company.name&fields=name,company.name,company.domain",
        "?sort=-company.created_at&fields=name&total=exact",
        "/aggregate?group_by=company.name&metrics=count",
        "/aggregate?group_by=stage&metrics=count,min:created_at,max:updated_at",
        "/board?fields=name,company.name",
    ],
)
def test_conditions_orders_groups_and_figures_find_nothing_out_of_sight(den: Den, query: str) -> None:
    answer = den.ask(f"/records/deal{query}")
    text = silent(answer)
    assert den.ids["deal"] not in text
    if "filter=" in query and answer.status_code == 200:
        assert answer.json["data"] == []


@pytest.mark.parametrize("kind", ["", "-"])
def test_the_order_by_what_is_out_of_sight_is_no_order(den: Den, kind: str) -> None:
    """Contacts of a hidden and of a seen company: the hidden one's name is empty, so it comes last both ways."""
    rows = den.ask(f"/records/contact?sort={kind}company.name&fields=last_name,company.name").json["data"]
    assert [row["company.name"] for row in rows] == ["Acme", None]


@pytest.mark.parametrize("sort", ["title", "-title"])
def test_the_order_by_a_hidden_title_is_the_order_of_ids(den: Den, sort: str) -> None:
    """What is shown in the title's place is the end of the id, and so goes the order."""
    by_title = [row["id"] for row in den.ask(f"/records/task?sort={sort}&fields=id").json["data"]]
    tasks = sorted((den.ids[f"task{number}"] for number in range(3)), key=lambda one: one[-8:])
    assert by_title in (tasks, tasks[::-1])


@pytest.mark.parametrize(
    "query",
    [
        "?filter=amount>1", "?filter=has(amount)", "?sort=amount", "?fields=amount", "?filter=amuont>1",
        "/aggregate?metrics=sum:amount", "/aggregate?group_by=amount", "/aggregate?metrics=weighted:amount",
        "/board?metrics=sum:amount", "/board?sort=-amount", "/board?fields=amount",
        "?filter=any(lines,deal.amount>1)", "?filter=company.industry=='finance'", "?fields=contact.email",
    ],
)  # fmt: skip
def test_a_hidden_field_is_refused_as_one_that_never_was(den: Den, query: str) -> None:
    hidden = den.ask(f"/records/deal{query}")
    silent(hidden)
    assert hidden.status_code == 422
    made_up = query
    for name, other in (("amount", "amaunt"), ("industry", "indastry"), ("email", "emial")):
        made_up = made_up.replace(name, other)
    told = stripped(den.ask(f"/records/deal{made_up}"), "amaunt", "indastry", "emial", "amuont")
    shown = stripped(hidden, "amount", "industry", "email", "amuont")
    # What is near by spelling is another matter for each word.
    assert _without_hint(shown) == _without_hint(told)


def _without_hint(answer: tuple[int, str, Any]) -> tuple[int, str, Any]:
    return answer[0], re.sub(r" Did you mean [^?]*[?]| There (is|are) [^\"]*", "", answer[1]), answer[2]


def test_hints_name_nothing_hidden(den: Den) -> None:
    for query in ("?filter=amuont>1", "?sort=amout", "?fields=amounts", "?filter=indstry=='x'"):
        text = den.ask(f"/records/deal{query}").text
        assert re.search(r"\b(amount|industry)\b", text) is None, text
    text = den.ask("/records/deal", "POST", json={"name": "x", "amoun": "5"}).text
    assert re.search(r"\bamount\b", text) is None, text


def test_search_finds_no_hidden_word_shows_none_and_ranks_by_none(den: Den) -> None:
    for words in ("whisper", "whis", "enigma", "enigma@example.test", "turing", "espionage", "backroom", "31337"):
        assert den.ask(f"/search?q={words}").json["data"] == []
    both = den.ask("/search?q=open&object=contact").json["data"]
    assert {hit["id"] for hit in both} == {den.ids["contact"], den.ids["twin"]}
    assert both[0]["score"] == both[1]["score"]
    assert all("enigma" not in str(hit) for hit in both)
    # A word of the hidden field beside one that is seen neither finds nor lifts.
    assert (
        den.ask("/search?q=open enigma&object=contact").json["data"]
        == (den.ask("/search?q=open qqqqqqq&object=contact").json["data"])
    )


def test_counts_are_of_what_is_seen(den: Den) -> None:
    for total in ("exact", "estimate"):
        assert den.ask(f"/records/deal?total={total}").json["total"] == 1
    assert [row["count"] for row in den.ask("/records/deal/aggregate?metrics=count&group_by=owner").json["data"]] == [1]
    groups = den.ask("/records/deal/board?metrics=count").json["groups"]
    assert sum(group["count"] for group in groups) == 1
    assert sum(len(group["data"]) for group in groups) == 1


@pytest.mark.parametrize(
    "path",
    [
        "/", "/records/deal", "/records/deal/board", "/records/contact", "/records/company", "/people", "/trash",
        "/search?q=whisper", "/search", "/records/deal/options?field=company&q=whis",
        "/records/deal/options?field=company&q=", "/records/deal/new", "/records/deal/columns", "/records/deal/export",
        "/records/deal/{own_deal}", "/records/deal/{own_deal}/related", "/records/deal/{own_deal}/timeline",
        "/records/deal/{own_deal}/fields/company", "/records/deal/{own_deal}/fields/company/edit",
        "/records/deal/{own_deal}/fields/amount", "/records/deal/{own_deal}/fields/amount/history",
        "/records/contact/{contact}", "/records/contact/{contact}/related", "/records/contact/{contact}/timeline",
        "/records/note/{note}", "/records/note/{note}/related", "/records/note/{note}/timeline",
        "/records/company/{own_company}/related", "/records/deal/{own_deal}/access?action=edit",
    ],
)  # fmt: skip
def test_pages_tell_no_title_value_or_neighbour_out_of_sight(den: Den, path: str) -> None:
    answer = den.page(path.format(**den.ids))
    text = silent(answer) if "q=whis" not in path else answer.text.replace("whisper", "").replace("whis", "")
    assert "Whisper" not in text
    assert f"/records/deal/{den.ids['deal']}" not in text
    assert f"/records/lead/{den.ids['lead']}" not in text


def test_descriptions_of_the_workspace_tell_of_no_hidden_field_and_object(den: Den) -> None:
    document = den.ask("/openapi.json").json
    deal = str({path: item for path, item in document["paths"].items() if path.startswith("/api/v1/records/deal")})
    assert not any(path.startswith("/api/v1/records/lead") for path in document["paths"])
    schemas = document["components"]["schemas"]
    told = {name: schema.get("properties", {}) for name, schema in schemas.items() if name.lower().startswith("deal")}
    assert told
    assert all("amount" not in properties for name, properties in told.items() if "line" not in name.lower())
    assert "amount" not in deal.replace("amount_from_lines", "")
    leaves = {one["name"]: one["spec"] for one in den.ask("/metadata").json["components"]}
    assert "lead" not in leaves
    assert "amount" not in leaves["deal"]["fields"]
    assert den.page("/api/docs?object=lead").status_code == 404
