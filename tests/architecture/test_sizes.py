"""Files and functions stay small enough to be read at once (STYLE)."""

from __future__ import annotations

import ast

from tests.architecture.source import ROOT, python_files, tracked

FILE_LINES = 500
FUNCTION_LINES = 50
OTHER_TEXT = (".html", ".js", ".css", ".yaml")


def test_no_source_file_is_longer_than_the_budget() -> None:
    long = {source.path: source.text.count("\n") for source in python_files()}
    for path in tracked():
        if path.endswith(OTHER_TEXT):
            long[path] = (ROOT / path).read_text(encoding="utf-8").count("\n")
    assert {path: lines for path, lines in long.items() if lines > FILE_LINES} == {}


def test_no_function_is_longer_than_the_budget() -> None:
    long = [
        f"{source.path}:{node.lineno} {node.name} {node.end_lineno - node.lineno + 1}"
        for source in python_files()
        if not source.path.startswith("migrations/")
        for node in ast.walk(source.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno >= FUNCTION_LINES
    ]
    assert long == []


def test_no_file_has_a_name_that_says_nothing() -> None:
    empty = {"utils.py", "helpers.py", "misc.py", "common.py", "service2.py"}
    assert [path for path in tracked() if path.rsplit("/", 1)[-1] in empty] == []
