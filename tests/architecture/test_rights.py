"""Nobody reads records past the two choke points of rights: the catalog of who asks, the table they reach."""

from __future__ import annotations

import ast
import re
from typing import Final

from tests.architecture.source import Source, product_files, strings

#: Modules that may name a table, and what for.
NAME_TABLES: Final = {
    "app/records/reach.py": "writes the tables everybody else reads",
    "app/records/paths.py": "the plain table, for what the engine does",
    "app/records/links.py": "link targets that must be live, whoever sees them: sight is asked by `unseen`",
    "app/records/store.py": "shapes of such targets",
    "app/records/store_many.py": "COPY of new records",
    "app/records/violations.py": "names of constraints",
}
#: Modules that work on every record, whoever asks, and why that tells nobody anything.
WORK_ON_ALL: Final = {
    "app/records/reach.py": "where it is defined",
    "app/records/attachments.py": "whether anything points to a file; who may read one is asked by `visible`",
    "app/records/amounts.py": "a deal's amount is the sum of all of its lines",
    "app/records/consequences.py": "parents are locked, not shown",
    "app/records/dependants.py": "cascades; what blocks is told by `seen_in`",
    "app/records/feeds.py": "what the records just written add to roll-ups",
    "app/records/folding.py": "figures of roll-ups, which count all records",
    "app/records/handover.py": "who leaves hands over all they own",
    "app/records/links.py": "cycles and life of targets; sight is asked by `unseen`",
    "app/records/matching.py": "whether a unique value is taken; finding records is `seen_in`",
    "app/records/permits.py": "judges records by id: seen, allowed",
    "app/records/primaries.py": "keeps links in step",
    "app/records/search/statement.py": "the size of a table, for weights",
    "app/records/store.py": "writes by id what `permits` has judged",
    "app/records/store_many.py": "writes by id what `permits` has judged",
    "app/records/trash.py": "writes by id what `permits` has judged, with its cascades",
    "app/leads/repository.py": "activities of a lead are linked to what it became",
    "app/imports/undo.py": "versions of the import's own records",
    "app/samples/service.py": "samples are the workspace's own",
}
#: Modules that may make a statement's source without rights.
MAKE_SOURCES: Final = {
    "app/records/facts.py": "rules look at all records, links out of sight count as empty (ADR 33)",
    "app/records/reach.py": "narrows it; conditions of roles are the engine's",
    "app/records/sources.py": "defines it; roll-ups count all records (ADR 32)",
}
#: Modules that may read the log: what it tells is cut there.
READ_THE_LOG: Final = (
    "app/events/", "app/records/dependants.py", "app/records/conflicts.py", "app/records/pages/finding.py",
    "app/imports/repository.py", "app/rights/audit.py", "app/rights/review.py", "tenants/log.py",
)  # fmt: skip
_RECORDS: Final = ("app/",)
_NOT: Final = ("app/metadata/", "app/access/", "app/events/", "app/expressions/", "app/core/", "app/http/", "app/ui/")


def _of_records() -> list[Source]:
    return [s for s in product_files() if s.path.startswith(_RECORDS) and not s.path.startswith(_NOT)]


def test_only_these_modules_name_the_table_of_an_object() -> None:
    found = {
        source.path
        for source in _of_records()
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Attribute) and node.attr == "table" and ast.unparse(node.value) != "sa"
    }
    assert found == NAME_TABLES.keys()


def test_only_these_modules_work_on_records_whoever_asks() -> None:
    found = {
        source.path
        for source in _of_records()
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "whole"
    }
    assert found | {"app/records/reach.py"} == WORK_ON_ALL.keys()


def test_statements_are_made_of_narrowed_tables() -> None:
    found = {
        source.path
        for source in _of_records()
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Source"
    }
    assert found == MAKE_SOURCES.keys()


def test_no_statement_spells_the_table_of_an_object() -> None:
    spelled = re.compile(r"\b(?:from|join|into|update)\s+\"?o_[a-z]", re.IGNORECASE)
    found = [
        f"{source.path}:{line}"
        for source in product_files()
        if not source.path.startswith(("app/metadata/ddl/", "migrations/"))
        for line, text in strings(source.tree)
        if spelled.search(text)
    ]
    assert found == []


def test_the_log_is_read_where_it_is_cut() -> None:
    reads = re.compile(r"\bfrom event\b(?!_)", re.IGNORECASE)
    found = {
        source.path
        for source in product_files()
        for _, text in strings(source.tree)
        if reads.search(text) and not source.path.startswith(READ_THE_LOG)
    }
    assert found == set()


def test_only_records_history_gives_the_feed_of_the_log_away() -> None:
    callers = {
        source.path
        for source in _of_records()
        if source.path != "app/records/history.py"
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Attribute | ast.Name)
        and (node.attr if isinstance(node, ast.Attribute) else node.id) == "tenant_events"
    }
    assert callers == set()
