"""What names a renamed part gets the new name: lists, keys, paths over links, conditions and formulas."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from app.expressions import ConditionError
from app.expressions.parse import parse
from app.expressions.wire import Apply, Items, Name
from app.metadata import kinds
from app.metadata.leaves import SEPARATOR
from app.metadata.nodes import within
from app.metadata.tracing import Tracer, along

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from app.expressions.wire import Parsed
    from app.metadata.kinds.base import Reference
    from app.metadata.leaves import Document, Leaves, Plain
    from app.metadata.vocabulary import Vocabulary
    from app.metadata.working import Rename

#: (component, node) → the name it has now.
Names: TypeAlias = "Mapping[tuple[str, str], str]"


def mended(component: str, before: Document, names: Vocabulary, renamed: Names) -> Leaves:
    """A component's leaves with every name in them that was ``renamed``; ``before`` is the document of then."""
    leaves = dict(before[component])
    traced = Tracer(component, leaves, names)
    naming = [one for one in traced.references if one.path and (one.component, one.node) in renamed]
    for path in sorted({one.path for one in naming}, key=len, reverse=True):
        found = [one for one in naming if one.path == path]
        if found[0].key:
            leaves = _rekeyed(leaves, path, found, renamed)
        elif path in traced.expressions:
            leaves[path] = _rewritten(str(leaves[path]), traced.expressions[path], names, renamed)
        else:
            leaves[path] = _revalued(leaves[path], found, renamed)
    return leaves


def _rekeyed(leaves: Leaves, path: str, found: Sequence[Reference], renamed: Names) -> Leaves:
    """The same leaves under a key that is called otherwise."""
    place, _, key = path.rpartition(SEPARATOR)
    new = f"{place}{SEPARATOR}{_renamed(key, found, renamed)}".lstrip(SEPARATOR)
    inside = path + SEPARATOR
    return {
        new + old[len(path) :] if old == path or old.startswith(inside) else old: value for old, value in leaves.items()
    }


def _revalued(value: Plain, found: Sequence[Reference], renamed: Names) -> Plain:
    """A value, or a list of them, that names parts."""
    if isinstance(value, list):
        return [_renamed(one, [ref for ref in found if ref.written == one.removeprefix("-")], renamed) for one in value]
    return _renamed(str(value), found, renamed)


def _renamed(written: str, found: Sequence[Reference], renamed: Names) -> str:
    """One name or path, with what stands before it: ``-`` of a sort, ``sum:`` of a figure."""
    figure, colon, path = written.rpartition(":")
    sign = "-" if path.startswith("-") else ""
    steps = path.removeprefix("-").split(".")
    for one in found:
        steps[one.step] = renamed[one.component, one.node]
    return figure + colon + sign + ".".join(steps)


def _rewritten(text: str, owner: str, names: Vocabulary, renamed: Names) -> str:
    """An expression over records of ``owner``; what it writes otherwise than plainly stays."""
    try:
        parsed = parse(text)
    except ConditionError:
        return text
    for position, old, new in sorted(_places(parsed, owner, names, renamed), reverse=True):
        if text[position : position + len(old)] == old:
            text = text[:position] + new + text[position + len(old) :]
    return text


def _places(parsed: Parsed, owner: str, names: Vocabulary, renamed: Names) -> Iterator[tuple[int, str, str]]:
    """Position, path and new path of every name that is called otherwise."""
    match parsed:
        case Name(position, path):
            hops = list(along(names.environment(owner), names, path))
            steps = path.split(".")
            for at, hop in enumerate(hops[: len(steps)]):
                steps[at] = renamed.get((f"object/{hop.object}", f"fields/{hop.field}"), steps[at])
            if hops and not names.environment(owner).to_many(path):
                yield position, path, ".".join(steps)
        case Apply(function="any", args=(Name(path=path) as link, body)):
            yield from _many(link, path, owner, names, renamed)
            hop = names.environment(owner).to_many(path)
            if hop is not None:
                yield from _places(body, hop.object, names, renamed)
        case Apply():
            for one in (*((parsed.target,) if parsed.target else ()), *parsed.args):
                yield from _places(one, owner, names, renamed)
        case Items():
            for one in parsed.items:
                yield from _places(one, owner, names, renamed)
        case _:
            return


def _many(link: Name, path: str, owner: str, names: Vocabulary, renamed: Names) -> Iterator[tuple[int, str, str]]:
    """A link to many keeps its own name; the links before it may have others."""
    before, _, last = path.rpartition(".")
    if before:
        for position, _, new in _places(Name(link.position, before), owner, names, renamed):
            yield position, path, f"{new}.{last}"


def mend(before: Document, renames: Sequence[Rename], names: Vocabulary) -> Iterator[tuple[str, str, Plain]]:
    """Component, path and value, under the names of now, of each leaf to mend; ``before`` is under those of then."""
    renamed = {
        _then(one.before_component, one.before_path, renames[:at]): one.path.rpartition(SEPARATOR)[2]
        or one.component.partition("/")[2]
        for at, one in enumerate(renames)
    }
    for component, old in before.items():
        if component.partition(SEPARATOR)[0] in kinds.ROOTS:
            new = mended(component, before, names, renamed)
            for path in sorted({*old, *new}, key=lambda one: (one in new, one)):
                if old.get(path) != new.get(path):
                    yield *_now(component, path, renames), new.get(path)


def _then(component: str, path: str, earlier: Sequence[Rename]) -> tuple[str, str]:
    """Where a node was before ``earlier`` renames: what is inside of a renamed one is written under the new name."""
    for one in reversed(earlier):
        if component == one.component and within(path, one.path):
            component, path = one.before_component, f"{one.before_path}{path[len(one.path) :]}".lstrip(SEPARATOR)
    return component, path


def _now(component: str, path: str, renames: Sequence[Rename]) -> tuple[str, str]:
    """Where a leaf is, once what it is in is called otherwise."""
    for one in renames:
        if component == one.before_component and within(path, one.before_path):
            component, path = one.component, f"{one.path}{path[len(one.before_path) :]}".lstrip(SEPARATOR)
    return component, path
