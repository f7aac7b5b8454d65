"""Numbers, money, dates and names for people, by CLDR (Babel) in the reader's locale and time zone."""

from __future__ import annotations

import re
import zlib
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import TYPE_CHECKING, Final, cast
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_time, format_timedelta
from babel.numbers import (
    NumberFormatError,
    format_compact_decimal,
    format_currency,
    format_decimal,
    get_currency_precision,
    parse_decimal,
)
from babel.units import format_unit

if TYPE_CHECKING:
    from collections.abc import Mapping

_TONES: Final = ("blue", "indigo", "violet", "teal", "green", "amber", "orange", "pink", "slate")
_DAY_SECONDS: Final = 86_400
#: Blanks and apostrophes, which group digits in many places.
_SPACES: Final = re.compile(r"[\s\u00a0\u202f'\u2019]")
_PLAIN_NUMBER: Final = re.compile(r"[+-]?\d+(?:\.\d+)?")


@lru_cache(maxsize=256)
def locale_of(name: str) -> Locale:
    """The Babel locale called ``name``; English where it is unknown."""
    try:
        return Locale.parse(name.replace("-", "_"))
    except (ValueError, UnknownLocaleError):
        return Locale("en")


def moment(value: str | datetime, timezone: str) -> datetime:
    """A point in time in the reader's zone."""
    found = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    return found.astimezone(ZoneInfo(timezone))


def money(value: object, locale: str, *, whole: bool = False) -> str:
    """``{"amount", "currency"}`` as text. ``whole`` leaves minor digits away where space is short."""
    if not isinstance(value, dict) or value.get("amount") in {None, ""}:
        return ""
    return _money(str(value["amount"]), str(value.get("currency") or "EUR"), locale, whole)


@lru_cache(maxsize=4096)
def _money(text: str, currency: str, locale: str, whole: bool) -> str:  # noqa: FBT001 - a key of the cache
    amount = Decimal(text)
    digits = not (whole or (amount == amount.to_integral_value() and get_currency_precision(currency) > 0))
    pattern = None if digits else "¤#,##0"
    parsed = locale_of(locale)
    if pattern is not None:
        pattern = parsed.currency_formats["standard"].pattern.replace(".00", "")
    return format_currency(amount, currency, pattern, locale=parsed, currency_digits=digits)


def short_money(value: object, locale: str) -> str:
    """Money for column heads and tiles: whole below a million, compact above (``$10M``)."""
    if not isinstance(value, dict) or value.get("amount") in {None, ""}:
        return ""
    if abs(Decimal(str(value["amount"]))) < 1_000_000:
        return money(value, locale, whole=True)
    amount = format_compact_decimal(Decimal(str(value["amount"])), locale=locale_of(locale), fraction_digits=2)
    sign = locale_of(locale).currency_symbols.get(str(value.get("currency")), str(value.get("currency")))
    return f"{sign}{amount}"


def number(value: object, locale: str) -> str:
    """A count or an exact decimal with the locale's separators."""
    if value is None or value == "":
        return ""
    try:
        return format_decimal(Decimal(str(value)), locale=locale_of(locale), decimal_quantization=False)
    except InvalidOperation:
        return str(value)


def day(value: str | date, locale: str, style: str = "medium") -> str:
    """A calendar date."""
    return _day(date.fromisoformat(value[:10]) if isinstance(value, str) else value, locale, style)


@lru_cache(maxsize=4096)
def _day(found: date, locale: str, style: str) -> str:
    return format_date(found, style, locale=locale_of(locale))


def stamp(value: str | datetime, locale: str, timezone: str) -> str:
    """Date and time to the minute in the reader's zone."""
    then, parsed, zone = moment(value, timezone), locale_of(locale), ZoneInfo(timezone)
    day_text = format_date(then.date(), "medium", locale=parsed)
    clock_text = format_time(then, "short", locale=parsed, tzinfo=zone)
    return f"{day_text}, {clock_text}"


def ago(value: str | datetime, locale: str, timezone: str, now: datetime | None = None) -> str:
    """Clock time today, "3 days ago" within a week, the date before that."""
    then = moment(value, timezone)
    current = (now or datetime.now(UTC)).astimezone(ZoneInfo(timezone))
    if then.date() == current.date():
        return format_time(then, "short", locale=locale_of(locale), tzinfo=ZoneInfo(timezone))
    if abs((current - then).total_seconds()) < 7 * _DAY_SECONDS:
        return format_timedelta(then - current, granularity="day", add_direction=True, locale=locale_of(locale))
    return format_date(then.date(), "medium", locale=locale_of(locale))


def initials(name: str) -> str:
    """Up to two letters that stand for a person or a company."""
    words = [word for word in name.replace("@", " ").split() if word[0].isalnum()]
    if not words:
        return "?"
    return (words[0][0] + (words[-1][0] if len(words) > 1 else words[0][1:2])).upper()


def tone(name: str) -> str:
    """A colour that stays the same for the same name."""
    return "tone-" + _TONES[zlib.crc32(name.encode()) % len(_TONES)]


def text_direction(locale: str) -> str:
    """``rtl`` or ``ltr``, for the page's ``dir``."""
    return locale_of(locale).text_direction


def country(code: str, locale: str) -> str:
    """A country by its ISO 3166 code in the reader's language."""
    names = cast("Mapping[str, str]", locale_of(locale).territories)
    return names.get(code, code)


def typed_number(value: object, locale: str) -> str:
    """A number as somebody would type it: the locale's decimal sign, no grouping; other text stays."""
    try:
        return format_decimal(Decimal(str(value)), "0.####################", locale=locale_of(locale))
    except InvalidOperation:
        return str(value)


def read_number(text: str, locale: str) -> str:
    """What somebody typed as a plain decimal: by the locale's rules, else as written by machines; else unchanged."""
    bare = _SPACES.sub("", text)
    try:
        return str(parse_decimal(bare, locale=locale_of(locale), strict=True))
    except (NumberFormatError, ValueError):
        return bare if _PLAIN_NUMBER.fullmatch(bare) else text


def file_size(count: int, locale: str) -> str:
    """Bytes as people say them: 340 kB, 1.2 MB."""
    if count < 1000:
        return format_unit(count, "digital-byte", length="short", locale=locale_of(locale))
    unit, scale = ("kilobyte", 1000) if count < 999_500 else ("megabyte", 1_000_000)
    number = Decimal(count) / scale
    shown = number.quantize(Decimal("0.1") if number < 10 else Decimal(1))
    return format_unit(shown, f"digital-{unit}", length="short", locale=locale_of(locale))
