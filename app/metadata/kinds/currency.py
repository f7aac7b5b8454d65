"""Currency: one the workspace works with, and its dated rates."""

from __future__ import annotations

from app.metadata.kinds import schema as form
from app.metadata.kinds.base import Kind

#: A day as ISO 8601 writes it.
DAY = r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"

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
    example="""
kind: currency
name: USD
active: true
rates:
  2026-01-01: 0.85
  2026-07-01: "0.8725"
""",
)
