"""Currency: one the workspace works with, and its dated rates."""

from __future__ import annotations

import functools
import re
from datetime import date
from typing import TYPE_CHECKING, Final

from babel.numbers import list_currencies

from app.metadata.kinds import schema as form
from app.metadata.kinds.base import Complaint, Kind
from app.metadata.problems import near

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from app.metadata.leaves import Plain
    from app.metadata.vocabulary import Vocabulary

#: A day as ISO 8601 writes it.
DAY: Final = r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"
_RATES: Final = "rates/"
_NOTHING: Final = r"0+(\.0+)?"


@functools.cache
def codes() -> frozenset[str]:
    """Every currency there is or was (ISO 4217 as CLDR lists it)."""
    return frozenset(list_currencies())


def _check(name: str, leaves: Mapping[str, Plain], names: Vocabulary) -> Iterator[Complaint]:  # noqa: ARG001
    if name not in codes():
        yield Complaint("name", "currency.unknown", f"is {name!r}, which is no currency{near(name, codes())}")
    for path, rate in leaves.items():
        if path.startswith(_RATES):
            yield from days_there_are(path)
            if re.fullmatch(_NOTHING, str(rate)):
                yield Complaint(path, "rate.zero", "must be more than nothing: what one unit is worth")


def days_there_are(path: str) -> Iterator[Complaint]:
    """Complain when the last step of ``path`` is a day no calendar has."""
    day = path.rpartition("/")[2]
    try:
        date.fromisoformat(day)
    except ValueError:
        yield Complaint(path, "day.unknown", f"is for {day}, a day that does not exist")


KIND = Kind(
    name="currency",
    help="A currency the workspace works with. A rate says what one unit is worth in the workspace's own.",
    naming="^[A-Z]{3}$",
    named="an ISO 4217 code like USD",
    schema=form.record(
        "A currency.",
        {
            "label": form.text("Another name than the usual one."),
            "active": form.flag("Offered when somebody enters an amount."),
            "rates": form.mapping(
                "By day: what one unit is worth in the workspace's own currency from then on.",
                form.decimal("The rate.", r"^[0-9]{1,12}(\.[0-9]{1,12})?$"),
                keys=DAY,
            ),
        }
        | form.standing(),
    ),
    check=_check,
    example="""
kind: currency
name: USD
active: true
rates:
  2026-01-01: 0.85
  2026-07-01: "0.8725"
""",
)
