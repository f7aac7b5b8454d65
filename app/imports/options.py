"""The options of an import, in the words of the command line (DESIGN §11), and what they mean."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from app.imports.errors import InvalidImport

if TYPE_CHECKING:
    from collections.abc import Sequence

Policy = Literal["error", "empty", "create"]
Mode = Literal["create", "update", "upsert"]

_LINK_POLICIES: Final = ("error", "empty", "create")
_OPTION_POLICIES: Final = ("error", "create")


class ImportOptions(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """As given: repeatable options are lists of the command line's strings."""

    object: str
    map: list[str] = []
    map_value: list[str] = []
    set: list[str] = []
    links: list[str] = []
    link_by: list[str] = []
    options: list[str] = []
    null: list[str] = []
    date_format: str = ""
    delimiter: str = ""
    encoding: str = ""
    mode: Mode = "create"
    match: str = ""
    dry_run: bool = False


@dataclass(slots=True)
class Wishes:
    """The same taken apart. ``columns``: column → fields, in order; an empty list leaves the column out."""

    object: str
    columns: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    values: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])
    constants: dict[str, str] = field(default_factory=dict[str, str])
    link_policy: dict[str, str] = field(default_factory=dict[str, str])
    link_by: dict[str, str] = field(default_factory=dict[str, str])
    option_policy: dict[str, str] = field(default_factory=dict[str, str])
    nulls: frozenset[str] = frozenset()
    date_format: str = ""
    mode: Mode = "create"
    match: str = ""

    def policy_of_link(self, name: str) -> str:
        """What happens when the link's target is not found."""
        return self.link_policy.get(name, self.link_policy.get("", "error"))

    def policy_of_options(self, name: str) -> str:
        """What happens with an option that is not known."""
        return self.option_policy.get(name, self.option_policy.get("", "error"))


def take_apart(options: ImportOptions) -> Wishes:
    """Read the strings. Raises InvalidImport for one that is not of its form."""
    if options.mode != "create" and not options.match:
        raise InvalidImport.of("match", f"Mode {options.mode} needs a field to match by (--match external_id).")
    if (len(options.delimiter) > 1 and options.delimiter not in _DELIMITERS) or options.delimiter in _NO_DELIMITERS:
        raise InvalidImport.of("delimiter", "The delimiter is one character, or the word tab.")
    return Wishes(
        object=options.object,
        columns=_columns(options.map),
        values=_values(options.map_value),
        constants=dict(_pair("set", text, "=", "FIELD=VALUE") for text in options.set),
        link_policy=_policies("links", options.links, _LINK_POLICIES),
        link_by=dict(_pair("link_by", text, ":", "LINK:FIELD") for text in options.link_by),
        option_policy=_policies("options", options.options, _OPTION_POLICIES),
        nulls=frozenset(options.null),
        date_format=options.date_format,
        mode=options.mode,
        match=options.match,
    )


#: These mean something else in a table of texts.
_NO_DELIMITERS: Final = frozenset({"\0", "\r", "\n", '"'})
_DELIMITERS: Final = {"tab": "\t", "\\t": "\t"}


def delimiter_of(options: ImportOptions) -> str:
    """The delimiter as a character; empty when it is to be found out."""
    return _DELIMITERS.get(options.delimiter, options.delimiter)


def _columns(texts: Sequence[str]) -> dict[str, list[str]]:
    found: defaultdict[str, list[str]] = defaultdict(list)
    for text in texts:
        # A column may hold a `=`, a field may not.
        column, equals, name = text.rpartition("=")
        if not equals or not column:
            raise InvalidImport.of("map", f"Write --map COLUMN=FIELD, not {text!r}.")
        if name.strip():
            found[column.strip()].append(name.strip())
        else:
            found[column.strip()] = []
    return dict(found)


def _values(texts: Sequence[str]) -> dict[str, dict[str, str]]:
    found: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for text in texts:
        name, rest = _pair("map_value", text, ":", "FIELD:FROM=TO")
        before, after = _pair("map_value", rest, "=", "FIELD:FROM=TO")
        found[name][before] = after
    return dict(found)


def _policies(option: str, texts: Sequence[str], allowed: tuple[str, ...]) -> dict[str, str]:
    """Policies by field; the one without a field under the empty name."""
    found: dict[str, str] = {}
    for text in texts:
        name, _, policy = text.rpartition(":")
        if policy not in allowed:
            raise InvalidImport.of(option, f"--{option} takes {', '.join(allowed)}, not {policy!r}.")
        found[name.strip()] = policy
    return found


def _pair(option: str, text: str, separator: str, form: str) -> tuple[str, str]:
    before, found, after = text.partition(separator)
    if not found or not before.strip():
        flag = option.replace("_", "-")
        raise InvalidImport.of(option, f"Write --{flag} {form}, not {text!r}.")
    return before.strip(), after
