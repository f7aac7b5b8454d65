"""A home of its own with servers, one workspace, its data and a web server."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.core.config import Config
from app.core.servers import embedded
from app.factory import build_runtime
from app.metadata.catalog import platform
from tenants.provisioning.spares import keep_spares
from tenants.scope import SYSTEM, Tenant, enter_job

if TYPE_CHECKING:
    from collections.abc import Generator

    from app.core.ports import Runtime

COMPANIES, CONTACTS, DEALS, NOTES = 10_000, 100_000, 20_000, 50_000
_COMPANIES = """
insert into o_company (name, kind, industry, domain, employees)
select 'Company ' || md5(i::text), 'organisation', (array['education','retail','energy'])[mod(i, 3) + 1],
       'd' || i || '.example', i
  from generate_series(1, {companies}) i
"""
_CONTACTS = """
insert into o_contact (first_name, last_name, email, emails, emails__all, job_title, lifecycle, do_not_email, company)
select (array['Anna','Bernd','Clara','Doris','Emil'])[mod(i, 5) + 1], md5(i::text), 'p' || i || '@example.org',
       jsonb_build_array(jsonb_build_object('value', 'p' || i || '@example.org', 'primary', true, 'valid', true)),
       array['p' || i || '@example.org'], 'Engineer ' || mod(i, 100),
       (array['lead','customer','other'])[mod(i, 3) + 1], mod(i, 7) = 0, c.id
  from generate_series(1, {contacts}) i
  join (select id, row_number() over (order by id) as n from o_company) c on c.n = mod(i, {companies}) + 1
"""
_DEALS = """
insert into o_deal (name, pipeline, stage, stage_status, amount, amount__currency, close_on, opened_on, company)
select 'Deal ' || md5(i::text), 'sales',
       (array['new','qualified','meeting','proposal','negotiation','won','lost'])[mod(i, 7) + 1],
       (array['open','open','open','open','open','won','lost'])[mod(i, 7) + 1], mod(i * 37, 9000), 'EUR',
       date '2016-10-01' + mod(i, 500), date '2016-09-01', c.id
  from generate_series(1, {deals}) i
  join (select id, row_number() over (order by id) as n from o_company) c on c.n = mod(i, {companies}) + 1
"""
#: Forty words each, made of syllables, a few as common as in a company's notes; the first are the most frequent.
_NOTES = """
with vocabulary as materialized (
  select word, row_number() over (order by md5(word)) as n
    from (select a || b || c as word
            from unnest('{{ka,re,mo,ti,lu,so,ven,dar,pel,min,ros,tal}}'::text[]) a,
                 unnest('{{ber,cin,fo,gra,hul,jan,ket,lor,mif,nup}}'::text[]) b,
                 unnest('{{a,en,ik,or,us,el,im,y,ot,an}}'::text[]) c
          union all
          select unnest('{{customer,meeting,invoice,contract,renewal,delivery,payment,support,password,account,
                          refund,training,upgrade,price,offer,machine,license,warranty}}'::text[])) as made),
written as (
  select i, j, 1 + floor(1218 * power(mod(abs(hashint8extended(i * 100 + j, 7)), 1000000) / 1000000.0::float8, 3)) as n
    from generate_series(1, {notes}) i, generate_series(1, 40) j)
insert into o_note (title, body)
select initcap(string_agg(word, ' ' order by j) filter (where j <= 4)),
       '<p>' || string_agg(word, ' ' order by j) || '</p>'
  from written join vocabulary using (n)
 group by i
"""


@dataclass(frozen=True, slots=True)
class Site:
    """What is measured."""

    runtime: Runtime
    tenant: Tenant
    key: str
    port: int
    web: int
    postgres: int
    home: Path

    @property
    def credential(self) -> bytes:
        """The key as the database knows it."""
        return hashlib.sha256(self.key.encode()).digest()


def command(*arguments: str) -> Any:
    """Run a `rapport` command and read its one JSON document."""
    asked = [sys.executable, "-m", "app.cli", *arguments]
    done = subprocess.run(asked, check=True, capture_output=True, text=True)  # noqa: S603 (our own command)
    return json.loads(done.stdout) if "--json" in arguments else None


@contextmanager
def running(scale: float) -> Generator[Site]:
    """Set everything up in a temporary home, and remove it."""
    home = Path(tempfile.mkdtemp(prefix="rapport-bench-", dir="/tmp"))
    home.chmod(0o711)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    os.environ |= {"RAPPORT_HOME": str(home), "PORT": str(port)}
    config = Config.from_env()
    try:
        with embedded.running(config, lambda line: print(f"  {line}"), own=True) as servers:
            assert servers is not None
            command("migrate")
            runtime = build_runtime(config)
            keep_spares(runtime, 2)
            made = command(
                "tenant", "create", "--slug", "bench", "--name", "Bench", "--email", "bench@example.com",
                "--password", "seven purple walruses", "--json",
            )  # fmt: skip
            with enter_job(runtime.databases, made["tenant"]["id"], actor=SYSTEM, write=False) as scope:
                tenant = scope.tenant
            _fill(runtime, tenant, scale)
            postmaster = int((servers.postgres.data / "postmaster.pid").read_text().split("\n")[0])
            with _web(port) as web:
                yield Site(runtime, tenant, made["api_key"], port, web, postmaster, home)
            runtime.databases.dispose()
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _fill(runtime: Runtime, tenant: Tenant, scale: float) -> None:
    full = {"companies": COMPANIES, "contacts": CONTACTS, "deals": DEALS, "notes": NOTES}
    sizes = {name: int(size * scale) for name, size in full.items()}
    print(f"  Filling {sizes}")
    with enter_job(runtime.databases, tenant.id, actor=SYSTEM, write=True, budget=600) as scope:
        for statement in (_COMPANIES, _CONTACTS, _DEALS, _NOTES):
            scope.connection.execute(statement.format(**sizes).encode())
    with runtime.databases.pod_owner(1).connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for obj in platform().objects.values():
            connection.exec_driver_sql(f'vacuum analyze "{tenant.schema}"."{obj.table}"')


@contextmanager
def _web(port: int) -> Generator[int]:
    process = subprocess.Popen([sys.executable, "-m", "app.cli", "web", "--workers", "1"], stdout=subprocess.DEVNULL)
    try:
        for _ in range(200):
            with contextlib.suppress(urllib.error.URLError, ConnectionError):
                urllib.request.urlopen(f"http://localhost:{port}/healthz", timeout=2).read()
                break
            time.sleep(0.1)
        yield process.pid
    finally:
        process.terminate()
        process.wait(20)
