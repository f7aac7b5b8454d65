"""How the schema of a kind is written: JSON Schema (2020-12) with descriptions, plus notes of our own.

Notes begin with ``x-``; other readers of JSON Schema pass over them:

- ``x-collection``: a map by name whose items have an order (``rank``) and may be hidden or retired;
- ``x-shorthand``: the property an item written as a plain text means; ``x-aliases``: other names of properties;
- ``x-many``: a single value may be written for a list of one; ``x-decimal``: numbers are kept as text;
- ``x-refers``: what the value names (object, field, path, sort, inverse, option_set, role, metric);
  ``x-keys-refer``: what its keys name;
- ``x-condition``, ``x-formula``: an expression of the condition language over the component's object;
- ``x-over``: a field, or a condition, of the records behind the link to many that ``over`` beside it names;
- ``x-locked``: only the layer that made the item may say it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, TypeAlias, cast

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Schema: TypeAlias = "dict[str, object]"
Refers: TypeAlias = Literal["object", "field", "path", "sort", "inverse", "option_set", "role", "metric"]

WORD: Final = "[a-z][a-z0-9]*(_[a-z0-9]+)*"
#: A name, with the publisher's before it for what an extension owns.
NAME: Final = f"^{WORD}(__{WORD})?$"
NAME_LIMIT: Final = 50
LABEL_LIMIT: Final = 100
HELP_LIMIT: Final = 1_000
CONDITION_LIMIT: Final = 10_000
COLORS: Final = (
    "slate", "blue", "sky", "teal", "green", "lime", "amber", "orange", "red", "pink", "violet", "indigo",
)  # fmt: skip
#: What every item of a collection may say beside its own.
_ITEM: Final = ("rank", "retired", "hidden")


def text(description: str, limit: int = LABEL_LIMIT, **notes: object) -> Schema:
    """A text of at most ``limit`` characters."""
    return {"type": "string", "maxLength": limit, "description": description} | _notes(notes)


def label(description: str = "What people call it.") -> Schema:
    """A label; where it may be left out it is made of the name."""
    return {"type": "string", "minLength": 1, "maxLength": LABEL_LIMIT, "description": description}


def guidance() -> Schema:
    """A sentence for people."""
    return text("A sentence that helps people use it.", HELP_LIMIT)


def flag(description: str, **notes: object) -> Schema:
    """True or false."""
    return {"type": "boolean", "description": description} | _notes(notes)


def whole_number(description: str, least: int, most: int) -> Schema:
    """A whole number."""
    return {"type": "integer", "minimum": least, "maximum": most, "description": description}


def decimal(description: str, pattern: str = r"^-?[0-9]{1,20}(\.[0-9]{1,12})?$") -> Schema:
    """An exact number, kept as text; may be written as a number."""
    return {"type": "string", "pattern": pattern, "description": description, "x-decimal": True}


def choice(description: str, values: Iterable[object], **notes: object) -> Schema:
    """One of ``values``."""
    return {"enum": list(values), "description": description} | _notes(notes)


def color() -> Schema:
    """A colour of the palette."""
    return choice("A colour of the palette.", COLORS)


def condition(description: str) -> Schema:
    """A condition: met or not."""
    return text(description, CONDITION_LIMIT, condition=True, format="condition")


def formula(description: str, **notes: object) -> Schema:
    """An expression that gives a value."""
    return text(description, CONDITION_LIMIT, formula=True, format="formula") | _notes(notes)


def refers(description: str, what: Refers, **notes: object) -> Schema:
    """The name of something else."""
    return {"type": "string", "minLength": 1, "description": description, "x-refers": what} | _notes(notes)


def several(description: str, item: Schema | None = None, *, least: int = 0, **notes: object) -> Schema:
    """A list of plain values, one leaf; one alone may be written without the list."""
    found: Schema = {"type": "array", "items": item or {"type": "string"}, "uniqueItems": True}
    if least:
        found["minItems"] = least
    return found | {"description": description, "x-many": True} | _notes(notes)


def record(description: str, properties: Mapping[str, Schema], required: Iterable[str] = (), **notes: object) -> Schema:
    """A map with fixed keys."""
    found: Schema = {"type": "object", "description": description, "properties": dict(properties)}
    if required := list(required):
        found["required"] = required
    return found | {"additionalProperties": False} | _notes(notes)


def mapping(description: str, value: Schema, keys: str = NAME, **notes: object) -> Schema:
    """A map of values by key, in no order."""
    found: Schema = {"type": "object", "description": description, "propertyNames": {"pattern": keys}}
    return found | {"additionalProperties": value} | _notes(notes)


def collection(description: str, item: Schema, *, shorthand: str = "", keys: str = NAME, **notes: object) -> Schema:
    """Items by name, in an order."""
    properties = cast("dict[str, Schema]", item["properties"]) | standing()
    found = mapping(description, item | {"properties": properties}, keys, collection=True, **notes)
    return found | ({"x-shorthand": shorthand} if shorthand else {})


def standing() -> dict[str, Schema]:
    """What every item, and every component, may say."""
    return {
        "rank": {
            "type": "string",
            "pattern": "^[0-9]{1,60}$",
            "description": "Its place among the others: digits of a fraction. Left out: the order written.",
        },
        "retired": flag("Stays where it is used, is not offered any more."),
        "hidden": flag("Taken away, though a lower layer has it."),
    }


def is_collection(schema: Schema) -> bool:
    """Whether it is a map of items with identity."""
    return schema.get("x-collection") is True


def is_mapping(schema: Schema) -> bool:
    """Whether it is a map by key, collections included."""
    return isinstance(schema.get("additionalProperties"), dict)


def properties_of(schema: Schema) -> dict[str, Schema]:
    """The fixed keys of a record; empty for anything else."""
    return cast("dict[str, Schema]", schema.get("properties") or {})


def below(schema: Schema, key: str) -> Schema | None:
    """The schema of what ``key`` holds; None when there is no such key."""
    if is_mapping(schema):
        return cast("Schema", schema["additionalProperties"])
    return properties_of(schema).get(key)


def at(schema: Schema, path: str) -> Schema | None:
    """The schema of the leaf or node at ``path``; "" is the component itself."""
    found: Schema | None = schema
    for key in path.split("/") if path else ():
        found = below(found, key) if found is not None else None
    return found


def _notes(notes: Mapping[str, object]) -> Schema:
    return {f"x-{name.replace('_', '-')}" if name != "format" else name: value for name, value in notes.items()}
