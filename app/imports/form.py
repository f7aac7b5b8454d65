"""The mapping page's form as options."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.imports.options import ImportOptions


def options_of(form: Mapping[str, str], given: ImportOptions) -> ImportOptions:
    """Options from the form; columns are known by their number, so that headers may hold anything.

    Names: ``column-3`` with its ``header-3``, ``policy-3``, ``by-3`` and ``field-3`` (what the policy was shown for),
    ``also-column-1`` with ``also-1`` (a column that fills a second field), ``value-1`` with ``value-path-1`` and
    ``value-raw-1``, and the plain ones.
    """
    found: dict[str, Any] = {"map": [], "links": [], "link_by": [], "options": [], "map_value": []}
    mapped: set[str] = set()
    for number in _numbers(form, "header-"):
        path = form.get(f"column-{number}", "")
        found["map"].append(f"{form[f'header-{number}']}={path}")
        field = path.partition(".")[0]
        mapped.add(field)
        if not field or form.get(f"field-{number}") != field:
            continue
        policy, kind = form.get(f"policy-{number}", ""), form.get(f"kind-{number}", "")
        if policy and kind in {"link", "option"}:
            found["links" if kind == "link" else "options"].append(f"{field}:{policy}")
        if form.get(f"by-{number}"):
            found["link_by"].append(f"{field}:{form[f'by-{number}']}")
    for number in _numbers(form, "also-column-"):
        column, path = form[f"also-column-{number}"], form.get(f"also-{number}", "")
        if column and path:
            found["map"].append(f"{column}={path}")
            mapped.add(path.partition(".")[0])
    for number in _numbers(form, "value-path-"):
        path, chosen = form[f"value-path-{number}"], form.get(f"value-{number}", "")
        if chosen and path.partition(".")[0] in mapped:
            found["map_value"].append(f"{path}:{form[f'value-raw-{number}']}={chosen}")
    mode = form.get("mode", "create")
    found |= {
        "mode": mode if mode in {"create", "update", "upsert"} else "create",
        "match": form.get("match", "") if mode != "create" else "",
        "date_format": form.get("date_format", ""),
        "null": [text for text in (form.get("null", "").strip(),) if text],
    }
    return msgspec.structs.replace(given, **found)


def _numbers(form: Mapping[str, str], prefix: str) -> list[str]:
    return [name.removeprefix(prefix) for name in form if name.startswith(prefix)]
