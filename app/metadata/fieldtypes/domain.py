"""``domain``: the registrable domain of an organisation, what a company is matched and kept unique by."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any, Final

import idna
from publicsuffixlist import PublicSuffixList

from app.metadata.fieldtypes.base import ValueProblem
from app.metadata.fieldtypes.single import SingleColumn, nullable
from app.metadata.fieldtypes.strings import checked_line

if TYPE_CHECKING:
    from app.metadata.fieldtypes.base import Coercion
    from app.metadata.model import Field

LIMIT: Final = 253
_INPUT_LIMIT: Final = 2_000
_SCHEME: Final = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*://")
_LABEL: Final = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_ADDRESS: Final = re.compile(r"\d{1,3}(\.\d{1,3}){3}")


class DomainType(SingleColumn):
    """``https://www.example.co.uk/x`` is stored as ``example.co.uk``; other scripts as ``xn--…`` (IDNA 2008)."""

    name = "domain"
    condition = "text"

    def coerce(self, field: Field, raw: object, ctx: Coercion) -> Any:  # noqa: ARG002
        """Reduce a host, URL or e-mail address to its registrable domain (publicsuffix.org), in ASCII (IDNA 2008)."""
        text = checked_line(raw, _INPUT_LIMIT)
        if text is None:
            return None
        host = ascii_host(_host_of(text))
        if host is None or _ADDRESS.fullmatch(host) or "." not in host:
            raise ValueProblem("domain.invalid", "Must be a domain like example.com")
        registrable = registrable_domain(host)
        if registrable is None:
            raise ValueProblem("domain.suffix", f"{host} is a public suffix, not a domain somebody can own")
        return registrable

    def json_schema(self, field: Field) -> dict[str, object]:  # noqa: ARG002
        """A string of format hostname or null."""
        return nullable({"type": "string", "format": "hostname", "maxLength": LIMIT})

    def format(self, field: Field, value: object, locale: str, timezone: str) -> str:  # noqa: ARG002
        """In the owner's own script."""
        return readable_host(str(value)) if value else ""


def _host_of(text: str) -> str:
    host = _SCHEME.sub("", text)
    host = re.split(r"[/?#]", host, maxsplit=1)[0].rsplit("@", 1)[-1]
    return host.rsplit(":", 1)[0]


def ascii_host(host: str) -> str | None:
    """``host`` in lower-case ASCII (UTS 46, IDNA 2008), ``None`` when it is none."""
    host = host.rstrip(".").lower()
    if not host.isascii():
        try:
            host = idna.encode(host, uts46=True).decode("ascii").lower()
        except idna.IDNAError:
            return None
    if not host or len(host) > LIMIT or not all(_LABEL.fullmatch(label) for label in host.split(".")):
        return None
    return host


def readable_host(host: str) -> str:
    """``host`` with its ``xn--`` labels in their own script."""
    if "xn--" not in host:
        return host
    try:
        return idna.decode(host)
    except idna.IDNAError:
        return host


def registrable_domain(host: str) -> str | None:
    """The part of an ASCII host somebody registered, ``None`` for a public suffix. The list ships with the package."""
    return _suffixes().privatesuffix(host)


@functools.cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()


TYPE = DomainType()
