"""Every error in one form: problem+json (RFC 9457) for programs, a page for people; never a stack trace."""

from __future__ import annotations

import logging
import re
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

import msgspec
from flask import Flask, render_template, request
from marshmallow import ValidationError
from psycopg import DataError
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from app.core.errors import (
    Conflict,
    FieldError,
    InvalidInput,
    NotFound,
    RapportError,
    SupportEnded,
    TooManyRequests,
    Unauthenticated,
)
from app.http.context import WORKSPACE_COOKIE, facts, is_api, is_htmx, runtime
from app.http.guard import read_scope

log = logging.getLogger(__name__)

CONTENT_TYPE: Final = "application/problem+json"
#: msgspec's words for a field that is missing or not known.
_FIELD: Final = re.compile(r"(unknown|missing required) field `([^`]*)`")
_FIELD_CODES: Final = {"unknown": "field.unknown", "missing required": "required"}
_CODES: Final = {
    400: "bad_request",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    415: "unsupported_media_type",
}


def install_errors(flask_app: Flask) -> None:
    """Register the handlers."""
    flask_app.register_error_handler(RapportError, on_rapport_error)
    flask_app.register_error_handler(ValidationError, on_validation_error)
    flask_app.register_error_handler(msgspec.ValidationError, on_decode_error)
    flask_app.register_error_handler(msgspec.DecodeError, on_decode_error)
    flask_app.register_error_handler(UnicodeDecodeError, on_bad_encoding)
    flask_app.register_error_handler(RecursionError, on_recursion)
    flask_app.register_error_handler(HTTPException, on_http_exception)
    flask_app.register_error_handler(Exception, on_unexpected)


def on_rapport_error(error: RapportError) -> Response:
    """Our own errors carry everything."""
    if isinstance(error, Unauthenticated) and not isinstance(error, SupportEnded) and not is_api():
        return _to_sign_in()
    response = answer(error.status, error.code, error.title, error.detail, error.errors, error.extra)
    if isinstance(error, TooManyRequests):
        response.headers["Retry-After"] = str(error.extra.get("retry_after", 1))
    if isinstance(error, Conflict) and error.passing:
        response.headers["Retry-After"] = "1"
    if isinstance(error, SupportEnded):
        # The browser is free again for whoever signs in to this workspace next.
        response.delete_cookie(WORKSPACE_COOKIE, path="/", secure=True, httponly=True, samesite="Lax")
    elif isinstance(error, Unauthenticated):
        response.headers["WWW-Authenticate"] = 'Bearer realm="rapport"'
    return response


def on_validation_error(error: ValidationError) -> Response:
    """Turn marshmallow's messages into errors[]."""
    return on_rapport_error(InvalidInput("The input is not valid.", _flatten(error.messages, "")))


def on_decode_error(error: msgspec.DecodeError) -> Response:
    """A body that is no JSON, or not of the expected shape. msgspec names the place as ``$.field``."""
    message, _, place = str(error).partition(" - at `$")
    known, _, _ = place.rstrip("`").partition("[...]")  # msgspec does not name the member of a map
    pointer = known.replace(".", "/").replace("[", "/").replace("]", "")
    if isinstance(error, msgspec.ValidationError):
        code = "invalid"
        if found := _FIELD.search(message):
            code, pointer = _FIELD_CODES[found[1]], f"{pointer}/{found[2]}"
        told = f"{pointer}: {message}." if pointer else f"{message}."
        return on_rapport_error(InvalidInput(told, [FieldError(pointer, code, message)]))
    return answer(400, "bad_request", "Bad request", "The body is not valid JSON.", [], {})


def on_bad_encoding(error: UnicodeDecodeError) -> Response:
    """Bytes that are no UTF-8, in a text of a JSON body; where they were met stays in the log, should it be ours."""
    log.warning("no UTF-8: %s", error.reason, extra={"request_id": _request_id()})
    return answer(400, "bad_request", "Bad request", "The body is not valid UTF-8.", [], {})


def on_recursion(error: RecursionError) -> Response:
    """Nesting beyond what can be read; where it was met stays in the log, should it be ours after all."""
    log.warning("nested too deeply: %s", error, extra={"request_id": _request_id()})
    return answer(400, "bad_request", "Bad request", "The body is nested too deeply.", [], {})


def on_http_exception(error: HTTPException) -> Response:
    """Errors werkzeug, Flask and flask-smorest raise."""
    status = error.code or 500
    if error.response is not None and status < 400:
        return Response(
            b"", status, {"Location": error.get_response().headers.get("Location", "/")}
        )  # a redirect (308 trailing slash)
    data: dict[str, Any] = getattr(error, "data", {}) or {}
    if status == 422 and "messages" in data:
        return on_rapport_error(InvalidInput("The input is not valid.", _flatten(data["messages"], "")))
    phrase = _phrase(status)
    code = _CODES.get(status, "internal" if status >= 500 else phrase.lower().replace(" ", "_"))
    detail = "There is nothing at this address." if status == 404 else f"{phrase}."
    response = answer(status, code, phrase, detail, [], {})
    for name, value in error.get_headers():
        if name in {"Allow", "Retry-After", "Location"}:
            response.headers[name] = value
    return response


def _phrase(status: int) -> str:
    """The status in words, written like our own titles: "Not found"."""
    first, *rest = HTTPStatus(status).phrase.split() if status in HTTPStatus._value2member_map_ else ["Error"]
    return " ".join([first, *(word.lower() for word in rest)])


def on_unexpected(error: Exception) -> Response:
    """A defect of ours: the log has the trace, the caller the request id."""
    known = _known(error)
    if known is not None:
        return on_rapport_error(known)
    log.error("request failed", exc_info=error, extra={"request_id": _request_id()})
    title = "Something went wrong"
    return answer(500, "internal", title, "The error was recorded. Try again in a moment.", [], {})


def _known(error: Exception) -> RapportError | None:
    """Database errors that say something to the caller."""
    name = type(error).__name__
    if isinstance(error, DataError) and "NUL" in str(error):
        return InvalidInput("A text must not contain the NUL character.")
    if name in {"OperationalError", "PoolTimeout", "ConnectionTimeout"}:
        log.error("a database does not answer: %s", name, extra={"request_id": _request_id()})
        return _Down("The service does not answer at the moment. Try again shortly.")
    return None


class _Down(RapportError):
    status = 503
    code = "unavailable"
    title = "Temporarily unavailable"


def answer(
    status: int, code: str, title: str, detail: str, errors: list[FieldError], extra: dict[str, object]
) -> Response:
    """The error in the form its caller reads."""
    # What can be confirmed is asked by the page's script (frontend/src/asking.js), which then sends the request again.
    asks = "confirm" in extra and is_htmx()
    if asks or is_api() or request.accept_mimetypes.best == "application/json":
        body: dict[str, object] = {
            "type": f"https://rapport.example/problems/{code}",
            "title": title,
            "status": status,
            "code": code,
            "detail": detail,
            "errors": [{"pointer": e.pointer, "code": e.code, "message": e.message} for e in errors],
            "request_id": _request_id(),
            **{name: value for name, value in extra.items() if name not in {"type", "status"}},
        }
        return Response(msgspec.json.encode(body), status, content_type=CONTENT_TYPE)
    return _page(status, code, title, detail, errors)


def _page(status: int, code: str, title: str, detail: str, errors: list[FieldError]) -> Response:
    facts().scope = None  # the request's own has ended; its connection may serve another tenant by now
    template = "errors/fragment.html" if is_htmx() else "errors/page.html"
    values = {
        "status": status,
        "code": code,
        "title": title,
        "detail": detail,
        "errors": errors,
        "request_id": _request_id(),
        "base_url": runtime().config.base_url,
    }
    try:
        body = _inside(values) if template == "errors/page.html" and status < 500 else ""
        body = body or render_template(template, **values)
    except Exception:  # the page about an error must not fail itself, whatever is broken
        log.exception("an error page could not be shown", extra={"request_id": _request_id()})
        body = render_template("errors/plain.html", **values)
    response = Response(body, status, content_type="text/html; charset=utf-8")
    if is_htmx():
        response.headers["HX-Retarget"] = "#toasts"
        response.headers["HX-Reswap"] = "beforeend"
    return response


def _inside(values: dict[str, Any]) -> str:
    """The page within the workspace's frame for who is signed in to it, in a scope of its own; else nothing."""
    request_facts = facts()
    try:
        entered = read_scope()
        if entered is None:
            return ""
        with entered as scope:
            request_facts.scope = scope
            return render_template("errors/inside.html", **values)
    except RapportError:  # signed out meanwhile, suspended, gone
        return ""
    finally:
        request_facts.scope = None


def _to_sign_in() -> Response:
    """Where a visitor without a session goes: the workspace's door, or the base host's sign-in."""
    if facts().kind == "unknown":
        return on_rapport_error(NotFound("There is no workspace at this address."))
    target = "/session/start" if facts().kind == "workspace" else "/sign-in"
    if is_htmx():
        return Response("", 401, {"HX-Redirect": target})
    if request.method == "GET":
        target += "?next=" + quote(request.full_path.rstrip("?"), safe="/")
    return Response("", 303, {"Location": target})


def _flatten(messages: object, pointer: str) -> list[FieldError]:
    """Nested messages of marshmallow → pointers. The outermost keys json, query, … name the place."""
    if isinstance(messages, dict):
        found: list[FieldError] = []
        for name, inner in messages.items():
            found += _flatten(inner, _step(pointer, str(name)))
        return found
    if isinstance(messages, list | tuple):
        return [FieldError(pointer, "invalid", str(message)) for message in messages]
    return [FieldError(pointer, "invalid", str(messages))]


def _step(pointer: str, name: str) -> str:
    if pointer == "" and name in {"json", "form", "files", "_schema"}:
        return ""
    if pointer == "" and name in {"query", "querystring", "headers"}:
        return "?"
    return pointer + name if pointer == "?" else f"{pointer}/{name}"


def _request_id() -> str:
    return facts().id
