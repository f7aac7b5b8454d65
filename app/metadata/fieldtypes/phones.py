"""``phones``: every phone number of a person or organisation."""

from __future__ import annotations

from app.metadata.fieldtypes.entries import EntryList
from app.metadata.fieldtypes.phone import TYPE as PHONE


class PhonesType(EntryList):
    """A list of ``{value, label, primary, valid, typed}``."""

    name = "phones"
    single = PHONE


TYPE = PhonesType()
