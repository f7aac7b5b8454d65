"""Labels of what was given none."""

from __future__ import annotations


def humanised(name: str) -> str:
    """A name as a label: ``vat_id`` → Vat id."""
    text = name.replace("__", " ").replace("_", " ")
    return text[:1].upper() + text[1:]
