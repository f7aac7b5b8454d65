"""The walls inside a pod's database that need a superuser, and the check that they stand (DESIGN §4).

They are per database and lost by dump and restore, so they are checked at every start, not trusted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, LiteralString

if TYPE_CHECKING:
    import sqlalchemy as sa

#: Functions a tenant role may not call: each runs text as SQL, or leaves the tenant's own tables.
#: Patterns over pg_proc.proname in pg_catalog.
_FORBIDDEN: Final = (
    "set_config",
    "query_to_xml%",
    "table_to_xml%",
    "schema_to_xml%",
    "database_to_xml%",
    "cursor_to_xml%",
    "ts_stat",
    "lo_%",
    "loread",
    "lowrite",
    "pg_notify",
    "pg_sleep%",
    "pg_advisory_lock%",
    "pg_try_advisory_lock%",
    "pg_cancel_backend",
    "pg_terminate_backend",
    "pg_logical_emit_message",
)

#: ts_rewrite has harmless forms too; the one that takes a query's text is not.
_FORBIDDEN_FORMS: Final = ("ts_rewrite(tsquery,text)",)

#: What our own logins need back.
_GRANTED: Final = ("set_config", "pg_advisory_lock%", "pg_try_advisory_lock%")

_OPEN_FUNCTIONS: Final = """
select p.oid::regprocedure::text from pg_catalog.pg_proc p
 where p.pronamespace = 'pg_catalog'::regnamespace
   and (p.proname like any(%(names)s) or p.oid = any(%(forms)s::regprocedure[]::oid[]))
   and has_function_privilege('public', p.oid, 'execute')
 order by 1
"""

_UNGRANTED: Final = """
select p.oid::regprocedure::text from pg_catalog.pg_proc p
 where p.pronamespace = 'pg_catalog'::regnamespace and p.proname like any(%(names)s)
   and not (has_function_privilege('rapport_app', p.oid, 'execute')
        and has_function_privilege('rapport_owner', p.oid, 'execute'))
 order by 1
"""

_REVOKES: Final[tuple[LiteralString, ...]] = (
    "revoke update on pg_catalog.pg_settings from public",
    "revoke usage on language plpgsql from public",
    "grant usage on language plpgsql to rapport_owner",
    "revoke all on schema public from public",
    "revoke select on pg_catalog.pg_largeobject_metadata from public",
)


@dataclass(frozen=True, slots=True)
class Gap:
    """Something a tenant role could reach and should not; ``remedy`` says what to do."""

    what: str
    remedy: str


def _names(patterns: tuple[str, ...]) -> list[str]:
    return [pattern.replace("_", r"\_") for pattern in patterns]


def harden(connection: sa.Connection) -> None:
    """Close the walls in the database of ``connection``, which is a superuser's. Idempotent."""
    params = {"names": _names(_FORBIDDEN), "forms": list(_FORBIDDEN_FORMS)}
    for (function,) in connection.exec_driver_sql(_OPEN_FUNCTIONS, params).all():
        # The text is regprocedure's own quoting.
        connection.exec_driver_sql(f"revoke execute on function {function} from public")
    for (function,) in connection.exec_driver_sql(_UNGRANTED, {"names": _names(_GRANTED)}).all():
        connection.exec_driver_sql(f"grant execute on function {function} to rapport_app, rapport_owner")
    for statement in _REVOKES:
        connection.exec_driver_sql(statement)


_PROBES: Final[tuple[tuple[LiteralString, str, str], ...]] = (
    (
        "select has_table_privilege('public', 'pg_catalog.pg_settings', 'update')",
        "settings can be changed by UPDATE pg_settings",
        "as superuser: REVOKE UPDATE ON pg_catalog.pg_settings FROM PUBLIC",
    ),
    (
        "select has_language_privilege('public', 'plpgsql', 'usage')",
        "anyone may run plpgsql blocks",
        "as superuser: REVOKE USAGE ON LANGUAGE plpgsql FROM PUBLIC",
    ),
    (
        "select has_database_privilege('public', current_database(), 'temporary')",
        "anyone may make temporary tables",
        "as owner of the database: REVOKE TEMPORARY ON DATABASE … FROM PUBLIC",
    ),
    (
        "select has_schema_privilege('public', 'public', 'create') or has_schema_privilege('public', 'ext', 'create')",
        "anyone may create things in a schema that is searched",
        "as superuser: REVOKE CREATE ON SCHEMA public, ext FROM PUBLIC",
    ),
    (
        "select exists (select from pg_extension where extname in ('dblink', 'tablefunc', 'postgres_fdw', 'file_fdw'))",
        "an extension that runs text as SQL or reaches out is installed",
        "drop the extensions dblink, tablefunc, postgres_fdw, file_fdw",
    ),
    (
        (
            "select exists (select from pg_proc where prosecdef and proconfig is null "
            "and pronamespace = 'pod'::regnamespace)"
        ),
        "a SECURITY DEFINER function has no search_path of its own",
        "run rapport migrate",
    ),
    (
        "select rolinherit or rolsuper or rolcreaterole or rolbypassrls from pg_roles where rolname = 'rapport_app'",
        "the application's login has more rights than it may",
        "as superuser: ALTER ROLE rapport_app NOINHERIT NOSUPERUSER NOCREATEROLE NOBYPASSRLS",
    ),
    (
        (
            "select exists (select from pg_class c, aclexplode(c.relacl) a where c.relnamespace = 'pod'::regnamespace "
            "and a.grantee in (0, 'rapport_app'::regrole) and a.privilege_type = 'SELECT')"
        ),
        "the application's login may read tables of schema pod",
        "as owner: REVOKE ALL ON ALL TABLES IN SCHEMA pod FROM PUBLIC, rapport_app",
    ),
    (
        "select datlocprovider <> 'b' or datlocale <> 'C.UTF-8' from pg_database where datname = current_database()",
        "the database does not sort by the builtin locale C.UTF-8",
        "make the database anew with LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8'",
    ),
    (
        "select not exists (select from pg_extension where extname = 'pg_trgm' and extnamespace = 'ext'::regnamespace)",
        "the extension pg_trgm is not in schema ext",
        "as superuser: CREATE EXTENSION pg_trgm SCHEMA ext",
    ),
)


def check_hardening(connection: sa.Connection) -> list[Gap]:
    """What stands open in a pod's database; empty when it is as it should be. Any login may ask."""
    params = {"names": _names(_FORBIDDEN), "forms": list(_FORBIDDEN_FORMS)}
    gaps = [
        Gap(
            f"the function {function} can be called by every role",
            f"as superuser: REVOKE EXECUTE ON FUNCTION {function} FROM PUBLIC (or rapport pod init)",
        )
        for (function,) in connection.exec_driver_sql(_OPEN_FUNCTIONS, params)
    ]
    gaps += [Gap(what, remedy) for probe, what, remedy in _PROBES if connection.exec_driver_sql(probe).scalar()]
    return gaps
