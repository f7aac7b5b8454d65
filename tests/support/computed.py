"""Objects with formulas and roll-ups, and a workspace that has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.metadata import document
from app.metadata.apply import Applied, Request, apply
from app.metadata.changeset import desired
from tests.support.tenants import owner_of

if TYPE_CHECKING:
    from app.core.db import Databases
    from tenants.scope import Tenant

#: A machine of a company: formulas of every sort, and what companies and deals make of each other.
MACHINES = """
kind: object
name: machine
label: {one: Machine, other: Machines}
icon: package
title: [serial]
fields:
  serial: {type: text, label: Serial, required: true}
  company: {type: link, label: Company, to: company, on_delete: restrict, inverse: machines}
  price: {type: money, label: Price}
  cost: {type: money, label: Cost}
  pieces: {type: integer, label: Pieces}
  bought: {type: date, label: Bought}
  running: {type: boolean, label: Running}
  age: {type: formula, label: Age, returns: integer, value: "years(bought, today())"}
  profit: {type: formula, label: Profit, returns: money, value: "price - cost"}
  margin: {type: formula, label: Margin, returns: percent, value: "(price - cost) / price", indexed: true}
  doubled: {type: formula, label: Doubled, returns: decimal, value: "margin * 2"}
  name: {type: formula, label: Name, returns: text, value: "concat(serial, ' / ', pieces)", indexed: true}
  big: {type: formula, label: Big, returns: boolean, value: "price > 1000"}
  industry: {type: formula, label: Industry, returns: text, value: "company.industry"}
  share: {type: formula, label: Share, returns: decimal, value: "pieces / company.pieces"}
---
kind: field
name: company.pieces
type: rollup
label: Pieces
over: machines
function: sum
field: pieces
---
kind: field
name: company.worth
type: rollup
label: Worth
over: machines
function: sum
field: price
---
kind: field
name: company.newest
type: rollup
label: Newest
over: machines
function: max
field: bought
---
kind: field
name: company.running
type: rollup
label: Running
over: machines
function: count
when: running && pieces > 0
---
kind: field
name: company.last_serial
type: rollup
label: Last serial
over: machines
function: latest
field: serial
"""


def shape(databases: Databases, tenant: Tenant, text: str, **more: Any) -> Applied:
    """Apply the components written in ``text``, as the owner."""
    patches = document.read(text, "test.yaml")
    request = Request(source="test", by=owner_of(databases, tenant), confirm=True, **more)
    return apply(databases, tenant, lambda state: desired(state, patches, source="test"), request)
