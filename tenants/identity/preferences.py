"""What a member may choose for themselves: theme, density, locale, time zone, shortcuts."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final
from zoneinfo import available_timezones

from babel import Locale

from app.core.errors import FieldError, InvalidInput
from tenants.identity.regions import is_zone

if TYPE_CHECKING:
    from collections.abc import Mapping

THEMES: Final = {"system": "Same as device", "light": "Light", "dark": "Dark"}
DENSITIES: Final = {"comfortable": "Comfortable", "compact": "Compact"}
#: Whether single letters are shortcuts (WCAG 2.1.4: one must be able to switch them off).
SHORTCUTS: Final = {"on": "On", "off": "Off"}
_LOCALES: Final = (
    "ar ar-AE bg-BG bn-BD ca-ES cs-CZ da-DK de-AT de-CH de-DE el-GR en-AU en-CA en-GB en-IE en-IN en-NZ en-US en-ZA "
    "es-AR es-ES es-MX et-EE fa-IR fi-FI fr-BE fr-CA fr-CH fr-FR he-IL hi-IN hr-HR hu-HU id-ID it-CH it-IT ja-JP ko-KR "
    "lt-LT lv-LV ms-MY nb-NO nl-BE nl-NL pl-PL pt-BR pt-PT ro-RO ru-RU sk-SK sl-SI sr-RS sv-SE th-TH tr-TR uk-UA ur-PK "
    "vi-VN zh-CN zh-TW"
)


def check(values: Mapping[str, str]) -> dict[str, str]:
    """The known preferences among ``values``; an empty one means the workspace's own. Raises InvalidInput."""
    allowed = {
        "theme": THEMES, "density": DENSITIES, "locale": dict(locales()), "timezone": None, "shortcuts": SHORTCUTS,
    }  # fmt: skip
    found: dict[str, str] = {}
    for name, options in allowed.items():
        if name not in values:
            continue
        value = values[name]
        fits = value in options if options is not None else is_zone(value)
        if value and not fits:
            message = "Choose one of the list."
            raise InvalidInput(message, [FieldError(f"/{name}", "option", message)])
        found[name] = value
    return found


@lru_cache(maxsize=1)
def locales() -> tuple[tuple[str, str], ...]:
    """(code, name in its own language), by name."""
    named = ((code, _name(code)) for code in _LOCALES.split())
    return tuple(sorted(named, key=lambda pair: pair[1].casefold()))


@lru_cache(maxsize=1)
def zones() -> tuple[tuple[str, str], ...]:
    """(zone, label) of the zones named after places."""
    places = (zone for zone in sorted(available_timezones()) if "/" in zone and not zone.startswith("Etc/"))
    return tuple((zone, zone.replace("_", " ")) for zone in places)


def _name(code: str) -> str:
    locale = Locale.parse(code, sep="-")
    name = locale.get_display_name(locale) or code
    return name[:1].upper() + name[1:]
