"""A home of its own with servers, workspaces with data, and web servers as long as a section needs them."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from app.core.config import Config
from app.core.servers import embedded
from app.factory import build_runtime
from bench.fill import LARGE, PEERS, Sizes, fill
from tenants.identity.keys import create_key
from tenants.provisioning.lifecycle import PersonRef, create_tenant
from tenants.provisioning.spares import keep_spares
from tenants.scope import SYSTEM, Tenant, TenantScope, enter, enter_job

if TYPE_CHECKING:
    from collections.abc import Generator

    from app.core.ports import Runtime


@dataclass(frozen=True, slots=True)
class Workspace:
    """A tenant, its owner's member id, and API keys of it."""

    tenant: Tenant
    owner: uuid.UUID
    keys: tuple[str, ...]
    sizes: Sizes

    @property
    def key(self) -> str:
        """The first key."""
        return self.keys[0]

    @property
    def credential(self) -> bytes:
        """The first key as the database knows it."""
        return hashlib.sha256(self.key.encode()).digest()


@dataclass(slots=True)
class Site:
    """What is measured. Workspaces are made when a section asks for them."""

    runtime: Runtime
    home: Path
    port: int
    postgres: int
    scale: float
    made: dict[str, Workspace] = field(default_factory=dict[str, Workspace])

    def large(self) -> Workspace:
        """100,000 contacts, 20,000 deals, 50,000 notes, at scale 1."""
        return self.workspace("large", LARGE.scaled(self.scale))

    def peers(self) -> Workspace:
        """What the peers of DESIGN §12 were measured with, at scale 1; a key for each of 8 clients."""
        return self.workspace("peers", PEERS.scaled(self.scale), keys=8)

    def workspace(self, slug: str, sizes: Sizes, keys: int = 1) -> Workspace:
        """The workspace of this name, filled."""
        if slug not in self.made:
            if sizes.all > 10_000:
                print(f"  Filling {slug}: {sizes}", flush=True)
            self.made[slug] = make_workspace(self.runtime, slug, sizes, keys)
        return self.made[slug]

    @contextmanager
    def web(self, workers: int | None = 1) -> Generator[int]:
        """A web server on ``port`` with so many processes (None: as many as the product starts); its process id."""
        arguments = [sys.executable, "-m", "app.cli", "web", *([] if workers is None else ["--workers", str(workers)])]
        with (self.home / "web.log").open("ab") as log:
            process = subprocess.Popen(arguments, stdout=log, stderr=log)  # noqa: S603 (our own command)
        try:
            wait_for(f"http://127.0.0.1:{self.port}/healthz")
            yield process.pid
        except Exception as error:
            error.add_note("The server's last words:\n" + (self.home / "web.log").read_text("utf-8", "replace")[-2000:])
            raise
        finally:
            process.terminate()
            process.wait(20)

    @contextmanager
    def scope(self, workspace: Workspace, *, write: bool = False, by_key: bool = False) -> Generator[TenantScope]:
        """The scope of a request with the workspace's key."""
        databases, credential = self.runtime.databases, workspace.credential
        with enter(databases, pod=1, host=None, credential=credential, write=write, budget=60, by_key=by_key) as scope:
            yield scope


def make_workspace(runtime: Runtime, slug: str, sizes: Sizes, keys: int = 1) -> Workspace:
    """A tenant with an owner, keys and data."""
    owner = new_person(runtime, slug)
    made = create_tenant(runtime, slug=slug, name=slug.title(), owner=owner)
    with enter_job(runtime.databases, made.tenant.id, actor=SYSTEM, write=True, budget=60) as scope:
        tenant = scope.tenant
        texts = tuple(create_key(scope, f"bench {number}", "owner", None)[1] for number in range(keys))
    if sizes.all:
        fill(runtime, tenant, sizes)
    return Workspace(tenant, made.member, texts, sizes)


def new_person(runtime: Runtime, slug: str) -> PersonRef:
    """A person without a password, for a workspace of this name."""
    person = PersonRef(uuid.uuid4(), "Olivia Owner", f"{slug}@example.com", new=True)
    with runtime.databases.control.begin() as connection:
        connection.exec_driver_sql("insert into person (id, name) values (%s, %s)", (person.id, person.name))
        connection.exec_driver_sql(
            "insert into person_email (person, email, verified_at) values (%s, %s, now())", (person.id, person.email)
        )
    return person


def wait_for(address: str, seconds: float = 60) -> None:
    """Until there is an answer of status 200."""
    deadline = time.monotonic() + seconds
    while True:
        with contextlib.suppress(urllib.error.URLError, OSError), urllib.request.urlopen(address, timeout=2) as answer:  # noqa: S310 (loopback)
            answer.read()
            return
        if time.monotonic() > deadline:
            raise SystemExit(f"{address} did not answer")
        time.sleep(0.1)


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def temporary_home() -> Generator[Path]:
    """A folder for a home; PostgreSQL may run as another user, who must get there."""
    home = Path(tempfile.mkdtemp(prefix="rapport-bench-", dir="/tmp"))
    home.chmod(0o711)
    try:
        yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def running(scale: float = 1.0) -> Generator[Site]:
    """Servers in a temporary home, and nothing in them; all of it is removed afterwards."""
    with temporary_home() as home:
        port = free_port()
        os.environ |= {"RAPPORT_HOME": str(home), "PORT": str(port)}
        config = Config.from_env()
        with embedded.running(config, lambda line: print(f"  {line}"), own=True) as servers:
            assert servers is not None
            migrate = [sys.executable, "-m", "app.cli", "migrate", "--spares", "0"]
            subprocess.run(migrate, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 (our own command)
            runtime = build_runtime(config)
            keep_spares(runtime, 2)
            postmaster = int((servers.postgres.data / "postmaster.pid").read_text().split("\n")[0])
            try:
                yield Site(runtime, home, port, postmaster, scale)
            finally:
                runtime.databases.dispose()
