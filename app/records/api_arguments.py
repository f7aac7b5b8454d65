"""Query parameters of the record routes; a mistyped name is an error that points at it, never ignored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from flask import request

from app.core.errors import FieldError, InvalidInput
from app.records.paths import hint
from app.records.query import DEFAULT_LIMIT, AggregateQuery, BoardQuery, ListQuery

if TYPE_CHECKING:
    from app.records.query import Total, Trash

#: Parameters of which an empty text says the same as none.
_TEXTS: Final = frozenset({"filter", "sort", "fields", "cursor", "group_by", "metrics", "match", "object", "q"})
_YES_NO: Final = {"true": True, "false": False}


class UnknownParameter(InvalidInput):
    """A query parameter this route does not know."""

    code = "parameter.unknown"
    title = "Unknown query parameter"


def known_arguments(*known: str) -> dict[str, str]:
    """The query parameters by name. Raises UnknownParameter, and InvalidInput for one that is there twice."""
    errors: list[FieldError] = []
    for name, values in request.args.lists():
        if name not in known:
            message = f"There is no parameter {name!r} here.{hint(name, list(known))}"
            errors.append(FieldError(f"?{name}", UnknownParameter.code, message))
        elif len(values) > 1:
            errors.append(FieldError(f"?{name}", "parameter.repeated", f"{name} is there {len(values)} times."))
        elif not values[0] and name not in _TEXTS:
            errors.append(FieldError(f"?{name}", f"{name}.invalid", f"{name} is empty: say something or leave it out."))
        elif "\x00" in values[0]:
            errors.append(FieldError(f"?{name}", "parameter.invalid", "A NUL character can't be part of a value."))
    if errors:
        kind = UnknownParameter if errors[0].code == UnknownParameter.code else InvalidInput
        raise kind(errors[0].message, errors)
    return {name: value for name, value in request.args.items() if value}


def names_of(text: str) -> tuple[str, ...]:
    """The parts of a list joined by commas."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def limit_of(given: dict[str, str], default: int = DEFAULT_LIMIT) -> int:
    """The ``limit`` parameter. Raises InvalidInput at ``?limit``."""
    text = given.get("limit")
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or len(text) > 6:
        message = "limit is a whole number."
        raise InvalidInput(message, [FieldError("?limit", "limit.invalid", message)])
    return int(text)


def flag(given: dict[str, str], name: str) -> bool:
    """A ``true`` or ``false`` parameter, false when absent. Raises InvalidInput."""
    value = _YES_NO.get(given.get(name, "false"))
    if value is None:
        message = f"{name} is true or false."
        raise InvalidInput(message, [FieldError(f"?{name}", f"{name}.invalid", message)])
    return value


def list_query() -> ListQuery:
    """The question of ``GET /records/{object}``."""
    given = known_arguments("filter", "sort", "fields", "limit", "cursor", "total", "trash")
    return ListQuery(
        filter=given.get("filter", ""),
        sort=given.get("sort", ""),
        fields=names_of(given.get("fields", "")),
        limit=limit_of(given),
        cursor=given.get("cursor", ""),
        total=cast("Total", given.get("total", "none")),
        trash=cast("Trash", given.get("trash", "")),
    )


def get_arguments() -> tuple[tuple[str, ...], bool]:
    """``fields`` and whether trashed records count, of ``GET /records/{object}/{id}``."""
    given = known_arguments("fields", "trash")
    trash = given.get("trash", "")
    if trash not in ("", "with"):
        message = "trash is with, or left out."
        raise InvalidInput(message, [FieldError("?trash", "trash.invalid", message)])
    return names_of(given.get("fields", "")), trash == "with"


def aggregate_query() -> AggregateQuery:
    """The question of ``GET /records/{object}/aggregate``."""
    given = known_arguments("group_by", "metrics", "filter", "limit", "cursor")
    return AggregateQuery(
        group_by=names_of(given.get("group_by", "")),
        metrics=names_of(given.get("metrics", "count")),
        filter=given.get("filter", ""),
        limit=limit_of(given),
        cursor=given.get("cursor", ""),
    )


def board_query() -> BoardQuery:
    """The question of ``GET /records/{object}/board``."""
    given = known_arguments("group_by", "metrics", "limit", "fields", "filter", "sort")
    return BoardQuery(
        group_by=given.get("group_by", ""),
        metrics=names_of(given.get("metrics", "count")),
        limit=limit_of(given, 20),
        fields=names_of(given.get("fields", "")),
        filter=given.get("filter", ""),
        sort=given.get("sort", ""),
    )
