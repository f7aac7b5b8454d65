"""The page of figures: made of what the sections found, one section at a time, with the rates of the last release."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bench import page, rates, results
from bench.results import Budget, Part
from bench.sections import NAMES

if TYPE_CHECKING:
    from pathlib import Path


def _part(text: str = "A table", rate: float = 100.0) -> Part:
    budgets = [Budget("a list", "≥ 50 %", "61 %", met=True), Budget("a board", "≤ 2 times", "3 times", met=False)]
    return Part(text, budgets, {"raw list": rate})


def test_a_section_that_ran_again_takes_the_place_of_what_it_found_before(tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    results.keep(file, "beside", _part("old"))
    results.keep(file, "clients", _part("eight clients"))
    results.keep(file, "beside", _part("new"))
    found = results.load(file)
    assert [(name, part.text) for name, part in found.items()] == [("beside", "new"), ("clients", "eight clients")]
    assert found["beside"].budgets == _part().budgets


def test_the_page_holds_every_section_and_says_which_budgets_are_met() -> None:
    text = page.assemble({name: _part(f"found by {name}") for name in NAMES})
    assert all(f"found by {name}" in text for name in NAMES)
    assert "| a list | ≥ 50 % | 61 % | met |" in text
    assert "| a board | ≤ 2 times | 3 times | **missed** |" in text
    assert "measured by tests/tenants/upgrades" in text
    assert page.PROFILE.read_text("utf-8").strip() in text


def test_a_limit_that_fell_since_the_release_is_a_missed_budget(tmp_path: Path) -> None:
    file = tmp_path / "rates.toml"
    rates.write({"raw list": 100.0, "8 clients list": 50.0}, file)
    table, [budget] = rates.compare({"beside": _part(rate=80.0)}, file)
    assert "| raw list | 100.0 | 80.0 | -20% |" in table
    assert budget.met is False
    _, [noise] = rates.compare({"beside": _part(rate=95.0)}, file)
    assert noise.met is True


def test_rates_of_another_machine_are_not_compared(tmp_path: Path) -> None:
    file = tmp_path / "rates.toml"
    rates.write({"raw list": 100.0}, file)
    elsewhere = replace(_part(rate=10.0), machine="another, slower, 1 core")
    table, [budget] = rates.compare({"beside": elsewhere}, file)
    assert "| raw list | - | 10.0 | - |" in table
    assert budget.met is None


def test_the_page_in_the_checkout_is_made_of_the_results_in_the_checkout() -> None:
    assert page.PAGE.read_text("utf-8") == page.assemble(results.load(results.FULL))
