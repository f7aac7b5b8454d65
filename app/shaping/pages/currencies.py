"""Settings → Currencies: those the workspace works with and what one unit is worth in its own, from which day on."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, localcontext
from typing import TYPE_CHECKING, Any, Final

from babel.numbers import get_currency_name, get_territory_currencies, list_currencies
from flask import Blueprint, request

from app.access.rights import METADATA_EDIT
from app.core import clock
from app.core.errors import NotFound
from app.http.guard import workspace
from app.metadata import catalog, uses
from app.shaping.pages import typed
from app.shaping.pages.objects import answer
from app.shaping.pages.previews import Asked, preview, refused
from app.shaping.pages.reading import Reading
from app.ui import formats

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from app.shaping.pages.reading import Line
    from tenants.scope import TenantScope

blueprint = Blueprint("shaping_currencies", __name__)
_CURRENCIES: Final = "/settings/currencies"
_CURRENCY: Final = f"{_CURRENCIES}/<currency>"
#: How many rates a page shows.
_SHOWN: Final = 60
#: Digits kept of a rate that was typed the other way round.
_DIGITS: Final = 12


@dataclass(frozen=True, slots=True)
class Rated:
    """A currency with the rate in force today, if any."""

    line: Line
    name: str
    rates: tuple[tuple[str, str], ...]
    since: str = ""
    rate: str = ""

    @property
    def active(self) -> bool:
        """Whether it is offered."""
        return self.line.spec.get("active") is not False and not self.line.spec.get("retired")


@blueprint.get(_CURRENCIES)
@workspace(METADATA_EDIT, member=True)
def show_currencies(scope: TenantScope) -> Response:
    """All currencies with today's rates, and the form for another."""
    reading = Reading(scope)
    own = scope.tenant.currency
    found = [_rated(scope, one) for one in reading.all_of("currency") if one.name != own]
    taken = {own, *(one.line.name for one in found)}
    choices = [
        (code, f"{code} · {name}") for code, name in _in_use(formats.locale_of(_locale(scope))) if code not in taken
    ]
    return answer(
        "currencies.html", reading, own=own, own_name=_name(own, _locale(scope)), currencies=found, choices=choices,
        today=clock.today(scope.tenant.timezone).isoformat(),
    )  # fmt: skip


@blueprint.post(_CURRENCIES)
@workspace(METADATA_EDIT, member=True, write=False)
def plan_new(scope: TenantScope) -> Response:
    """What adding one would do."""
    code = typed.text("currency").upper()
    component: dict[str, Any] = {"kind": "currency", "name": code, "active": True}
    try:
        known = code in list_currencies() and code != scope.tenant.currency
        typed.needs(code if known else "", "Currency: choose one of the list.")
        if typed.text("rate"):
            component["rates"] = {_day(): _rate(scope)}
    except typed.Wrong as error:
        return refused(error.messages)
    title = f"Add {_name(code, _locale(scope))}?"
    return preview(scope, Asked(components=[component], next=f"{_CURRENCIES}/{code}", title=title, base=typed.base()))


@blueprint.get(_CURRENCY)
@workspace(METADATA_EDIT, member=True)
def show_currency(scope: TenantScope, currency: str) -> Response:
    """One currency with its rates; ``day`` puts one into the form."""
    reading = Reading(scope)
    found = _rated(scope, reading.one_of("currency", currency))
    day = request.args.get("day", "")
    given = dict(found.rates).get(day, "")
    before = request.args.get("before", "9999")
    rates = [one for one in found.rates if one[0] < before]
    return answer(
        "currency.html", reading, one=found, own=scope.tenant.currency, rates=rates[:_SHOWN],
        older=rates[_SHOWN - 1][0] if len(rates) > _SHOWN else "", newest="before" not in request.args,
        day=day if given else clock.today(scope.tenant.timezone).isoformat(),
        rate=formats.typed_number(given, _locale(scope)) if given else "", editing=bool(given),
        amounts=_amounts(scope, reading, currency), today=clock.today(scope.tenant.timezone).isoformat(),
    )  # fmt: skip


@blueprint.post(_CURRENCY)
@workspace(METADATA_EDIT, member=True, write=False)
def plan_currency(scope: TenantScope, currency: str) -> Response:
    """What changing it would do: ``act`` is rate, unrate, activate, deactivate or remove."""
    found = Reading(scope).one_of("currency", currency)
    act, following, title = request.form.get("act", "rate"), f"{_CURRENCIES}/{currency}", "Apply this change?"
    said: dict[str, Any]
    try:
        if act == "rate":
            day = _day()
            known = found.spec.get("rates", {})
            said = {"rates": {day: _rate(scope)}}
            title = f"{'Change' if day in known else 'Add'} the rate of {currency}?"
        elif act == "unrate":
            said, title = {"rates": {_day(): None}}, f"Remove this rate of {currency}?"
        elif act in ("activate", "deactivate"):
            said = {"active": act == "activate"}
        elif act == "remove":
            said, following, title = {"remove": True}, _CURRENCIES, f"Remove {currency}?"
        else:
            raise NotFound("There is nothing of that name to do.")
    except typed.Wrong as error:
        return refused(error.messages)
    component = {"kind": "currency", "name": currency} | said
    return preview(scope, Asked(components=[component], next=following, title=title, base=typed.base()))


def _rated(scope: TenantScope, line: Line) -> Rated:
    rates = tuple(sorted(((str(day), str(rate)) for day, rate in line.spec.get("rates", {}).items()), reverse=True))
    today = clock.today(scope.tenant.timezone).isoformat()
    # The earliest rate serves the days before it, too.
    since, rate = next((one for one in rates if one[0] <= today), rates[-1] if rates else ("", ""))
    name = str(line.spec.get("label") or "") or _name(line.name, _locale(scope))
    return Rated(line, name, rates, since, rate)


def _amounts(scope: TenantScope, reading: Reading, currency: str) -> list[tuple[str, str, int]]:
    """Where amounts are in the currency: the field in words, its page, how many."""
    objects = catalog.whole(scope).objects
    fields = [(obj, field) for obj, field, _ in uses.holders(objects, f"currency/{currency}", "")]
    found = uses.held(scope.execute, fields)
    return [
        (*reading.place(f"object/{obj}", f"fields/{field}/type"), count)
        for (obj, field, code), count in sorted(found.items()) if code == currency
    ]  # fmt: skip


def _day() -> str:
    """The day typed. Raises Wrong."""
    given = typed.text("day")
    try:
        return date.fromisoformat(given).isoformat()
    except ValueError as error:
        raise typed.Wrong("From: choose the day from which the rate holds.") from error


def _rate(scope: TenantScope) -> str:
    """The rate typed, as what one unit is worth in the workspace's own currency. Raises Wrong."""
    plain = formats.read_number(typed.text("rate"), _locale(scope))
    if not re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,12})?", plain) or not Decimal(plain):
        raise typed.Wrong("Rate: a number above zero, with at most 12 digits behind the decimal sign.")
    if typed.text("way") != "from_own":
        return plain
    with localcontext() as context:
        context.prec = 40
        return format((1 / Decimal(plain)).quantize(Decimal(1).scaleb(-_DIGITS)).normalize(), "f")


def _locale(scope: TenantScope) -> str:
    preferences = scope.member.preferences if scope.member is not None else {}
    return str(preferences.get("locale") or scope.tenant.locale)


def _name(code: str, locale: str) -> str:
    return str(get_currency_name(code, locale=formats.locale_of(locale)))


@functools.lru_cache(maxsize=64)
def _in_use(locale: Any) -> tuple[tuple[str, str], ...]:
    """(code, name) of the currencies some country pays with today (CLDR), by code."""
    codes = {
        str(code) for country in locale.territories if len(country) == 2 for code in get_territory_currencies(country)
    }
    return tuple((code, str(get_currency_name(code, locale=locale))) for code in sorted(codes))
