"""JSON in and out by msgspec: no intermediate strings, no marshmallow."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import quote

import msgspec
from flask import request
from werkzeug.wrappers import Response

from app.core.errors import FieldError, InvalidInput, RapportError
from app.http.context import is_htmx

if TYPE_CHECKING:
    from collections.abc import Mapping

T = TypeVar("T")
#: What `quote` leaves as it is.
_PLAIN: Final = re.compile(r"[A-Za-z0-9_.~-]*", re.ASCII).fullmatch
_encoder = msgspec.json.Encoder()


class UnsupportedMediaType(RapportError):
    """The body is not of a type this route reads."""

    status = 415
    code = "unsupported_media_type"
    title = "Unsupported media type"


def json_response(body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer. ``bytes`` go out as they are; anything else is encoded."""
    data = body if isinstance(body, bytes | bytearray) else _encoder.encode(body)
    return Response(bytes(data), status, headers, content_type="application/json")


def no_content() -> Response:
    """204."""
    return Response(b"", 204)


def json_body(form: type[T]) -> T:
    """The request's JSON decoded into ``form`` (a msgspec type); problems become 400, 415 or 422."""
    kind = request.mimetype
    if kind and kind != "application/json" and not kind.endswith("+json"):
        raise UnsupportedMediaType("Send application/json.")
    decoded = msgspec.json.decode(request.get_data() or b"{}", type=form)
    if isinstance(decoded, msgspec.Struct):
        _refuse_nul(decoded)
    return decoded


def _refuse_nul(decoded: msgspec.Struct) -> None:
    """No text of PostgreSQL can hold a NUL character."""
    values = ((name, getattr(decoded, name)) for name in decoded.__struct_fields__)
    errors = [
        FieldError(f"/{name}", "text.nul", "Must not contain the NUL character.")
        for name, value in values
        if isinstance(value, str) and "\0" in value
    ]
    if errors:
        raise InvalidInput("The input is not valid.", errors)


def query_arguments(*known: str) -> dict[str, str]:
    """The query parameters; an unknown one is an error, so that a typing mistake is not silently ignored."""
    unknown = [name for name in request.args if name not in known]
    if unknown:
        errors = [
            FieldError(f"?{name}", "parameter.unknown", f"There is no parameter {name!r} here.") for name in unknown
        ]
        raise InvalidInput(f"Unknown query parameter: {', '.join(sorted(unknown))}.", errors)
    return {name: request.args[name] for name in known if name in request.args}


def see_other(location: str) -> Response:
    """303 after a form; htmx follows by HX-Redirect, so that the whole page changes."""
    if is_htmx():
        return Response("", 204, {"HX-Redirect": location})
    return Response("", 303, {"Location": location})


def link_next(cursor: str | None) -> dict[str, str]:
    """The RFC 8288 Link header for the next page, or nothing."""
    if cursor is None:
        return {}
    arguments = {**request.args.to_dict(), "cursor": cursor}
    from_here = "&".join([f"{_quoted(name)}={_quoted(value)}" for name, value in arguments.items()])
    return {"Link": f'<{request.path}?{from_here}>; rel="next"'}


def _quoted(text: str) -> str:
    """As part of an address; names, numbers and cursors are that already."""
    return text if _PLAIN(text) else quote(text, safe="")
