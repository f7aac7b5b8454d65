"""Workspaces made, closed and deleted: whole or not at all, also when something fails in the middle."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import pytest

from app.core import clock, crypto
from app.core.errors import InvalidInput, NotFound, Unavailable
from app.core.ports import Ports, Runtime
from tenants.provisioning import (
    PersonRef,
    SlugTaken,
    create_tenant,
    delete_tenant,
    get_ready,
    keep_spares,
    lifecycle,
    reconcile,
    spares,
    suspend_tenant,
)
from tenants.provisioning import release as releases
from tenants.provisioning.spares import owner_transaction
from tenants.registry.directory import find_tenant, list_tenants, locate_host, locate_tenant
from tenants.scope import SYSTEM, Tenant, enter_job
from tests.support.tenants import make_person, owner_of

if TYPE_CHECKING:
    import sqlalchemy as sa

    from app.core.db import Databases

NewTenant = Callable[..., Tenant]


class Broken(Exception):
    """Something failed."""


def fail(*_args: object, **_kwargs: object) -> None:
    raise Broken


def ask(engine: sa.Engine, query: str, *params: object) -> Any:
    with engine.connect() as connection:
        return connection.exec_driver_sql(query, params).scalar()


def spares_of(databases: Databases) -> int:
    return int(ask(databases.pod_owner(1), "select count(*) from pod.tenant where state = 'spare' and claim is null"))


@pytest.fixture
def no_spares(databases: Databases) -> Iterator[None]:
    """Take away the spares before and after."""

    def clear() -> None:
        with owner_transaction(databases, 1) as connection:
            query = "select id, schema, role from pod.tenant where state = 'spare'"
            for row in connection.execute(query).fetchall():
                spares.drop_place(connection, spares.Spare(*row))

    clear()
    yield
    clear()


def physical(databases: Databases) -> set[str]:
    """Schemas and roles of tenants that are there in fact."""
    with databases.pod_owner(1).connect() as connection:
        schemas = connection.exec_driver_sql(r"select nspname from pg_namespace where nspname like 'tn\_%%'").scalars()
        return set(schemas)


def known(databases: Databases) -> set[str]:
    """Schemas that pod.tenant tells of."""
    with databases.pod_owner(1).connect() as connection:
        return set(connection.exec_driver_sql("select schema from pod.tenant").scalars())


def make(runtime: Runtime, slug: str = "", person: PersonRef | None = None) -> lifecycle.Created:
    return create_tenant(
        runtime,
        slug=slug or f"made-{uuid.uuid4().hex[:8]}",
        name="Made",
        owner=person or make_person(runtime.databases),
    )


@pytest.mark.usefixtures("no_spares")
@pytest.mark.parametrize("from_spare", [True, False])
def test_a_workspace_is_complete_when_it_is_handed_over(runtime: Runtime, from_spare: bool) -> None:
    databases = runtime.databases
    if from_spare:
        keep_spares(runtime, 1)
    before = spares_of(databases)
    person = make_person(databases, "Ada Adams", f"ada{from_spare}@example.test")
    created = create_tenant(
        runtime, slug="complete-" + "ab"[from_spare], name="  Complete   Ltd ", owner=person, currency="usd",
        timezone="America/New_York", locale="en-US",
    )  # fmt: skip
    assert spares_of(databases) == before - from_spare
    row = created.tenant
    assert (row.name, row.currency, row.timezone, row.locale, row.status) == (
        "Complete Ltd", "USD", "America/New_York", "en-US", "active",
    )  # fmt: skip
    assert locate_host(databases, row.host) == locate_tenant(databases, row.id) == 1
    with enter_job(databases, row.id, actor=SYSTEM, write=False) as scope:
        assert scope.tenant.schema.startswith("tn_")
        assert row.slug not in scope.tenant.schema
        assert scope.execute("select id, person, name, email, role, status from member").fetchall() == [
            (created.member, person.id, "Ada Adams", person.email, "owner", "active")
        ]
    assert ask(databases.control, "select member from membership where person = %s", person.id) == created.member
    assert ask(databases.control, "select count(*) from ledger where state = 'running'") == 0


def test_a_slug_is_given_out_once(runtime: Runtime) -> None:
    make(runtime, "only-one")
    with pytest.raises(SlugTaken):
        make(runtime, "only-one")


def test_of_two_who_want_a_slug_at_once_one_gets_it(runtime: Runtime) -> None:
    outcomes: list[object] = []

    def sign_up() -> None:
        try:
            outcomes.append(make(runtime, "wanted-by-two").tenant.slug)
        except SlugTaken as error:
            outcomes.append(error)

    both = [threading.Thread(target=sign_up) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert outcomes.count("wanted-by-two") == 1
    assert physical(runtime.databases) == known(runtime.databases)


@pytest.mark.parametrize(
    "slug", ["ab", "Upper", "under_score", "-edge", "edge-", "xn--abc", "www", "a" * 41, "", "a.b"]
)
def test_a_slug_that_cannot_be_a_host_is_refused(runtime: Runtime, slug: str) -> None:
    with pytest.raises(InvalidInput):
        create_tenant(runtime, slug=slug, name="X", owner=make_person(runtime.databases))


@pytest.mark.parametrize(
    "wrong", [{"currency": "XXY"}, {"timezone": "Mars/Phobos"}, {"locale": "zz_ZZ"}, {"name": " "}]
)
def test_settings_are_checked_before_anything_is_made(runtime: Runtime, wrong: dict[str, str]) -> None:
    with pytest.raises(InvalidInput):
        create_tenant(runtime, **({"slug": "never-made", "name": "X"} | wrong), owner=make_person(runtime.databases))  # pyright: ignore[reportArgumentType]
    assert ask(runtime.databases.control, "select count(*) from slug where slug = 'never-made'") == 0


def leaves_nothing(runtime: Runtime, slug: str, person: PersonRef) -> None:
    databases = runtime.databases
    assert ask(databases.control, "select count(*) from slug where slug = %s", slug) == 0
    assert ask(databases.control, "select count(*) from tenant where slug = %s", slug) == 0
    assert ask(databases.control, "select count(*) from domain where host = %s", f"{slug}.localhost") == 0
    assert ask(databases.control, "select count(*) from person where id = %s", person.id) == 0
    assert (
        ask(
            databases.pod_owner(1),
            "select count(*) from pod.tenant where slug = %s or claim is not null and state = 'spare'",
            slug,
        )
        == 0
    )
    assert ask(databases.pod_owner(1), "select count(*) from pod.host where host = %s", f"{slug}.localhost") == 0
    assert physical(databases) == known(databases)


STEPS = ["_furnish", "_publish"]


@pytest.mark.parametrize("with_spare", [True, False])
@pytest.mark.parametrize("step", STEPS)
def test_a_failed_sign_up_leaves_nothing(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch, step: str, with_spare: bool
) -> None:
    keep_spares(runtime, int(with_spare))
    person = make_person(runtime.databases)
    newcomer = PersonRef(person.id, person.name, person.email, new=True)
    with monkeypatch.context() as patch:
        patch.setattr(lifecycle, step, fail)
        with pytest.raises(Broken):
            make(runtime, "failed-early", newcomer)
    leaves_nothing(runtime, "failed-early", person)


@pytest.mark.parametrize("step", STEPS)
def test_what_a_killed_process_left_is_taken_back(runtime: Runtime, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """A killed process runs no clean-up: the ledger tells the reconciler."""
    person = make_person(runtime.databases)
    with monkeypatch.context() as patch:
        patch.setattr(lifecycle, step, fail)
        patch.setattr(lifecycle, "_undo_quietly", lambda *_: None)
        with pytest.raises(Broken):
            make(runtime, "killed", PersonRef(person.id, person.name, person.email, new=True))
    assert ask(runtime.databases.control, "select count(*) from slug where slug = 'killed'") == 1
    assert reconcile(runtime) == 0  # too young: the process may still be at work
    assert reconcile(runtime, older_than=0) == 1
    leaves_nothing(runtime, "killed", person)
    assert reconcile(runtime, older_than=0) == 0
    assert make(runtime, "killed").tenant.slug == "killed"
    delete_tenant(runtime, found(runtime, "killed"))
    with runtime.databases.control.begin() as connection:
        connection.exec_driver_sql("delete from slug where slug = 'killed'")


def found(runtime: Runtime, slug: str) -> uuid.UUID:
    row = find_tenant(runtime.databases, slug)
    assert row is not None
    return row.id


def test_a_creation_that_was_taken_for_dead_cannot_finish(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    person = make_person(runtime.databases)
    furnish_really = lifecycle._furnish

    def slow(*arguments: Any) -> Any:
        made = furnish_really(*arguments)
        assert reconcile(runtime, older_than=0) == 1
        return made

    with monkeypatch.context() as patch:
        patch.setattr(lifecycle, "_furnish", slow)
        with pytest.raises(Unavailable):
            make(runtime, "too-slow", PersonRef(person.id, person.name, person.email, new=True))
    leaves_nothing(runtime, "too-slow", person)


def test_a_person_who_was_there_before_survives_a_failed_workspace(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = make_person(runtime.databases)
    with monkeypatch.context() as patch:
        patch.setattr(lifecycle, "_publish", fail)
        with pytest.raises(Broken):
            make(runtime, "failed-late", person)
    assert ask(runtime.databases.control, "select count(*) from person where id = %s", person.id) == 1


def test_a_step_run_twice_finds_the_same_spare(runtime: Runtime) -> None:
    keep_spares(runtime, 2)
    claim, blueprint = uuid.uuid4(), spares.blueprint(runtime.ports)
    query = "select tenant, schema, role from pod.take_spare(%s, %s)"
    with owner_transaction(runtime.databases, 1) as connection:
        first = connection.execute(query, (claim, blueprint)).fetchone()
        assert first is not None
        assert connection.execute(query, (claim, blueprint)).fetchone() == first
        other = connection.execute(query, (uuid.uuid4(), blueprint)).fetchone()
        assert other is not None
        assert other != first
        connection.rollback()


@pytest.mark.usefixtures("no_spares")
def test_two_keepers_at_once_make_no_more_than_wanted(runtime: Runtime) -> None:
    made: list[int] = []
    keepers = [threading.Thread(target=lambda: made.append(keep_spares(runtime, 3))) for _ in range(4)]
    for keeper in keepers:
        keeper.start()
    for keeper in keepers:
        keeper.join()
    assert sum(made) == 3
    assert spares_of(runtime.databases) == 3
    assert keep_spares(runtime, 3) == 0
    assert physical(runtime.databases) == known(runtime.databases)


@pytest.fixture
def newer(runtime: Runtime) -> Iterator[Runtime]:
    """A program with a table more, in force in the pod until the test is over."""
    statements = [*runtime.ports.tenant_tables(), "create table o_newer (id uuid primary key)"]
    ports = Ports(tenant_tables=lambda: statements, platform_layer=runtime.ports.platform_layer)

    def release(of: Ports) -> None:
        with owner_transaction(runtime.databases, 1) as connection:
            releases.put_in_force(connection, releases.of(of))

    release(ports)
    yield Runtime(runtime.config, runtime.databases, runtime.storage, runtime.mailer, runtime.redis, ports)
    release(runtime.ports)


@pytest.mark.usefixtures("no_spares")
def test_a_spare_of_an_older_version_is_thrown_away_not_given_out(runtime: Runtime, newer: Runtime) -> None:
    with owner_transaction(runtime.databases, 1) as connection:
        spares.make_spare(connection, runtime.ports)
    created = make(newer)
    assert spares_of(runtime.databases) == 1
    with enter_job(runtime.databases, created.tenant.id, actor=SYSTEM, write=False) as scope:
        assert scope.execute("select count(*) from o_newer").fetchone() == (0,)
    assert keep_spares(newer, 1) == 1
    assert keep_spares(runtime, 2) == 0, "the older program leaves them to the newer one"
    assert spares_of(runtime.databases) == 1
    assert physical(runtime.databases) == known(runtime.databases)


def test_a_process_that_got_ready_asks_for_no_table_again(runtime: Runtime) -> None:
    keep_spares(runtime, 1)
    statements, asked = runtime.ports.tenant_tables(), list[int]()

    def tables() -> Sequence[str]:
        asked.append(1)
        return statements

    ports = Ports(tenant_tables=tables)
    get_ready(ports)
    assert asked == [1]
    make(Runtime(runtime.config, runtime.databases, runtime.storage, runtime.mailer, runtime.redis, ports))
    assert asked == [1]


def test_a_failed_spare_leaves_no_schema_and_no_role(runtime: Runtime) -> None:
    statements = [*runtime.ports.tenant_tables(), "create table broken (id nonsense)"]
    ports = Ports(tenant_tables=lambda: statements)
    broken = Runtime(runtime.config, runtime.databases, runtime.storage, runtime.mailer, runtime.redis, ports)
    with pytest.raises(Exception, match="nonsense"):
        make(broken, "broken-build")
    assert ask(runtime.databases.control, "select count(*) from slug where slug = 'broken-build'") == 0
    assert physical(runtime.databases) == known(runtime.databases)


def furnish(runtime: Runtime, tenant: Tenant) -> None:
    """Leave a trace of the tenant in every place there is."""
    member = owner_of(runtime.databases, tenant).id
    with enter_job(runtime.databases, tenant.id, actor=SYSTEM, write=True) as scope:
        scope.execute("insert into pod.outbox (events) values (array[uuidv7()])")
        scope.execute("insert into pod.job (id, name) values (uuidv7(), 'x')")
        scope.at_commit(
            "select pod.put_credential(%(t)s, 'session', %(h)s, %(m)s, null, null, '', %(e)s)",
            {"t": tenant.id, "h": crypto.sha256(str(tenant.id)), "m": member, "e": clock.now().replace(year=2099)},
        )
    runtime.storage.put(f"{tenant.id}/import/{uuid.uuid4()}", b"rows")
    runtime.redis.set(f"tn:{tenant.id}:cache", "1")


def traces(runtime: Runtime, tenant: Tenant) -> dict[str, int]:
    """Where anything of the tenant can still be found; the slug alone stays."""
    pod, control = runtime.databases.pod_owner(1), runtime.databases.control
    by_id = "select count(*) from {} where tenant = %s"
    return {
        **{table: ask(pod, by_id.format(f"pod.{table}"), tenant.id) for table in ("host", "credential")},
        **{table: ask(pod, by_id.format(f"pod.{table}"), tenant.role) for table in ("job", "outbox")},
        **{table: ask(control, by_id.format(table), tenant.id) for table in ("domain", "membership", "invitation")},
        "pod.tenant": ask(pod, "select count(*) from pod.tenant where id = %s", tenant.id),
        "tenant": ask(control, "select count(*) from tenant where id = %s", tenant.id),
        "schema": ask(pod, "select count(*) from pg_namespace where nspname = %s", tenant.schema),
        "role": ask(pod, "select count(*) from pg_roles where rolname = %s", tenant.role),
        "tables": ask(pod, "select count(*) from pg_class where relnamespace::regnamespace::text = %s", tenant.schema),
        "keys": len(list(runtime.redis.scan_iter(match=f"*{tenant.id}*"))),
        "files": runtime.storage.delete_prefix(str(tenant.id)),
    }


def test_deleting_leaves_nothing_but_the_slug(runtime: Runtime, new_tenant: NewTenant) -> None:
    tenant = new_tenant()
    furnish(runtime, tenant)
    runtime.storage.put(kept := f"{uuid.uuid4()}/import/{uuid.uuid4()}", b"somebody else's")
    delete_tenant(runtime, tenant.id)
    assert {place: count for place, count in traces(runtime, tenant).items() if count} == {}
    assert runtime.storage.exists(kept)
    assert locate_host(runtime.databases, tenant.host) is None
    with pytest.raises(NotFound), enter_job(runtime.databases, tenant.id, actor=SYSTEM, write=False):
        pass
    with pytest.raises(SlugTaken):
        make(runtime, tenant.slug)


def test_the_traces_are_there_before_deleting(runtime: Runtime, new_tenant: NewTenant) -> None:
    """Positive control: each place is looked at in the right way."""
    tenant = new_tenant()
    furnish(runtime, tenant)
    assert {place for place, count in traces(runtime, tenant).items() if not count} == {"invitation"}


def test_deleting_waits_for_who_still_reads(runtime: Runtime, new_tenant: NewTenant) -> None:
    tenant = new_tenant()
    inside, leave = threading.Event(), threading.Event()

    def read() -> None:
        with enter_job(runtime.databases, tenant.id, actor=SYSTEM, write=False) as scope:
            scope.execute("select 1 from team")
            inside.set()
            leave.wait(20)

    reader = threading.Thread(target=read)
    reader.start()
    assert inside.wait(20)
    threading.Timer(2.5, leave.set).start()
    delete_tenant(runtime, tenant.id)
    reader.join()
    assert find_tenant(runtime.databases, str(tenant.id)) is None
    assert physical(runtime.databases) == known(runtime.databases)


def test_a_deletion_that_stops_in_the_middle_is_finished_later(
    runtime: Runtime, new_tenant: NewTenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant = new_tenant()
    furnish(runtime, tenant)
    with monkeypatch.context() as patch:
        patch.setattr(lifecycle, "_clear_cache", fail)
        with pytest.raises(Broken):
            delete_tenant(runtime, tenant.id)
    row = find_tenant(runtime.databases, str(tenant.id))
    assert row is not None
    assert row.status == "deleting"
    assert reconcile(runtime, older_than=0) == 1
    assert {place: count for place, count in traces(runtime, tenant).items() if count} == {}


def test_a_suspension_that_stops_in_the_middle_is_finished_later(
    runtime: Runtime, new_tenant: NewTenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant = new_tenant()
    with monkeypatch.context() as patch:
        patch.setattr(lifecycle, "_status", fail)
        with pytest.raises(Broken):
            suspend_tenant(runtime, tenant.id)
    assert reconcile(runtime, older_than=0) == 1
    row = find_tenant(runtime.databases, tenant.slug)
    assert row is not None
    assert row.status == "suspended"
    assert row in list_tenants(runtime.databases)


def test_an_unknown_workspace_cannot_be_deleted(runtime: Runtime) -> None:
    with pytest.raises(NotFound):
        delete_tenant(runtime, uuid.uuid4())
