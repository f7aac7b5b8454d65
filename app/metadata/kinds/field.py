"""Field: a named value of an object, written by itself (``deal.vat_id``) or within its object."""

from __future__ import annotations

from typing import Final

from app.expressions.answer import RETURNS
from app.metadata import fieldtypes
from app.metadata.fieldtypes import rating
from app.metadata.kinds import schema as form
from app.metadata.kinds.base import Nested
from app.metadata.kinds.option_set import OPTIONS

#: Types that are computed, never written.
COMPUTED: Final = ("formula", "rollup")
#: What the engine itself adds to objects.
_ENGINE: Final = frozenset({"pipeline", "stage", "uuid"})
TYPES: Final = tuple(sorted((set(fieldtypes.REGISTRY) | set(COMPUTED)) - _ENGINE))
FUNCTIONS: Final = ("count", "sum", "min", "max", "avg", "latest")
LINKS: Final = ("link", "reference")
SELECTS: Final = ("select", "multi_select")

FIELD = form.record(
    "A field.",
    {
        "type": form.choice("Its field type.", TYPES, locked=True),
        "label": form.label(),
        "help": form.guidance(),
        "required": form.flag("A record can't be saved without it."),
        "unique": form.choice(
            "No two records share a value: true (or folded) ignores case, exact does not.",
            (True, False, "folded", "exact"),
        ),
        "searchable": form.flag("Search looks into it."),
        "indexed": form.flag("Lists filter and sort by it fast; a roll-up is kept ready."),
        "readonly": form.flag("Written by Rapport only.", locked=True),
        "sensitive": form.flag("Personal or secret: masked in exports of the log, purged with a rewrite."),
        "default": {
            "type": ["string", "integer", "boolean", "array"],
            "items": {"type": "string"},
            "description": "The value a new record gets. `{value: …}` is short for `default_formula`.",
        },
        "default_formula": form.formula("An expression that gives a new record's value: `today()`."),
        "options": OPTIONS,
        "option_set": form.refers("The option set its choices come from, instead of `options`.", "option_set"),
        "open": form.flag("Imports and people with the right may add options."),
        "max": form.whole_number("How many stars a rating has; 5 when left out.", rating.LEAST, rating.MOST),
        "to": form.several(
            "The object a link leads to; several for a reference, `*` for every object with a timeline.",
            form.refers("An object.", "object"),
            least=1,
            locked=True,
        ),
        "on_delete": form.choice(
            "What happens to the record when what it links to goes to the trash.", ("restrict", "cascade", "clear")
        ),
        "inverse": {
            "type": "string",
            "pattern": form.NAME,
            "maxLength": form.NAME_LIMIT,
            "description": "What the linked record calls the records that link to it.",
            "x-locked": True,
        },
        "acyclic": form.flag("Records must not link to each other in a circle.", locked=True),
        "primary_of": form.refers("The field with all values, of which this is the primary one.", "field", locked=True),
        "returns": form.choice("What a formula gives.", RETURNS, locked=True),
        "value": form.formula("The expression of a formula."),
        "over": form.refers("The link whose records a roll-up looks at: `deals`, the inverse of a link.", "inverse"),
        "function": form.choice("What a roll-up does with them.", FUNCTIONS),
        "field": form.text("The field of those records a roll-up looks at.", form.LABEL_LIMIT, over="field"),
        "when": form.text(
            "Which of those records a roll-up looks at.", form.CONDITION_LIMIT, over="condition", format="condition"
        ),
        "essential": form.flag("Rapport needs it: layers above may not hide it.", locked=True),
    },
    ["type"],
)
FIELDS = form.collection("The fields.", FIELD)

KIND = Nested(
    name="field",
    help="A field of an object: it adds to the object without restating it.",
    root="object",
    collections=("fields",),
    schema=FIELD,
    example="""
kind: field
name: deal.vat_id
type: text
label: VAT number
unique: true
""",
)
