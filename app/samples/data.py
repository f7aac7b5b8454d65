"""The demo set itself: a few companies, people, deals and what was talked about. Names and numbers are made up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Ref:
    """An earlier sample; ``object`` only where the field is a reference of several objects."""

    key: str
    object: str = ""


@dataclass(frozen=True, slots=True)
class Day:
    """A day relative to today."""

    offset: int


@dataclass(frozen=True, slots=True)
class Hour:
    """A moment relative to now, in hours."""

    offset: int


@dataclass(frozen=True, slots=True)
class Asker:
    """The member who asked for the samples; nobody where it was a program."""


Sample = tuple[str, str, dict[str, Any]]

_COMPANIES: Final[tuple[Sample, ...]] = (
    (
        "company",
        "nordwind",
        {
            "name": "Sample Energy",
            "domain": "energy.example",
            "relationship": ["customer"],
            "industry": "energy",
            "employees": 240,
            "annual_revenue": 38_000_000,
            "billing_address": {"line1": "1 Sample Street", "city": "Hamburg", "postal_code": "20457", "country": "DE"},
        },
    ),
    (
        "company",
        "bluebird",
        {
            "name": "Sample Logistics",
            "domain": "logistics.example",
            "relationship": ["prospect"],
            "employees": 85,
            "billing_address": {"line1": "2 Sample Street", "city": "Leeds", "postal_code": "LS1 4AX", "country": "GB"},
        },
    ),
    (
        "company",
        "solis",
        {
            "name": "Sample Pharma",
            "domain": "pharma.example",
            "relationship": ["prospect"],
            "employees": 1200,
            "billing_address": {
                "line1": "3 Sample Street",
                "city": "Barcelona",
                "postal_code": "08029",
                "country": "ES",
            },
        },
    ),
    (
        "company",
        "tern",
        {
            "name": "Sample Architects",
            "domain": "architects.example",
            "relationship": ["customer", "partner"],
            "employees": 32,
        },
    ),
)

_CONTACTS: Final[tuple[Sample, ...]] = (
    (
        "contact",
        "mira",
        {
            "first_name": "Alex",
            "last_name": "Sample",
            "job_title": "Head of Purchasing",
            "email": "alex@energy.example",
            "company": Ref("nordwind"),
            "lifecycle": "customer",
        },
    ),
    (
        "contact",
        "owen",
        {
            "first_name": "Robin",
            "last_name": "Sample",
            "job_title": "Operations Director",
            "email": "robin@logistics.example",
            "company": Ref("bluebird"),
            "lifecycle": "opportunity",
        },
    ),
    (
        "contact",
        "lucia",
        {
            "first_name": "Sam",
            "last_name": "Sample",
            "job_title": "Chief Information Officer",
            "email": "sam@pharma.example",
            "company": Ref("solis"),
            "lifecycle": "opportunity",
        },
    ),
    (
        "contact",
        "tobias",
        {
            "first_name": "Kim",
            "last_name": "Sample",
            "job_title": "Partner",
            "email": "kim@architects.example",
            "company": Ref("tern"),
            "lifecycle": "customer",
        },
    ),
)

_PRODUCTS: Final[tuple[Sample, ...]] = (
    (
        "product",
        "starter",
        {"name": "Starter plan", "code": "SAMPLE-START", "price": 1200, "active": True, "recurring": "year"},
    ),
    ("product", "onboarding", {"name": "Onboarding", "code": "SAMPLE-ONB", "price": 2500, "active": True}),
)

_DEALS: Final[tuple[Sample, ...]] = (
    (
        "deal",
        "d1",
        {
            "name": "Sample Energy renewal",
            "company": Ref("nordwind"),
            "contact": Ref("mira"),
            "stage": "negotiation",
            "amount": 24_000,
            "close_on": Day(12),
            "product": Ref("starter"),
        },
    ),
    (
        "deal",
        "d2",
        {
            "name": "Sample Logistics rollout",
            "company": Ref("bluebird"),
            "contact": Ref("owen"),
            "stage": "proposal",
            "amount": 18_500,
            "close_on": Day(30),
        },
    ),
    (
        "deal",
        "d3",
        {
            "name": "Sample Pharma pilot",
            "company": Ref("solis"),
            "contact": Ref("lucia"),
            "stage": "meeting",
            "amount": 42_000,
            "close_on": Day(55),
        },
    ),
    (
        "deal",
        "d4",
        {
            "name": "Sample Architects seats",
            "company": Ref("tern"),
            "contact": Ref("tobias"),
            "stage": "won",
            "amount": 3600,
            "opened_on": Day(-40),
            "close_on": Day(-6),
        },
    ),
    (
        "deal",
        "d5",
        {
            "name": "Sample Pharma archive",
            "company": Ref("solis"),
            "stage": "lost",
            "amount": 9000,
            "lost_reason": "price",
            "opened_on": Day(-70),
            "close_on": Day(-20),
        },
    ),
    (
        "deal",
        "d6",
        {
            "name": "Sample Energy second site",
            "company": Ref("nordwind"),
            "stage": "new",
            "amount": 15_000,
            "close_on": Day(80),
        },
    ),
)

_LEADS: Final[tuple[Sample, ...]] = (
    (
        "lead",
        "l1",
        {
            "first_name": "Toni",
            "last_name": "Sample",
            "company_name": "Sample Labs",
            "email": "toni@labs.example",
            "rating": "hot",
            "status": "working",
        },
    ),
    (
        "lead",
        "l2",
        {
            "first_name": "Chris",
            "last_name": "Sample",
            "company_name": "Sample Foods",
            "email": "chris@foods.example",
            "rating": "warm",
            "status": "new",
        },
    ),
)

_ACTIVITIES: Final[tuple[Sample, ...]] = (
    (
        "task",
        "t1",
        {
            "title": "Send Sample Energy the revised offer",
            "due_at": Hour(26),
            "priority": "high",
            "assignee": Asker(),
        },
    ),
    ("record_link", "t1l", {"from": Ref("t1", "task"), "to": Ref("d1", "deal"), "role": "about"}),
    (
        "task",
        "t2",
        {
            "title": "Prepare the pilot's scope with Sam",
            "due_at": Hour(74),
            "priority": "normal",
            "assignee": Asker(),
        },
    ),
    ("record_link", "t2l", {"from": Ref("t2", "task"), "to": Ref("d3", "deal"), "role": "about"}),
    ("note", "n1", {"body": "<p>They need delivery notes by e-mail and a single invoice a month.</p>"}),
    ("record_link", "n1l", {"from": Ref("n1", "note"), "to": Ref("d2", "deal"), "role": "about"}),
    (
        "interaction",
        "i1",
        {"channel": "call", "direction": "out", "subject": "Renewal: terms and dates", "starts_at": Hour(-30)},
    ),
    ("record_link", "i1l", {"from": Ref("i1", "interaction"), "to": Ref("d1", "deal"), "role": "about"}),
    ("record_link", "i1m", {"from": Ref("i1", "interaction"), "to": Ref("mira", "contact"), "role": "to"}),
)

#: In the order they are made: links point backwards.
RECORDS: Final[tuple[Sample, ...]] = (*_COMPANIES, *_CONTACTS, *_PRODUCTS, *_DEALS, *_LEADS, *_ACTIVITIES)
