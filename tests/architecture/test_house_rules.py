"""Rules that keep tenants apart and the structure honest, checked on the syntax trees."""

from __future__ import annotations

import ast
import re
import tomllib

import pytest

from tests.architecture.source import ROOT, Source, calls, product_files, python_files, strings, tracked

PLAIN_SET = re.compile(r"(?:^|;)\s*SET\s+(?:LOCAL|SESSION|ROLE|[a-z_.]+\s*(?:=|\bTO\b))", re.IGNORECASE)
DDL = re.compile(
    r"^\s*(?:CREATE|ALTER|DROP|GRANT|REVOKE|TRUNCATE)\s+(?:OR\s+REPLACE\s+|TEMP(?:ORARY)?\s+|UNLOGGED\s+|MATERIALIZED\s+)?"
    r"(?:TABLE|SCHEMA|ROLE|USER|INDEX|UNIQUE|DATABASE|EXTENSION|FUNCTION|PROCEDURE|TRIGGER|VIEW|SEQUENCE|TYPE|DOMAIN|"
    r"POLICY|DEFAULT|ALL|SELECT|INSERT|UPDATE|DELETE|USAGE|EXECUTE)\b",
    re.IGNORECASE | re.MULTILINE,
)
#: What doctor advises an operator to type.
ADVICE = "app/cli/checks.py"
MAY_HOLD_DDL = ("app/metadata/ddl", "tenants/provisioning/", "migrations/", ADVICE)
#: Whoever opens a transaction ends it: the tenant scope, the control plane's own units of work. An edge ends a scope.
MAY_COMMIT = (
    "tenants/scope.py",
    "tenants/provisioning/",
    "tenants/upgrades/one.py",
    "migrations/",
    "app/core/db.py",
    "app/core/jobs/store.py",
)
#: Modules that open connections of their own, and who may: the one outbound client, mail, the bucket, and who looks
#: whether a port is free or a mail server answers.
WAYS_OUT = {
    "socket": ("app/core/net.py", "app/cli/up.py"),
    "http.client": ("app/core/net.py",),
    "urllib.request": (),
    "urllib3": (),
    "requests": (),
    "httpx": (),
    "aiohttp": (),
    "smtplib": ("app/core/mail.py", ADVICE),
    "boto3": ("app/core/storage/s3.py",),
    "botocore": ("app/core/storage/s3.py",),
}
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
        if not source.path.startswith(MAY_COMMIT)
        for line, _, method in calls(source.tree)
        if method in {"commit", "rollback"}
    ]
    assert commits == []


def imported(tree: ast.Module) -> list[tuple[int, str]]:
    """What a file imports, as dotted names: of ``from a import b`` both ``a`` and ``a.b``."""
    found: list[tuple[int, str]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found += [(node.lineno, node.module), *((node.lineno, f"{node.module}.{a.name}") for a in node.names)]
    return found


def leads_out(path: str, name: str) -> bool:
    return any(
        (name == module or name.startswith(f"{module}.")) and path not in allowed
        for module, allowed in WAYS_OUT.items()
    )


def test_nothing_opens_connections_but_the_one_outbound_client_mail_and_storage() -> None:
    found = {
        f"{source.path}:{line} {name}"
        for source in product_files()
        for line, name in imported(source.tree)
        if leads_out(source.path, name)
    }
    assert found == set()


def test_jobs_are_put_on_queues_by_core_jobs_only() -> None:
    found = [
        f"{source.path}:{line}"
        for source in product_files()
        if not source.path.startswith("app/core/jobs/")
        for line, _, method in calls(source.tree)
        if method.startswith("enqueue")
    ]
    assert found == []


@pytest.mark.parametrize(
    "statement",
    [
        "create table x (id uuid)",
        "CREATE OR REPLACE FUNCTION x() RETURNS int",
        "create temp table x as select 1",
        "select 1;\n drop table x",
        "grant update on x to y",
        "create trigger x before insert on y",
        "alter role x set search_path = y",
    ],
)
def test_the_look_for_ddl_finds_it(statement: str) -> None:
    assert DDL.search(statement)


def test_the_look_for_ways_out_finds_them() -> None:
    text = "import http.client\nfrom urllib import request, parse\nimport socket as s\nfrom http import HTTPStatus\n"
    names = [name for _, name in imported(ast.parse(text)) if leads_out("app/records/read.py", name)]
    assert names == ["http.client", "urllib.request", "socket"]
    assert not leads_out("app/core/net.py", "http.client")


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


#: Findings whose reason is the same each time.
SELF_EVIDENT = {
    "ARG001": "a function of a table takes what the table gives",
    "ARG002": "a method takes what its protocol gives",
    "D102": "the members of a protocol are named by what they are",
}
SILENCED = re.compile(r"# noqa: (?P<codes>[A-Z]+[0-9]+(?:, [A-Z]+[0-9]+)*)(?P<reason>.*)")


def unexplained(text: str) -> list[int]:
    """Lines that silence a finding and say nowhere why: neither behind it nor in a comment above."""
    lines = text.splitlines()
    return [
        number
        for number, line in enumerate(lines, 1)
        if (found := SILENCED.search(line))
        and not found["reason"].strip(" ()-")
        and not set(found["codes"].split(", ")) <= set(SELF_EVIDENT)
        and not lines[number - 2].lstrip().startswith("#")
    ]


def test_who_silences_a_finding_says_why() -> None:
    assert [f"{source.path}:{line}" for source in product_files() for line in unexplained(source.text)] == []
    assert unexplained("x = 1\ny = 2  # noqa: S101\n# said here\nz  # noqa: S101\nz  # noqa: S101 (and here)\n") == [2]


def test_every_top_level_folder_explains_itself() -> None:
    folders = {path.split("/", 1)[0] for path in tracked() if "/" in path and not path.startswith(".")}
    assert [folder for folder in sorted(folders) if not (ROOT / folder / "README.md").exists()] == []


def test_lock_files_name_no_registry() -> None:
    locks = [path for path in tracked() if path.startswith("requirements/") or path.endswith("package-lock.json")]
    assert locks
    assert [path for path in locks if "://" in (ROOT / path).read_text().replace('"https://opencollective', "")] == []
