"""From a component as people write it to a patch: shorthands spelled out, structure and values checked."""

from __future__ import annotations

import functools
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, cast

from jsonschema import Draft202012Validator

from app.metadata.kinds import schema as form
from app.metadata.leaves import SEPARATOR
from app.metadata.patch import Patch
from app.metadata.problems import Problem, near

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from jsonschema import ValidationError

    from app.metadata.kinds.schema import Schema
    from app.metadata.leaves import Leaves, Plain

#: What an item or a component may say of itself.
_SELF: Final = ("remove", "reset", "renamed_from")
_MOST_LEAVES: Final = 50_000
#: Of what was written, in a message.
_LONGEST_SHOWN: Final = 80
#: Choices told where none is near.
_MOST_CHOICES: Final = 40
_TYPES: Final = {
    "string": "a text", "boolean": "true or false", "integer": "a whole number", "array": "a list", "object": "a map",
}  # fmt: skip


class Writing:
    """Reads one written component against a schema and collects what it says and what is wrong with it."""

    def __init__(self, component: str, source: str, pointer: str) -> None:
        self.component, self.source, self.pointer = component, source, pointer
        self.leaves: Leaves = {}
        self.order: dict[str, tuple[str, ...]] = {}
        self.listed: set[str] = set()
        self.removes: set[str] = set()
        self.resets: set[str] = set()
        self.renamed: dict[str, str] = {}
        self.problems: list[Problem] = []

    def patch(self) -> Patch:
        """What was said so far."""
        return Patch(
            component=self.component, leaves=self.leaves, order=self.order, listed=frozenset(self.listed),
            removes=frozenset(self.removes), resets=frozenset(self.resets), renamed=self.renamed,
            source=self.source, pointer=self.pointer,
        )  # fmt: skip

    def refuse(self, path: str, code: str, message: str) -> None:
        """Note a problem at a leaf path."""
        pointer = f"{self.pointer}/{path}".rstrip("/") if self.pointer else ""
        self.problems.append(Problem(self.component, dotted(path), code, message, self.source, pointer))

    def node(self, schema: Schema, raw: object, path: str) -> None:
        """Whatever ``schema`` says stands at ``path``."""
        if len(self.leaves) > _MOST_LEAVES:
            return
        if form.is_collection(schema):
            self.collection(schema, raw, path)
        elif form.is_mapping(schema):
            self.mapping(schema, raw, path)
        elif schema.get("type") == "object":
            self.record(schema, raw, path)
        else:
            self.leaf(schema, raw, path)

    def record(self, schema: Schema, raw: object, path: str, *, item: bool = False) -> None:
        """A map with fixed keys; an item may also say something of itself."""
        known = form.properties_of(schema)
        if not isinstance(raw, dict):
            self.refuse(path, "map", f"must be a map with {', '.join(known)}")
            return
        aliases = cast("Mapping[str, str]", schema.get("x-aliases") or {})
        for name, value in cast("dict[object, object]", raw).items():
            key = aliases.get(str(name), str(name))
            if item and key in _SELF:
                self.itself(key, value, path)
            elif key not in known:
                self.refuse(join(path, key), "unknown", f"is not known{near(key, known)}")
            else:
                self.property(key, known[key], value, path)

    def property(self, key: str, schema: Schema, value: object, path: str) -> None:
        """One key of a record."""
        if key == "default" and (expression := _expression(value)):
            self.leaves[join(path, "default_formula")] = expression
        else:
            self.node(schema, value, join(path, key))

    def itself(self, key: str, value: object, path: str) -> None:
        """``remove``, ``reset`` and ``renamed_from`` of a component or an item."""
        if key == "renamed_from":
            if value is None or isinstance(value, str):
                self.renamed[path] = value or ""
            else:
                self.refuse(join(path, key), "type", f"is {value!r}; must be the name it had, or null: it is new")
        elif key == "reset" and isinstance(value, list):
            self.resets |= {join(path, str(one).replace(".", SEPARATOR)) for one in cast("list[object]", value)}
        elif not isinstance(value, bool):
            self.refuse(join(path, key), "type", f"is {value!r}; must be true")
        elif value:
            (self.removes if key == "remove" else self.resets).add(path)

    def collection(self, schema: Schema, raw: object, path: str) -> None:
        """Items by name, as a map or, in the wanted order, as a list."""
        if isinstance(raw, list):
            items = self.items(cast("list[object]", raw), path)
            self.listed.add(path)
        elif isinstance(raw, dict):
            items = {str(name): value for name, value in cast("dict[object, object]", raw).items()}
        else:
            self.refuse(path, "map", "must be a map by name, or a list of items with a name")
            return
        self.order[path] = tuple(items)
        shorthand = schema.get("x-shorthand")
        for name, value in items.items():
            at = join(path, name)
            if self.named(schema, name, at):
                self.record(form.below(schema, name) or {}, _spelled(shorthand, value), at, item=True)

    def items(self, raw: list[object], path: str) -> dict[str, object]:
        """Items of a list by their name: a text is the name, a map has it."""
        found: dict[str, object] = {}
        for at, one in enumerate(raw):
            value: dict[str, object] | None = None
            if isinstance(one, dict):
                value = {str(key): inner for key, inner in cast("dict[object, object]", one).items()}
                name = value.pop("name", None)
            else:
                name = one
            if not isinstance(name, str):
                self.refuse(f"{path}/{at}", "name", "has no name")
            elif name in found:
                self.refuse(join(path, name), "twice", "stands twice")
            else:
                found[name] = value
        return found

    def mapping(self, schema: Schema, raw: object, path: str) -> None:
        """Values by key."""
        if not isinstance(raw, dict):
            self.refuse(path, "map", "must be a map")
            return
        for name, value in cast("dict[object, object]", raw).items():
            key = str(name)
            if self.named(schema, key, join(path, key)):
                inner = form.below(schema, key) or {}
                # A leaf is needed to tell what is said to be empty from what is not said at all.
                self.node(inner, inner.get("x-empty", value) if value == {} else value, join(path, key))

    def named(self, schema: Schema, name: str, path: str) -> bool:
        """Whether ``name`` may be a key here."""
        pattern = str(cast("Mapping[str, object]", schema.get("propertyNames") or {}).get("pattern", form.NAME))
        if re.fullmatch(pattern, name) and max(map(len, name.split("."))) <= form.NAME_LIMIT:
            return True
        snake = "must be snake_case of at most 50 characters" if pattern == form.NAME else f"must look like {pattern}"
        self.refuse(path.replace(name, name.replace(SEPARATOR, "|")), "name", f"{name!r} {snake}")
        return False

    def leaf(self, schema: Schema, raw: object, path: str) -> None:
        """One value."""
        value = plain(schema, raw)
        self.leaves[path] = cast("Plain", value)
        if value is None:
            return
        if any(not storable(one) for one in (cast("list[object]", value) if isinstance(value, list) else [value])):
            self.refuse(path, "text.character", "holds a character that can't be kept (NUL, or half of a pair)")
            return
        validator = cast("Any", _validator(_Frozen(schema)))
        error = cast("ValidationError | None", next(validator.iter_errors(value), None))
        if error is not None:
            self.refuse(path, str(error.validator), said(error))


def _expression(value: object) -> str:
    """The formula of ``{value: "today()"}``, else ""."""
    given = cast("dict[str, object]", value) if isinstance(value, dict) else {}
    return str(given["value"]) if list(given) == ["value"] else ""


def _spelled(shorthand: object, value: object) -> object:
    """An item written as a text, or as its name alone, in full."""
    if value is None:
        return {}
    return {str(shorthand): value} if shorthand and isinstance(value, str) else value


def plain(schema: Schema, raw: object) -> object:
    """A value in the form leaves keep: one alone as a list of one, exact numbers as texts."""
    if schema.get("x-many") and raw is not None and not isinstance(raw, list):
        return [raw]
    if isinstance(raw, float) or (isinstance(raw, int) and not isinstance(raw, bool) and schema.get("x-decimal")):
        return format(Decimal(repr(raw)), "f")
    return cast("object", raw)


def said(error: ValidationError) -> str:
    """A schema's complaint in words, with what would be right."""
    value = cast("object", error.instance)
    wanted = cast("object", error.validator_value)
    shown = f"is {_cut(repr(value))}"
    match error.validator:
        case "enum":
            choices = cast("list[object]", wanted)
            texts = [str(one) for one in choices]
            hint = near(value, texts)
            if "did you mean" in hint:
                return f"{shown}{hint}"
            left = len(texts) - _MOST_CHOICES
            more = f" and {left} more: docs/reference/schemas" if left > 0 else ""
            return f"{shown}; must be one of {', '.join(texts[:_MOST_CHOICES])}{more}"
        case "type":
            types = cast("list[str]", wanted if isinstance(wanted, list) else [wanted])
            return f"{shown}; must be {' or '.join(_TYPES.get(one, one) for one in types)}"
        case "maxLength" | "maxItems":
            return f"is too long: at most {wanted} {'characters' if error.validator == 'maxLength' else 'items'}"
        case "minLength" | "minItems":
            return "must not be empty"
        case "pattern":
            return f"{shown}; must look like {wanted}"
        case "minimum" | "maximum":
            return f"{shown}; must be at {'least' if error.validator == 'minimum' else 'most'} {wanted}"
        case "uniqueItems":
            return f"{shown}; holds something twice"
        case _:
            return error.message


def storable(value: object) -> bool:
    """Whether the database can keep a text."""
    return not isinstance(value, str) or not ("\0" in value or any("\ud800" <= one <= "\udfff" for one in value))


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"


def missing(schema: Schema, tree: object, path: str = "") -> Iterable[tuple[str, str]]:
    """Path and key of what a record at or below ``path`` must have and has not."""
    if not isinstance(tree, dict):
        return
    given = cast("dict[str, object]", tree)
    for key in cast("list[str]", schema.get("required") or []):
        if key not in given:
            yield path, key
    for key, value in given.items():
        inner = form.below(schema, key)
        if inner is not None:
            yield from missing(inner, value, join(path, key))


def join(path: str, key: str) -> str:
    """A path one step further."""
    return f"{path}{SEPARATOR}{key}" if path else key


def dotted(path: str) -> str:
    """A leaf path as people write it."""
    return path.replace(SEPARATOR, ".")


class _Frozen:
    """A schema as the key of a cache: schemas are made once, at import."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema

    def __hash__(self) -> int:
        return id(self.schema)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Frozen) and other.schema is self.schema


@functools.cache
def _validator(holder: _Frozen) -> Draft202012Validator:
    return Draft202012Validator(holder.schema)
