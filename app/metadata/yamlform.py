"""YAML as components are written in: texts stay texts (``no``, ``2026-01-01``), nothing is said twice.

Only ``true``, ``false``, ``null`` and plain decimal numbers are anything but texts, as in YAML 1.2.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, cast

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_WIDTH: Final = 120


class NotYaml(Exception):
    """The text can't be read; the message says where."""


class _Loader(yaml.CSafeLoader):
    """Resolves less than PyYAML does and refuses keys that stand twice."""


class _Dumper(yaml.CSafeDumper):
    """Keeps PyYAML's resolvers: whatever another reader could take for something else is quoted."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002
        """Everything is written out."""
        return True

    def represent(self, data: object) -> None:
        """A component itself is never put on one line: its lines are what people compare."""
        node = self.represent_data(data)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        if isinstance(node, yaml.CollectionNode):
            node.flow_style = False
        self.serialize(node)  # pyright: ignore[reportUnknownMemberType]
        self.represented_objects = {}
        self.object_keeper = []
        self.alias_key = None


_Loader.yaml_implicit_resolvers = {}
for tag, pattern, first in (
    ("tag:yaml.org,2002:bool", "true|false", "tf"),
    ("tag:yaml.org,2002:null", "~|null|", ["~", "n", ""]),
    ("tag:yaml.org,2002:int", "-?(0|[1-9][0-9]*)", "-0123456789"),
    ("tag:yaml.org,2002:float", r"-?(0|[1-9][0-9]*)\.[0-9]+", "-0123456789"),
):
    _Loader.add_implicit_resolver(tag, re.compile(f"^(?:{pattern})$"), list(first))  # pyright: ignore[reportUnknownMemberType]


def _map(loader: _Loader, node: yaml.MappingNode) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key_node, value_node in cast("list[tuple[yaml.Node, yaml.Node]]", node.value):
        if not isinstance(key_node, yaml.ScalarNode):
            raise NotYaml(f"a key must be a text{_place(key_node)}")
        key = str(key_node.value)
        if key in found:
            raise NotYaml(f"{key!r} stands twice{_place(key_node)}")
        found[key] = loader.construct_object(value_node, deep=True)  # pyright: ignore[reportUnknownMemberType]
    return found


def _decimal(loader: _Loader, node: yaml.ScalarNode) -> str:  # noqa: ARG001
    """Numbers with a fraction stay as exact as they were written."""
    return str(node.value)


def _place(node: yaml.Node) -> str:
    mark = node.start_mark
    return f" (line {mark.line + 1})"


_Loader.add_constructor("tag:yaml.org,2002:map", _map)  # pyright: ignore[reportUnknownMemberType]
_Loader.add_constructor("tag:yaml.org,2002:float", _decimal)  # pyright: ignore[reportUnknownMemberType]


def load_all(text: str) -> Iterator[object]:
    """Each document of ``text``. Raises NotYaml."""
    try:
        _refuse_aliases(text)
        yield from yaml.load_all(text, Loader=_Loader)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise NotYaml(" ".join(str(error).split())) from None


def _refuse_aliases(text: str) -> None:
    """A few aliases of aliases are a document that fills the memory."""
    if "*" in text and any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader=_Loader)):  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        raise NotYaml("uses an alias; write it out")


def dump(component: Mapping[str, object]) -> str:
    """One component, a line for each of its parts; a part that holds only plain values stands on one line."""
    return yaml.dump(
        dict(component), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_WIDTH, default_flow_style=None
    )
