"""The project's own Python files, parsed once for the checks of this folder."""

from __future__ import annotations

import ast
import functools
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = ("app", "tenants", "migrations")


@dataclass(frozen=True)
class Source:
    """A file: its path from the project's root, its text, and its tree once somebody looks at it."""

    path: str
    text: str

    @functools.cached_property
    def tree(self) -> ast.Module:
        """Parsed when it is asked for: most checks look at what ships only, some at the text."""
        return ast.parse(self.text, self.path)


@functools.cache
def tracked() -> tuple[str, ...]:
    """Every file git knows or would add, sorted."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return tuple(sorted(path for path in set(listed.splitlines()) if (ROOT / path).is_file()))


@functools.cache
def python_files() -> tuple[Source, ...]:
    """All Python files of the project."""
    return tuple(Source(path, (ROOT / path).read_text(encoding="utf-8")) for path in tracked() if path.endswith(".py"))


def product_files() -> list[Source]:
    """The Python files that ship."""
    return [source for source in python_files() if source.path.split("/", 1)[0] in PRODUCT]


def strings(tree: ast.Module) -> list[tuple[int, str]]:
    """String literals (f-strings joined) with their lines, docstrings left out."""
    docs = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    found: list[tuple[int, str]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            found.append((node.lineno, node.value))
        elif isinstance(node, ast.JoinedStr):
            parts = [part.value if isinstance(part, ast.Constant) else "{}" for part in node.values]
            found.append((node.lineno, "".join(str(part) for part in parts)))
    return found


def calls(tree: ast.Module) -> list[tuple[int, str, str]]:
    """Calls of methods as (line, receiver text, method name)."""
    return [
        (node.lineno, ast.unparse(node.func.value), node.func.attr)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    ]
