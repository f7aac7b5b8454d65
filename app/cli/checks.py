"""What `rapport doctor` looks at, one function a part."""

from __future__ import annotations

import importlib.metadata
import platform
import smtplib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import sqlalchemy as sa
from sqlalchemy import exc

from app.core import ids
from app.core.crypto import UndecryptableError
from app.core.mail import Outbox, Smtp
from tenants.provisioning import migrating
from tenants.provisioning.hardening import check_hardening
from tenants.registry.pods import pod_numbers
from tenants.upgrades import behind

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

    from app.core.ports import Runtime

State = Literal["ok", "warning", "failed"]

_POSTGRES: Final = 180000
_VALKEY: Final = (7, 2)
_SECRET_LENGTH: Final = 32
_FULL_POD: Final = 250_000
_TENANT_ROLES: Final = 1_000
#: DESIGN §4: what the application's login must have by default.
_LOGIN_DEFAULTS: Final = {
    "plan_cache_mode": "force_custom_plan",
    "lock_timeout": "1s",
    "idle_in_transaction_session_timeout": "10s",
    "transaction_timeout": "0",
}


@dataclass(frozen=True, slots=True)
class Check:
    """One finding; ``remedy`` is empty when nothing needs doing."""

    name: str
    state: State
    found: str
    remedy: str = ""

    def document(self) -> dict[str, str]:
        """Make the JSON form."""
        return {"name": self.name, "state": self.state, "found": self.found, "remedy": self.remedy}


def examine(runtime: Runtime) -> list[Check]:
    """Look at every part; a part that can't be reached is a finding, never an error."""
    embedded = runtime.config.embedded
    database = "run `rapport migrate`" if embedded else "see that PostgreSQL answers at RAPPORT_DATABASE_URL"
    pod = "run `rapport migrate`" if embedded else "see that its PostgreSQL answers where `rapport pod init` was told"
    valkey = "look into log/valkey.log of RAPPORT_HOME" if embedded else "see that Valkey answers at RAPPORT_REDIS_URL"
    parts: list[tuple[str, Callable[[Runtime], Iterable[Check]], str]] = [
        ("program", _program, "install it anew: `make run`"),
        ("settings", _settings, "look at the RAPPORT_ variables"),
        ("control database", _control, database),
        ("valkey", _valkey, valkey),
        ("storage", _storage, "see that files can be written and read where RAPPORT_STORAGE_URL says"),
        ("mail", _mail, "see that the mail server answers at RAPPORT_SMTP_URL"),
    ]
    checks = [check for name, look, remedy in parts for check in _guarded(name, look, runtime, remedy)]
    numbers = _pods(runtime)
    if not numbers:
        checks.append(
            Check("pods", "failed", "none is known", "run `rapport migrate` (embedded) or `rapport pod init`")
        )
    for number in numbers:
        checks += _guarded(f"pod {number}", lambda given, number=number: _pod(given, number), runtime, pod)
    return checks


def tenant_names(runtime: Runtime) -> list[dict[str, str]]:
    """Which workspace is behind each opaque schema name."""
    question = sa.text("select schema, id::text, coalesce(slug, '(spare)') from pod.tenant order by schema")
    rows: list[dict[str, str]] = []
    for number in pod_numbers(runtime.databases):
        with runtime.databases.pod_owner(number).connect() as connection:
            found = connection.execute(question).all()
        rows += [{"pod": str(number), "schema": row[0], "tenant": row[1], "slug": row[2]} for row in found]
    return rows


def _guarded(name: str, look: Callable[[Runtime], Iterable[Check]], runtime: Runtime, remedy: str) -> list[Check]:
    try:
        return list(look(runtime))
    except UndecryptableError:
        return [
            Check(
                name,
                "failed",
                "its address was encrypted with another secret key",
                "set RAPPORT_SECRET_KEY to that key",
            )
        ]
    except Exception as error:  # noqa: BLE001 (whatever is wrong with a part is the finding)
        lines = str(getattr(error, "orig", error)).strip().splitlines()
        return [Check(name, "failed", lines[0] if lines else type(error).__name__, remedy)]


def _pods(runtime: Runtime) -> list[int]:
    try:
        return pod_numbers(runtime.databases)
    except exc.DBAPIError:  # told by the control database's own check
        return []


def _program(_runtime: Runtime) -> Generator[Check]:
    names = ("rapport", "sqlalchemy", "psycopg", "flask", "granian", "rq")
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in names)
    yield Check("program", "ok", f"{versions}, Python {platform.python_version()}")


def _settings(runtime: Runtime) -> Generator[Check]:
    config = runtime.config
    if len(config.secret_key) < _SECRET_LENGTH:
        yield Check(
            "secret key", "failed", "shorter than 32 characters", "set RAPPORT_SECRET_KEY to a long random text"
        )
    else:
        yield Check("secret key", "ok", "present")
    if config.base_domain != "localhost" and config.scheme != "https":
        yield Check(
            "address", "failed", f"{config.base_url} is not https", "serve by https: cookies are sent only there"
        )
    else:
        yield Check("address", "ok", config.base_url)


def _version(name: str, connection: sa.Connection) -> Check:
    number = int(connection.exec_driver_sql("show server_version_num").scalar_one())
    text = connection.exec_driver_sql("show server_version").scalar_one()
    if number < _POSTGRES:
        return Check(f"{name}: version", "failed", f"PostgreSQL {text}", "upgrade to PostgreSQL 18 or later")
    return Check(f"{name}: version", "ok", f"PostgreSQL {text}")


def _schema(name: str, owner: sa.Engine, kind: str) -> Check:
    current, newest = migrating.current(owner, kind), migrating.newest(kind)
    if current != newest:
        return Check(f"{name}: schema", "failed", f"at {current}, this version needs {newest}", "run `rapport migrate`")
    return Check(f"{name}: schema", "ok", f"at {current}")


def _control(runtime: Runtime) -> Generator[Check]:
    name = "control database"
    with runtime.databases.control.connect() as connection:
        yield _version(name, connection)
    yield _schema(name, runtime.databases.control_owner(), "control")


def _pod(runtime: Runtime, number: int) -> Generator[Check]:
    name = f"pod {number}"
    owner = runtime.databases.pod_owner(number)
    with runtime.databases.pod(number).connect() as connection:
        yield _version(name, connection)
        yield from _login(name, connection)
        gaps = check_hardening(connection)
        yield from (Check(f"{name}: hardening", "failed", gap.what, gap.remedy) for gap in gaps)
        if not gaps:
            yield Check(f"{name}: hardening", "ok", "every wall stands")
        yield _extensions(name, connection)
        yield from _size(name, connection)
    yield _schema(name, owner, "pod")
    yield _behind(name, runtime, number)


def _behind(name: str, runtime: Runtime, number: int) -> Check:
    """Workspaces of another version are served, but not for ever (ADR 34)."""
    waiting = behind(runtime, number)
    if waiting:
        return Check(f"{name}: workspaces", "warning", f"{waiting:,} are not at this version", "run `rapport upgrade`")
    return Check(f"{name}: workspaces", "ok", "all are at this version")


def _login(name: str, connection: sa.Connection) -> Generator[Check]:
    wrong = {
        setting: found
        for setting, wanted in _LOGIN_DEFAULTS.items()
        if (found := connection.exec_driver_sql(f"show {setting}").scalar_one()) != wanted
    }
    for setting, found in wrong.items():
        remedy = (
            f"as superuser: ALTER ROLE rapport_app SET {setting} = '{_LOGIN_DEFAULTS[setting]}' (or rapport pod init)"
        )
        yield Check(f"{name}: login", "failed", f"{setting} is {found}", remedy)
    if not wrong:
        yield Check(f"{name}: login", "ok", "rapport_app has its defaults")


def _extensions(name: str, connection: sa.Connection) -> Check:
    found = connection.exec_driver_sql(
        "select e.extname from pg_extension e join pg_namespace n on n.oid = e.extnamespace where n.nspname = 'ext'"
    ).scalars()
    missing = sorted({"pg_trgm", "unaccent"} - set(found))
    if missing:
        wanted = "; ".join(f"CREATE EXTENSION {extension} SCHEMA ext" for extension in missing)
        return Check(
            f"{name}: extensions", "failed", f"missing in schema ext: {', '.join(missing)}", f"as superuser: {wanted}"
        )
    return Check(f"{name}: extensions", "ok", "pg_trgm, unaccent")


def _size(name: str, connection: sa.Connection) -> Generator[Check]:
    relations = int(
        connection.exec_driver_sql("select reltuples from pg_class where oid = 'pg_class'::regclass").scalar_one()
    )
    roles = int(connection.exec_driver_sql("select count(*) from pg_roles where rolname like 'tn\\_%%'").scalar_one())
    found = f"{max(relations, 0):,} relations, {roles:,} tenant roles"
    if relations > _FULL_POD or roles > _TENANT_ROLES:
        yield Check(f"{name}: size", "warning", found, "the pod is full: add another with `rapport pod init`")
    else:
        yield Check(f"{name}: size", "ok", found)


def _valkey(runtime: Runtime) -> Generator[Check]:
    found = runtime.redis.info()
    text = str(found.get("valkey_version") or found["redis_version"])
    if tuple(int(part) for part in text.split(".")[:2]) < _VALKEY:
        yield Check("valkey: version", "failed", text, "upgrade to Valkey 7.2 (Redis 7.2) or later")
    else:
        yield Check("valkey: version", "ok", text)
    policy = found.get("maxmemory_policy")
    if policy != "noeviction":
        remedy = "CONFIG SET maxmemory-policy noeviction: it must not forget queued work"
        yield Check("valkey: memory", "warning", f"maxmemory-policy is {policy}", remedy)


def _storage(runtime: Runtime) -> Generator[Check]:
    key = f"doctor/probe/{ids.uuid7()}"
    runtime.storage.put(key, b"rapport")
    try:
        with runtime.storage.open(key) as stream:
            same = stream.read() == b"rapport"
    finally:
        runtime.storage.delete(key)
    url = runtime.config.storage_url
    if same:
        yield Check("storage", "ok", f"{url.partition('?')[0]} keeps files")
    else:
        yield Check("storage", "failed", "a file came back altered", "look into the storage behind RAPPORT_STORAGE_URL")


def _mail(runtime: Runtime) -> Generator[Check]:
    mailer = runtime.mailer
    if isinstance(mailer, Outbox):
        yield Check("mail", "warning", f"kept as files in {mailer.folder}", "set RAPPORT_SMTP_URL to send it")
    elif isinstance(mailer, Smtp):
        kind = smtplib.SMTP_SSL if mailer.tls else smtplib.SMTP
        with kind(mailer.host, mailer.port, timeout=10) as connection:
            connection.noop()
        yield Check("mail", "ok", f"{mailer.host} port {mailer.port} answers")
