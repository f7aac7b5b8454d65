"""Machines with rules of every sort, and a naive judge who says by hand what those rules say by conditions."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

MACHINES = """
kind: object
name: machine
label: {one: Machine, other: Machines}
title: serial
fields:
  serial: {type: text, label: Serial, required: true}
  company: {type: link, label: Company, to: company, inverse: machines}
  price: {type: money, label: Price}
  cost: {type: money, label: Cost}
  pieces: {type: integer, label: Pieces}
  bought: {type: date, label: Bought, default_formula: "today()"}
  reason: {type: text, label: Reason}
  kind_of: {type: select, label: Kind, options: {lathe: {label: Lathe}, mill: {label: Mill}, press: {label: Press}}}
  approved: {type: boolean, label: Approved}
  profit: {type: formula, label: Profit, returns: money, value: "price - cost"}
  part_count: {type: rollup, label: Parts, over: parts, function: count}
pipelines:
  life:
    label: Life
    stages:
      ordered: {label: Ordered, status: open}
      running:
        label: Running
        status: open
        enter_if: {when: "has(company) && pieces > 0", message: "Say where it runs, and how many."}
        leave_if: {when: "has(reason)", message: "Say why it stops."}
      scrapped: {label: Scrapped, status: done}
---
kind: object
name: part
label: {one: Part, other: Parts}
title: name
fields:
  name: {type: text, label: Name}
  machine: {type: link, label: Machine, to: machine, inverse: parts}
---
{kind: rule, name: machine.profitable, refuse_if: "profit < 0", message: It costs more than it brings., field: cost}
---
kind: rule
name: machine.big_ones
when: price > 10000
required: [reason]
options: {kind_of: [lathe, mill]}
---
kind: rule
name: machine.banks
when: company.industry == "finance"
refuse_if: pieces > 5
message: Banks get five at most.
field: pieces
---
{kind: rule, name: machine.locked, when: approved, read_only: [price]}
---
kind: rule
name: machine.mills
when: kind_of == "mill"
default: {pieces: {value: 2}, reason: {formula: "concat('mill of ', company.name)"}}
---
kind: rule
name: machine.complete
when: stage_status == "done"
require: part_count == 0
message: Take the parts out first.
---
{kind: rule, name: machine.asleep, active: false, refuse_if: "true", message: Never.}
"""

Problem = tuple[str, str]
RATES = {"EUR": Decimal(1), "USD": Decimal("0.9")}


def completed(patch: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """A machine after a change, with what becoming a mill fills in."""
    after = {**before, **patch}
    if after["kind_of"] == "mill" and before["kind_of"] != "mill":
        for name, value in (("pieces", 2), ("reason", "mill of …")):
            if name not in patch and after[name] is None:
                after[name] = value
    return after


def naive(after: Mapping[str, Any], before: Mapping[str, Any] | None, banks: frozenset[str]) -> set[Problem]:
    """What is wrong with a machine as it would become; ``before`` as it was, ``banks`` the companies in finance."""
    changed = {name for name in after if before is None or after[name] != before[name]}
    found: set[Problem] = set()
    price, cost, pieces = after["price"], after["cost"], after["pieces"]
    comparable = price and cost and price["currency"] == cost["currency"] and price["currency"] in RATES
    if comparable and changed & {"price", "cost"} and Decimal(price["amount"]) < Decimal(cost["amount"]):
        found.add(("/cost", "rule.refused"))
    found |= _big(after, changed)
    if changed & {"company", "pieces"} and after["company"] in banks and pieces is not None and pieces > 5:
        found.add(("/pieces", "rule.refused"))
    if before is not None and "price" in changed and before["approved"] and after["approved"]:
        found.add(("/price", "rule.refused"))
    return found | _gates(after, before)


def _big(after: Mapping[str, Any], changed: set[str]) -> set[Problem]:
    price = after["price"]
    worth = Decimal(price["amount"]) * RATES.get(price["currency"], Decimal(0)) if price else Decimal(0)
    found: set[Problem] = set()
    if worth > 10_000:
        if changed & {"price", "reason"} and not after["reason"]:
            found.add(("/reason", "rule.refused"))
        if changed & {"price", "kind_of"} and after["kind_of"] == "press":
            found.add(("/kind_of", "rule.refused"))
    return found


def _gates(after: Mapping[str, Any], before: Mapping[str, Any] | None) -> set[Problem]:
    if before is not None and before["stage"] == after["stage"]:
        return set()
    ready = after["company"] is not None and after["pieces"] is not None and after["pieces"] > 0
    closed = after["stage"] == "running" and not ready
    stays = before is not None and before["stage"] == "running" and not after["reason"]
    return {("/stage", "stage.gate")} if closed or stays else set()
