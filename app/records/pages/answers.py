"""How pages answer: whole page or fragment, toasts beside it, errors of a form in words."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from flask import make_response, render_template, request

from app.http.context import is_htmx
from app.records.permits import confirmed

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from app.core.errors import RapportError
    from tenants.scope import TenantScope


def page(whole: str, part: str, status: int = 200, **values: Any) -> Response:
    """``part`` for htmx, ``whole`` (which includes it) for a browser."""
    return fragment(part if is_htmx() else whole, status, **values)


def fragment(template: str, status: int = 200, **values: Any) -> Response:
    """A rendered template as a response."""
    return make_response(render_template(template, **values), status)


def vals(**values: object) -> str:
    """The JSON of ``hx-vals``."""
    return json.dumps(values)


def agree(scope: TenantScope) -> None:
    """Take over what the sender was asked and agreed to (``confirm``): a record may leave their reach."""
    scope.confirmed = confirmed(request.form.get("confirm", ""))


def by_field(error: RapportError) -> tuple[dict[str, str], str]:
    """The messages of an error by field name, and what belongs to none of the fields."""
    named: dict[str, str] = {}
    rest: list[str] = []
    for problem in error.errors:
        name = problem.pointer.lstrip("/").split("/")[0]
        if name and not problem.pointer.startswith("?"):
            named.setdefault(name, sentence(problem.message))
        else:
            rest.append(sentence(problem.message))
    return named, " ".join(rest) if rest or named else error.detail


def sentence(text: str) -> str:
    """With a full stop."""
    return text if text.endswith((".", "!", "?")) else f"{text}."
