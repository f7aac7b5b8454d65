"""`rapport metadata`: a workspace as a folder of YAML."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from app.cli import main
from app.records.write import create_record
from tenants.scope import SYSTEM, enter_job

if TYPE_CHECKING:
    from pathlib import Path

    from app.core.db import Databases
    from tenants.scope import Tenant
    from tests.support.tenants import NewTenant

Rapport = Callable[..., tuple[int, Any]]

FILES = {
    "machine.yaml": """
kind: object
name: machine
label: {one: Machine, other: Machines}
title: serial
fields:
  serial: {type: text, label: Serial, unique: true}
  company: {type: link, label: Company, to: company, inverse: machines}
""",
    "sales/stages.yaml": """
kind: stage
name: deal.sales.demo
label: Demo
status: open
---
kind: stage
name: deal.sales.meeting
remove: true
""",
}


def make_deals(databases: Databases, tenant: Tenant, *, size: str, count: int) -> None:
    """Deals that hold an option."""
    with enter_job(databases, tenant.id, actor=SYSTEM, write=True) as scope:
        for _ in range(count):
            create_record(scope, "deal", {"name": "Acme", "size": size})


@pytest.fixture
def rapport(same_servers: None, capsys: pytest.CaptureFixture[str]) -> Rapport:
    """Run ``rapport metadata … --json``; exit code and document."""

    def run(*arguments: str) -> tuple[int, Any]:
        with pytest.raises(SystemExit) as ended:
            main(["metadata", *arguments, "--json"])
        out = capsys.readouterr().out.splitlines()
        assert isinstance(ended.value.code, int)
        return ended.value.code, json.loads(out[0])

    return run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder as it lies in git."""
    for name, text in FILES.items():
        file = tmp_path / "crm" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return tmp_path / "crm"


def test_a_folder_is_applied_exported_applied_elsewhere_and_taken_back(
    rapport: Rapport, new_tenant: NewTenant, folder: Path, tmp_path: Path
) -> None:
    one, other = new_tenant().slug, new_tenant().slug
    code, planned = rapport("plan", str(folder), "--tenant", one)
    assert (code, {step["op"] for step in planned["steps"]}) == (0, {"add", "remove", "change"})
    assert rapport("export", "--tenant", one)[1]["components"] == []
    code, applied = rapport("apply", str(folder), "--tenant", one, "--note", "From git")
    assert (code, bool(applied["change"])) == (0, True)
    assert rapport("apply", str(folder), "--tenant", one)[1]["change"] is None

    exported = tmp_path / "exported"
    code, found = rapport("export", str(exported), "--tenant", one)
    assert sorted(file.relative_to(exported).as_posix() for file in exported.rglob("*.yaml")) == [
        "object/deal.yaml", "object/machine.yaml",
    ]  # fmt: skip
    assert rapport("apply", str(exported), "--tenant", other)[0] == 0
    assert rapport("export", "--tenant", other)[1]["components"] == found["components"]
    effective = [rapport("export", "--tenant", who, "--layer", "effective")[1]["components"] for who in (one, other)]
    assert effective[0] == effective[1]

    code, history = rapport("changes", "--tenant", one)
    assert [(change["source"], change["note"]) for change in history["data"]] == [("git", "From git")]
    assert rapport("revert", applied["change"], "--tenant", one)[0] == 0
    assert rapport("export", "--tenant", one)[1]["components"] == []


def test_who_holds_what_goes_is_told_as_the_page_tells_it(
    rapport: Rapport, new_tenant: NewTenant, databases: Databases, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tenant = new_tenant()
    file = tmp_path / "size.yaml"
    field = "kind: field\nname: deal.size\ntype: select\nlabel: Size\noptions: {large: Large%s}\n"
    file.write_text(field % ", small: Small")
    with_small = rapport("apply", str(file), "--tenant", tenant.slug)[1]
    assert with_small["holding"] == []
    make_deals(databases, tenant, size="small", count=2)
    file.write_text("kind: object\nname: deal\nfields: {size: {options: {small: {remove: true}}}}\n")
    words = "2 records hold Small: what they hold stays as it is until somebody changes it."
    held = [{"component": "object/deal", "path": "fields.size.options.small", "count": 2, "message": words}]
    assert rapport("plan", str(file), "--tenant", tenant.slug)[1]["holding"] == held
    with pytest.raises(SystemExit):
        main(["metadata", "plan", str(file), "--tenant", tenant.slug])
    assert f"Note: {words}" in capsys.readouterr().err
    gone = rapport("apply", str(file), "--tenant", tenant.slug)[1]
    assert gone["holding"] == held
    assert rapport("revert", gone["change"], "--tenant", tenant.slug)[1]["holding"] == []
    file.write_text("kind: object\nname: deal\nfields: {size: {options: {medium: Medium}}}\n")
    added = rapport("apply", str(file), "--tenant", tenant.slug)[1]["change"]
    make_deals(databases, tenant, size="medium", count=1)
    back = rapport("revert", added, "--tenant", tenant.slug)[1]["holding"]
    assert [(one["path"], one["count"]) for one in back] == [("fields.size.options.medium", 1)]


def test_what_was_changed_by_hand_is_told_and_pruned(rapport: Rapport, new_tenant: NewTenant, folder: Path) -> None:
    slug = new_tenant().slug
    rapport("apply", str(folder), "--tenant", slug)
    hand = folder.parent / "hand.yaml"
    hand.write_text("kind: stage\nname: deal.sales.demo\nlabel: Show\n")
    rapport("apply", str(hand), "--tenant", slug, "--source", "settings")
    assert [one["after"] for one in rapport("changes", "--drift", "git", "--tenant", slug)[1]["data"]] == ["Show"]
    planned = rapport("plan", str(folder), "--tenant", slug)[1]
    assert "drift" in {one["code"] for one in planned["warnings"]}
    (folder / "machine.yaml").unlink()
    code, refused = rapport("apply", str(folder), "--tenant", slug, "--prune")
    assert (code, refused.get("error", {}).get("code")) == (0, None)
    names = [one["name"] for one in rapport("export", "--tenant", slug)[1]["components"]]
    assert names == ["deal"]


def test_what_is_wrong_is_told_with_its_file(rapport: Rapport, new_tenant: NewTenant, folder: Path) -> None:
    slug = new_tenant().slug
    (folder / "bad.yaml").write_text("kind: field\nname: deal.x\ntype: txt\nlabel: X\n")
    code, document = rapport("apply", str(folder), "--tenant", slug)
    assert code == 2
    assert "bad.yaml" in document["error"]["message"]
    (folder / "bad.yaml").unlink()
    assert rapport("plan", str(folder / "none"), "--tenant", slug)[0] == 3
    assert rapport("plan", str(folder), "--tenant", "nobody-here")[0] == 3
