"""Object: a kind of record, with its fields and pipelines."""

from __future__ import annotations

from app.metadata.icons import ICONS
from app.metadata.kinds import schema as form
from app.metadata.kinds.base import Kind
from app.metadata.kinds.field import FIELDS
from app.metadata.kinds.object_checks import check_object
from app.metadata.kinds.pipeline import PIPELINES

KIND = Kind(
    name="object",
    help="A kind of record: a table of its own with fields, links and pipelines.",
    schema=form.record(
        "A kind of record.",
        {
            "label": form.record(
                "What people call it.",
                {"one": form.label("One of them."), "other": form.label("Several of them.")},
                ["one", "other"],
            ),
            "help": form.guidance(),
            "icon": form.choice("An icon, by its Lucide name; all there are: schemas/object.json.", ICONS),
            "title": form.several(
                "The fields whose texts, joined by a blank, are a record's title.",
                form.refers("A field.", "field"),
                least=1,
            ),
            "title_else": form.several(
                "When those are empty: the first of these that is not.", form.refers("A field.", "field")
            ),
            "highlights": form.several("Fields at the head of a record's page.", form.refers("A field.", "field")),
            "list_columns": form.several("Columns of a list.", form.refers("A path of fields.", "path")),
            "default_sort": form.refers("How lists are sorted: a field, `-` before it for descending.", "sort"),
            "navigation": form.flag("People work with it: it stands in the navigation."),
            "timeline": form.flag("Its records have a timeline: tasks, notes and interactions."),
            "essential": form.flag("Rapport needs it: layers above may not hide it.", locked=True),
            "fields": FIELDS,
            "pipelines": PIPELINES,
        }
        | form.standing(),
        ["label", "title", "fields"],
        aliases={"title_field": "title"},
    ),
    check=check_object,
    example="""
kind: object
name: machine
label: {one: Machine, other: Machines}
icon: cog
title: serial
fields:
  serial: {type: text, label: Serial number, required: true, unique: true, searchable: true}
  company: {type: link, label: Company, to: company, on_delete: restrict, inverse: machines}
  price: {type: money, label: Price}
  bought: {type: date, label: Bought on, default_formula: today()}
  worth: {type: formula, label: Worth, returns: money, value: price * 0.8}
  part_of: {type: link, label: Part of, to: machine, inverse: parts, acyclic: true}
  old_parts: {type: rollup, label: Old parts, over: parts, function: count, when: 'bought < date("2020-01-01")'}
""",
)
