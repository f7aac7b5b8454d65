"""Rules that keep tenants apart and the structure honest, checked on the syntax trees."""

from __future__ import annotations

import ast
import re
import tomllib

from tests.architecture.source import ROOT, Source, calls, product_files, python_files, strings, tracked

PLAIN_SET = re.compile(r"(?:^|;)\s*SET\s+(?:LOCAL|SESSION|ROLE|[a-z_.]+\s*(?:=|\bTO\b))", re.IGNORECASE)
DDL = re.compile(
    r"^\s*(?:CREATE|ALTER|DROP|GRANT|REVOKE|TRUNCATE)\s+"
    r"(?:TABLE|SCHEMA|ROLE|INDEX|UNIQUE|DATABASE|EXTENSION|FUNCTION|DEFAULT|ALL|SELECT|INSERT|USAGE|EXECUTE)\b",
    re.IGNORECASE,
)
#: What doctor advises an operator to type.
ADVICE = "app/cli/checks.py"
MAY_HOLD_DDL = ("app/metadata/ddl", "tenants/provisioning/", "tenants/upgrades/", "migrations/", ADVICE)
#: Whoever opens a transaction ends it: the tenant scope, the control plane's own unit of work, the edges.
MAY_COMMIT = ("tenants/scope.py", "tenants/provisioning/", "migrations/", "app/core/db.py")
EDGES = ("api.py", "pages.py", "tasks.py")
WEB = {"flask", "flask_smorest", "werkzeug", "flask_babel", "jinja2", "markupsafe"}
MAY_USE_WEB = ("app/http/", "app/ui/", "app/factory/", "app/wsgi.py", "app/cli/")


def breaches(sources: list[Source], allowed: tuple[str, ...], found: re.Pattern[str]) -> list[str]:
    return [
        f"{source.path}:{line}"
        for source in sources
        if not source.path.startswith(allowed)
        for line, text in strings(source.tree)
        if found.search(text)
    ]


def test_nothing_sets_a_session_variable_for_longer_than_a_transaction() -> None:
    plain = [
        f"{source.path}:{line}"
        for source in product_files()
        if not source.path.startswith(("tenants/provisioning/", "migrations/", ADVICE))
        for line, text in strings(source.tree)
        if PLAIN_SET.match(text)
    ]
    assert plain == []


def test_ddl_is_written_in_three_places_only() -> None:
    assert breaches(product_files(), MAY_HOLD_DDL, DDL) == []


def test_copy_has_one_caller() -> None:
    callers = {
        source.path
        for source in product_files()
        for _, receiver, method in calls(source.tree)
        if method == "copy" and ("cursor" in receiver or "connection" in receiver)
    }
    assert len(callers) == 1, callers
    assert next(iter(callers)).startswith("tenants/")


def test_nothing_below_the_edge_commits() -> None:
    commits = [
        f"{source.path}:{line}"
        for source in product_files()
        if not source.path.startswith(MAY_COMMIT) and not source.path.endswith(EDGES)
        for line, receiver, method in calls(source.tree)
        if method == "commit" and "scope" in receiver
    ]
    assert commits == []


def test_the_web_framework_stays_at_the_edge() -> None:
    def edge(path: str) -> bool:
        name = path.rsplit("/", 1)[-1]
        folder = path.rsplit("/", 2)[-2] if path.count("/") > 1 else ""
        return name.startswith(("api", "pages")) or folder in {"api", "pages"} or path.startswith(MAY_USE_WEB)

    inside = [
        f"{source.path}:{node.lineno}"
        for source in product_files()
        if not edge(source.path)
        for node in ast.walk(source.tree)
        if (isinstance(node, ast.Import) and any(alias.name.split(".")[0] in WEB for alias in node.names))
        or (isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in WEB)
    ]
    assert inside == []


def test_only_the_command_line_imports_late() -> None:
    late = [
        f"{source.path}:{inner.lineno}"
        for source in product_files()
        if not source.path.startswith("app/cli/")
        for node in ast.walk(source.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for inner in ast.walk(node)
        if isinstance(inner, ast.Import | ast.ImportFrom)
    ]
    assert late == []


def test_packages_are_listed_explicitly_and_completely() -> None:
    listed = set(tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"])
    present = {
        path.rsplit("/", 1)[0].replace("/", ".")
        for path in tracked()
        if path.endswith("/__init__.py") and path.startswith(("app/", "tenants/"))
    }
    assert present == listed


def test_every_folder_of_modules_is_a_package() -> None:
    folders = {source.path.rsplit("/", 1)[0] for source in product_files() if not source.path.startswith("migrations")}
    assert [folder for folder in sorted(folders) if not (ROOT / folder / "__init__.py").exists()] == []


def test_no_variable_is_called_app() -> None:
    named = [
        f"{source.path}:{node.lineno}"
        for source in python_files()
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name) and target.id == "app"
    ]
    assert named == []


def test_nothing_is_left_for_later_in_the_code() -> None:
    later = re.compile(r"\b(?:TODO|FIXME|XXX)\b|NotImplementedError")
    mine = "tests/architecture/test_house_rules.py"
    assert [source.path for source in python_files() if source.path != mine and later.search(source.text)] == []


def test_every_top_level_folder_explains_itself() -> None:
    folders = {path.split("/", 1)[0] for path in tracked() if "/" in path and not path.startswith(".")}
    assert [folder for folder in sorted(folders) if not (ROOT / folder / "README.md").exists()] == []


def test_lock_files_name_no_registry() -> None:
    locks = [path for path in tracked() if path.startswith("requirements/") or path.endswith("package-lock.json")]
    assert locks
    assert [path for path in locks if "://" in (ROOT / path).read_text().replace('"https://opencollective', "")] == []
