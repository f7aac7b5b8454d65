"""View: a list, board or table of an object's records with condition, sort and columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.metadata.kinds import schema as form
from app.metadata.kinds.base import OF_OBJECT, Complaint, Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from app.metadata.leaves import Plain
    from app.metadata.vocabulary import Vocabulary


def _check(name: str, leaves: Mapping[str, Plain], names: Vocabulary) -> Iterator[Complaint]:  # noqa: ARG001
    if leaves.get("shape") == "board" and not leaves.get("group_by"):
        yield Complaint("group_by", "required", "is missing: the field whose values are a board's columns")


KIND = Kind(
    name="view",
    help="A list or board of an object's records: which ones, in what order, with which columns.",
    naming=OF_OBJECT,
    named="like object.view",
    of_object=True,
    schema=form.record(
        "A view.",
        {
            "label": form.label(),
            "help": form.guidance(),
            "shape": form.choice("How records are shown; a list if left out.", ("list", "board")),
            "filter": form.condition("Which records it shows."),
            "sort": form.several(
                "Fields it is sorted by, `-` before one for descending.", form.refers("A field.", "sort")
            ),
            "columns": form.collection(
                "Its columns; a list of names will do.",
                form.record("A column.", {"width": form.whole_number("Pixels.", 40, 1_000)}),
                keys=rf"^{form.WORD}(__{form.WORD})?(\.{form.WORD}(__{form.WORD})?)*$",
                keys_refer="path",
            ),
            "group_by": form.refers("The field whose values are a board's columns.", "path"),
            "metrics": form.several(
                "Figures of each column of a board: `count`, `sum:amount`.", form.refers("A figure.", "metric")
            ),
            "roles": form.several("Roles it is offered to; everyone if left out.", form.refers("A role.", "role")),
        }
        | form.standing(),
        ["label"],
    ),
    check=_check,
    example="""
kind: view
name: deal.big
label: Big deals
filter: amount > 10000 && stage_status == "open"
sort: [-amount]
columns: [name, company.name, stage, amount]
""",
)
