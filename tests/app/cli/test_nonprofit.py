"""The example of a nonprofit: its folder applied, fourteen linked files imported, all taken back and brought back.

The commands are those of docs/examples/nonprofit, on the machine itself and over HTTP with a key.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import shlex
import threading
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from werkzeug.serving import make_server

from app.cli import main
from app.imports.run import run_import
from tests.support.api import Api, make_key
from tests.support.desk import Desk
from tests.support.imports import DATA, needs_data, query
from tests.support.web import build_site

if TYPE_CHECKING:
    from flask import Flask

    from app.core.ports import Runtime
    from tenants.scope import Tenant
    from tests.support.tenants import NewTenant
    from tests.support.web import Page

EXAMPLE = Path(__file__).resolve().parents[3] / "docs" / "examples" / "nonprofit"
NPSP = DATA / "crm" / "npsp_dev_org"
#: Each file stands on those before it.
FILES = ("accounts", "donations", "contacts", "campaigns", "payments", "funds", "pages")
ROWS = {
    "Account_rt_mapping": 2, "Account": 167, "Address__c": 266, "Contact": 102, "npe4__Relationship__c": 248,
    "Campaign": 13, "CampaignMember": 165, "npe03__Recurring_Donation__c": 1, "Opportunity": 342,
    "OpportunityContactRole": 999, "Partial_Soft_Credit__c": 129, "npe01__OppPayment__c": 644,
    "General_Accounting_Unit__c": 50, "Allocation__c": 100,
}  # fmt: skip
WON = Decimal(217_520)
BY_YEAR = {2016: 61_800, 2017: 73_678, 2018: 47_289, 2019: 6_146, 2021: 28_607}
STAGES = {
    "Closed Won": 294, "Pledged": 34, "Closed Lost": 6, "Needs Analysis": 3, "Id. Decision Makers": 1,
    "Proposal/Price Quote": 1, "Prospecting": 1, "Qualification": 1, "Value Proposition": 1,
}  # fmt: skip

OBJECTS = (
    "company", "contact", "deal", "campaign", "recurring_donation", "accounting_unit", "payment", "campaign_members",
    "contact_relationships", "deal_soft_credits", "household_address", "allocation",
)  # fmt: skip

Rapport = Callable[..., Any]


@pytest.fixture
def rapport(same_servers: None) -> Rapport:
    """Run ``rapport … --json`` and hand back its document; it must end well unless told otherwise."""

    def run(*arguments: str, code: int = 0) -> Any:
        out = io.StringIO()
        with contextlib.redirect_stdout(out), pytest.raises(SystemExit) as ended:
            main([*arguments, "--json"])
        assert ended.value.code == code, out.getvalue()
        return json.loads(out.getvalue())

    return run


@pytest.fixture(scope="module")
def site(runtime: Runtime) -> Flask:
    return build_site(runtime)


@pytest.fixture
def over_http(
    site: Flask, runtime: Runtime, new_tenant: NewTenant, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Tenant, Api]]:
    """A workspace that RAPPORT_URL and RAPPORT_API_KEY name: a server that answers, a worker that does its imports."""
    tenant = new_tenant(currency="USD")
    server = make_server("127.0.0.1", 0, site, threaded=True)
    ended = threading.Event()
    threads = [
        threading.Thread(target=server.serve_forever, daemon=True),
        threading.Thread(target=_import_what_comes, args=(runtime, tenant, ended), daemon=True),
    ]
    for thread in threads:
        thread.start()
    key = make_key(runtime.databases, tenant)
    monkeypatch.setenv("RAPPORT_URL", f"http://{tenant.host}:{server.server_port}")
    monkeypatch.setenv("RAPPORT_API_KEY", key)
    yield tenant, Api(site, key)
    ended.set()
    server.shutdown()
    for thread in threads:
        thread.join(timeout=10)
    server.server_close()


def _import_what_comes(runtime: Runtime, tenant: Tenant, ended: threading.Event) -> None:
    while not ended.wait(0.05):
        for (import_id,) in query(runtime, tenant, "select id from import where state = 'queued'"):
            run_import(runtime, tenant.id, import_id)


def import_all(rapport: Rapport, *where: str) -> dict[str, dict[str, Any]]:
    """Run the commands of import.sh; what each file came to."""
    lines = (EXAMPLE / "import.sh").read_text().replace("\\\n", " ").splitlines()
    commands = [shlex.split(line)[1:-1] for line in lines if line.startswith("rapport import ")]
    found: dict[str, dict[str, Any]] = {}
    for command in commands:
        file = Path(command[1].replace("$data", str(NPSP)))
        found[file.stem] = rapport("import", str(file), *command[2:], *where)
    return found


#: Donations of which the file has two primary people.
SECOND_DONORS = 202


def assert_accounted_for(done: dict[str, dict[str, Any]]) -> None:
    """Every row of every file was created; none is lost without a word, nor is a second donor of a donation."""
    for name, found in done.items():
        ended = [found[what] for what in ("created", "updated", "skipped", "failed")]
        assert sum(ended) == found["rows"] == ROWS[name], (name, found)
        told = SECOND_DONORS if name == "OpportunityContactRole" else 0
        assert (found["created"], found["warnings"]) == (found["rows"], told), (name, found)
        assert bool(found["errors_file"]) == bool(told), (name, found)
    assert done.keys() == ROWS.keys()
    assert {file.stem for file in NPSP.glob("*.csv")} == ROWS.keys()


def money(value: dict[str, str]) -> Decimal:
    assert value["currency"] == "USD"
    return Decimal(value["amount"])


def grouped(api: Api, name: str, by: str, metric: str, filter_: str = "") -> dict[Any, Any]:
    """Figures of ``aggregate`` by the values of a field."""
    more = {"filter": filter_} if filter_ else {}
    found = api.get(f"/records/{name}/aggregate", group_by=by, metrics=metric, **more)["data"]
    return {next(iter(one["group"].values())): one[metric.replace(":", "_")] for one in found}


def total(api: Api, name: str, metric: str) -> Any:
    return api.get(f"/records/{name}/aggregate", metrics=metric)["data"][0][metric.replace(":", "_")]


def assert_gifts_add_up(api: Api) -> None:
    """The known figures: asked of the donations, and through the roll-ups of households, contacts and the like."""
    won = 'stage_status == "won"'
    assert money(grouped(api, "deal", "stage", "sum:amount")["closed_won"]) == WON
    years = grouped(api, "deal", "fiscal_year", "sum:amount", won)
    assert {int(year): money(amount) for year, amount in years.items()} == BY_YEAR
    years = grouped(api, "deal", "close_on:year", "sum:amount", won)
    assert {int(year): money(amount) for year, amount in years.items()} == BY_YEAR
    assert money(total(api, "company", "sum:total_giving")) == WON
    assert (int(total(api, "company", "sum:gifts")), total(api, "deal", "count")) == (294, 342)
    (best,) = api.get("/records/company", sort="-total_giving", limit="1")["data"]
    assert (money(best["total_giving"]), best["gifts"], money(best["largest_gift"])) == (54_760, 112, 998)
    assert (best["first_gift_on"], best["last_gift_on"], best["giving_level"]) == ("2016-02-04", "2019-12-15", "Major")


@needs_data
def test_every_row_of_the_files_is_created_and_the_gifts_add_up(
    rapport: Rapport, runtime: Runtime, site: Flask, new_tenant: NewTenant, tmp_path: Path
) -> None:
    tenant = new_tenant(currency="USD")
    where = ("--tenant", tenant.slug)
    rapport("metadata", "plan", str(EXAMPLE), *where)
    assert rapport("metadata", "apply", str(EXAMPLE), *where)["change"]
    assert_accounted_for(import_all(rapport, *where))
    api = Api(site, make_key(runtime.databases, tenant))
    assert_gifts_add_up(api)
    labels = {name: stage["label"] for name, stage in _stages(rapport, where).items()}
    assert {labels[name]: n for name, n in grouped(api, "deal", "stage", "count").items()} == STAGES
    assert_linked_as_the_files_say(api)
    assert_records_lead_back_to_their_rows(api)

    assert_pages_show_them(api, Desk(site, runtime, tenant))

    assert rapport("metadata", "apply", str(EXAMPLE), *where)["change"] is None
    assert_what_breaks_a_rule_is_told(rapport, where, tmp_path)


def _stages(rapport: Rapport, where: tuple[str, ...]) -> dict[str, Any]:
    components = rapport("metadata", "export", "--layer", "effective", *where)["components"]
    (deal,) = (one for one in components if (one["kind"], one["name"]) == ("object", "deal"))
    found: dict[str, Any] = deal["pipelines"]["donation"]["stages"]
    return found


def assert_linked_as_the_files_say(api: Api) -> None:
    roles = grouped(api, "deal_contact", "role", "count")
    assert roles == {"donor": 513, "household_member": 234, "soft_credit": 162, "influencer": 90}
    # Two rows a gift say that they are primary, of the same person: the last stays so.
    assert grouped(api, "deal_contact", "primary", "count") == {True: 322, False: 677}
    assert total(api, "deal", "count") - len(_all(api, "deal", "contact == null")) == 322
    assert grouped(api, "contact_relationships", "kind", "count") == {"employee": 200, "partner": 48}
    assert grouped(api, "company", "kind", "count") == {"household": 87, "organisation": 80}
    assert money(total(api, "contact", "sum:soft_credit")) == money(total(api, "deal_soft_credits", "sum:amount"))
    assert money(total(api, "accounting_unit", "sum:allocated")) == money(total(api, "allocation", "sum:amount"))
    assert grouped(api, "payment", "paid", "count") == {True: 485, False: 159}
    assert money(total(api, "deal", "sum:paid")) == money(grouped(api, "payment", "paid", "sum:amount")[True])
    (monthly,) = _all(api, "recurring_donation")
    assert (monthly["instalments_count"], money(monthly["per_year"])) == (46, 900)
    assert {one["members_count"] for one in _all(api, "campaign")} == {5, 10, 100}
    assert total(api, "affiliation", "count") == 100


def assert_records_lead_back_to_their_rows(api: Api) -> None:
    """The file's links and the workspace's, told by the ids of the system before, are the same."""
    with (NPSP / "OpportunityContactRole.csv").open(encoding="utf-8", newline="") as stream:
        told = {(row["id"], row["ContactId"], row["OpportunityId"]) for row in csv.DictReader(stream)}
    contacts = {one["id"]: one["external_id"] for one in _all(api, "contact")}
    deals = {one["id"]: one["external_id"] for one in _all(api, "deal")}
    rows = _all(api, "deal_contact")
    assert {(one["external_id"], contacts[one["contact"]], deals[one["deal"]]) for one in rows} == told
    with (NPSP / "npe4__Relationship__c.csv").open(encoding="utf-8", newline="") as stream:
        told = {(row["id"], row["npe4__Contact__c"], row["npe4__RelatedContact__c"]) for row in csv.DictReader(stream)}
    rows = _all(api, "contact_relationships")
    assert {(one["external_id"], contacts[one["contact"]], contacts[one["other_contact"]]) for one in rows} == told


def _all(api: Api, name: str, filter_: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    more = {"filter": filter_} if filter_ else {}
    page = api.get(f"/records/{name}", limit="200", **more)
    while True:
        found += page["data"]
        if page["next"] is None:
            return found
        page = api.get(f"/records/{name}", limit="200", cursor=page["next"], **more)


def assert_pages_show_them(api: Api, desk: Desk) -> None:
    """A list and a record's page of every object of the example, in the words of the workspace."""
    for name in OBJECTS:
        (record,) = api.get(f"/records/{name}", limit="1")["data"]
        for path in (f"/records/{name}", f"/records/{name}/{record['id']}"):
            assert patiently(desk, path).status == 200, path
    (best,) = api.get("/records/contact", sort="-total_giving", limit="1")["data"]
    told = patiently(desk, f"/records/contact/{best['id']}").text
    assert "Open donations" in told
    assert "Open deals" not in told
    assert "Untitled" not in patiently(desk, "/records/payment").text


def patiently(desk: Desk, path: str) -> Page:
    """A page; on a machine too busy to answer within the time a page has, asked for again."""
    for _ in range(4):
        page = desk.get(path)
        if page.status != 503:
            return page
    return desk.get(path)


def assert_what_breaks_a_rule_is_told(rapport: Rapport, where: tuple[str, ...], folder: Path) -> None:
    payments = folder / "payments.csv"
    payments.write_text(
        "deal,amount,paid,paid_on,written_off\n"
        "1,10,true,2026-01-02,\n1,,false,,\n1,10,true,,\n1,10,true,2026-01-02,true\n0,10,false,,\n"
    )
    links = ("--link-by", "deal:external_id")
    found = rapport("import", str(payments), "--object", "payment", *links, *where)
    assert (found["rows"], found["created"], found["failed"]) == (5, 1, 4)
    with Path(found["errors_file"]).open(encoding="utf-8", newline="") as stream:
        reasons = [(row["row"], row["reason"]) for row in csv.DictReader(stream)]
    assert reasons == [
        ("3", "A payment needs an amount greater than zero."),
        ("4", "Date is required."),
        ("5", "A payment is paid or written off, not both."),
        ("6", "There is no donation whose External id is '0'."),
    ]


@needs_data
def test_over_http_file_by_file_and_all_of_it_taken_back_and_brought_back_with_the_data_in(
    rapport: Rapport, over_http: tuple[Tenant, Api]
) -> None:
    _, api = over_http
    for name in FILES:
        assert rapport("metadata", "apply", str(EXAMPLE / f"{name}.yaml"), "--note", name)["change"], name
    assert rapport("metadata", "plan", str(EXAMPLE))["steps"] == []
    assert_accounted_for(import_all(rapport))
    assert_gifts_add_up(api)
    shaped = rapport("metadata", "export")["components"]
    before = {name: total(api, name, "count") for name in ("payment", "contact_relationships", "deal_contact", "deal")}

    made = [one["id"] for one in rapport("metadata", "changes")["data"]]
    assert len(made) == len(FILES) + 1  # the import added an option
    back = [rapport("metadata", "revert", id_, "--yes")["change"] for id_ in made]
    assert rapport("metadata", "export")["components"] == []
    assert total(api, "deal", "count") == before["deal"]
    assert money(total(api, "deal", "sum:amount")) > WON
    assert api.call("GET", "/records/payment").status_code == 404

    for id_ in reversed(back):
        rapport("metadata", "revert", id_)
    assert rapport("metadata", "export")["components"] == shaped
    assert rapport("metadata", "plan", str(EXAMPLE))["steps"] == []
    assert {name: total(api, name, "count") for name in before} == before
    assert_gifts_add_up(api)
    assert_linked_as_the_files_say(api)


def test_an_export_of_the_example_makes_an_equal_workspace(
    rapport: Rapport, new_tenant: NewTenant, tmp_path: Path
) -> None:
    one, other = new_tenant(currency="USD").slug, new_tenant(currency="USD").slug
    assert rapport("metadata", "apply", str(EXAMPLE), "--tenant", one)["repairs"] == []
    assert rapport("metadata", "apply", str(EXAMPLE), "--tenant", one)["change"] is None
    rapport("metadata", "export", str(tmp_path), "--tenant", one)
    assert rapport("metadata", "apply", str(tmp_path), "--tenant", other)["change"]
    for layer in ("tenant", "effective"):
        exported = [rapport("metadata", "export", "--layer", layer, "--tenant", slug) for slug in (one, other)]
        assert exported[0]["components"] == exported[1]["components"]
