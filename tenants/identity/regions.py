"""Currency, time zone and locale of a new workspace, guessed from what the browser says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import Locale, UnknownLocaleError
from babel.core import get_global
from babel.numbers import get_territory_currencies

DEFAULT_CURRENCY: Final = "EUR"
DEFAULT_ZONE: Final = "UTC"
DEFAULT_LOCALE: Final = "en"


@dataclass(frozen=True, slots=True)
class Region:
    """ISO 4217 currency, IANA zone, locale as BCP 47."""

    currency: str
    timezone: str
    locale: str


def guess(languages: list[str], timezone: str) -> Region:
    """``languages`` as in Accept-Language, best first; ``timezone`` as the browser names it, or empty."""
    locale = next((found for found in map(_parse, languages) if found is not None), Locale(DEFAULT_LOCALE))
    zone = timezone if is_zone(timezone) else ""
    territory = _territory_of_zone(zone) or locale.territory or ""
    return Region(_currency(territory), zone or _zone_of(territory), str(locale).replace("_", "-"))


def is_zone(name: str) -> bool:
    """Whether the IANA database knows the zone."""
    if not name or len(name) > 64:
        return False
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _parse(language: str) -> Locale | None:
    try:
        return Locale.parse(language, sep="-")
    except (ValueError, UnknownLocaleError):
        return None


def _territory_of_zone(zone: str) -> str:
    found = get_global("zone_territories").get(zone, "")
    return found if len(found) == 2 and found.isalpha() else ""


def _zone_of(territory: str) -> str:
    zones = get_global("territory_zones").get(territory, [])
    return zones[0] if len(zones) == 1 else DEFAULT_ZONE


def _currency(territory: str) -> str:
    if not territory:
        return DEFAULT_CURRENCY
    found = get_territory_currencies(territory)
    return str(found[0]) if found else DEFAULT_CURRENCY
