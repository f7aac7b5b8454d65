"""What the pages of people and rights share: answers, ids typed into forms, messages by field."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any
from uuid import UUID

from flask import current_app, render_template, request

from app.core.errors import FieldError, InvalidInput

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from werkzeug.wrappers import Response

    from app.core.errors import RapportError


def page(template: str, status: int = 200, **values: Any) -> Response:
    """A rendered page or fragment."""
    return current_app.make_response((render_template(f"rights/{template}", **values), status))


def attachment(name: str, lines: Iterable[str]) -> Response:
    """A CSV file to save."""
    response = current_app.response_class("".join(lines), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def typed(*names: str) -> dict[str, str]:
    """What was typed into the named fields."""
    return {name: request.form.get(name, "")[:2000] for name in names}


def optional_id(name: str) -> UUID | None:
    """The id a form's field holds; None when it is empty. Raises InvalidInput for anything else."""
    text = request.form.get(name, "").strip()
    if not text:
        return None
    try:
        return UUID(text)
    except ValueError as error:
        message = "Choose one of the list."
        raise InvalidInput(message, [FieldError(f"/{name}", "id", message)]) from error


def by_field(error: RapportError) -> dict[str, str]:
    """The first message of each field by its last name (``/grantee/id`` → ``id``); "" holds what belongs to none."""
    found: dict[str, str] = {}
    for one in error.errors:
        found.setdefault(one.pointer.strip("/?").split("/")[-1], one.message)
    return found or {"": error.detail}


def end_of_day(text: str, name: str = "expires") -> datetime | None:
    """The end of the day a date field holds; None when it is empty."""
    day = day_of(text, name)
    return None if day is None else datetime.combine(day, time.max, UTC)


def day_of(text: str, name: str) -> date | None:
    """The day a date field holds."""
    if not text.strip():
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError as error:
        message = "Enter a date."
        raise InvalidInput(message, [FieldError(f"/{name}", "date", message)]) from error


def labels_of(pairs: Iterable[tuple[str, str]]) -> Mapping[str, str]:
    """Name → label."""
    return dict(pairs)
