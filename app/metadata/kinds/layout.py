"""Layout: how a record's page is arranged, by role and by what the record is."""

from __future__ import annotations

from app.metadata.kinds import schema as form
from app.metadata.kinds.base import OF_OBJECT, Kind

_ITEM = form.record(
    "A field in a section.",
    {
        "wide": form.flag("Takes the whole width."),
        "label": form.text("Another label here."),
        "when": form.condition("Shown only when this holds."),
    },
)
_SECTION = form.record(
    "A section.",
    {
        "label": form.label(),
        "columns": form.whole_number("Columns side by side.", 1, 3),
        "collapsed": form.flag("Folded at first."),
        "when": form.condition("Shown only when this holds."),
        "fields": form.collection("Its fields; a list of names will do.", _ITEM, keys_refer="field"),
    },
    ["label"],
)
_RELATED = form.record(
    "A list of linked records.",
    {
        "label": form.text("Another label here."),
        "columns": form.several("Columns shown.", form.refers("A field.", "path")),
    },
)
_TAB = form.record(
    "A tab.",
    {
        "label": form.label(),
        "when": form.condition("Shown only when this holds."),
        "sections": form.collection("Its sections.", _SECTION),
        "related": form.collection("Lists of linked records, by the link's inverse.", _RELATED, keys_refer="inverse"),
    },
    ["label"],
)

KIND = Kind(
    name="layout",
    help="How a record's page is arranged: tabs, sections, fields, related lists; by role and by what the record is.",
    naming=OF_OBJECT,
    named="like object.layout",
    of_object=True,
    schema=form.record(
        "A layout.",
        {
            "label": form.label(),
            "help": form.guidance(),
            "roles": form.several("Roles that see it; everyone if left out.", form.refers("A role.", "role")),
            "when": form.condition("Records it is for; all if left out. The first that fits is taken, by rank."),
            "highlights": form.several("Fields at the head of the page.", form.refers("A field.", "field")),
            "tabs": form.collection("Its tabs.", _TAB),
        }
        | form.standing(),
        ["label", "tabs"],
    ),
    example="""
kind: layout
name: company.household
label: Household
when: kind == "household"
highlights: [phone, email]
tabs:
  overview:
    label: Overview
    sections:
      about: {label: About, columns: 2, fields: [name, phone, email]}
    related: [contacts, deals]
""",
)
