"""The composition root: builds the runtime and binds what the lower packages need from the higher ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from app.access.rights import require
from app.core import mail, storage, valkey
from app.core.db import Databases
from app.core.ports import Ports, Runtime
from app.events.seal import seal_tenant
from app.factory import jobs as jobs  # for the jobs it registers
from app.metadata.fresh import fresh_tenant, platform_layer
from app.metadata.upgrading import Layers
from app.records.handover import HeirKind, ask_to_hand_over
from tenants import scope
from tenants.provisioning.bootstrap import prepare
from tenants.registry.directory import locate_tenant
from tenants.registry.pods import pod_loader, pod_numbers
from tenants.upgrades.late import tend

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from app.core.config import Config
    from tenants.scope import TenantScope


def build_runtime(config: Config) -> Runtime:
    """Everything a process needs from outside, with every port bound. Nothing connects yet."""
    databases = Databases.from_config(config)
    databases.use_loader(pod_loader(databases, config.secret_key))
    return Runtime(
        config=config,
        databases=databases,
        storage=storage.from_url(config.storage_url),
        mailer=mail.from_config(config),
        redis=valkey.connect(config.redis_url),
        ports=bind_ports(),
    )


def bind_ports() -> Ports:
    """The adapters of this installation. The gate is bound by ``app.factory.web``: only requests need it."""
    return Ports(
        authorise=lambda scope, right, name="": require(cast("TenantScope", scope), right, name),
        tenant_tables=fresh_tenant,
        platform_layer=platform_layer,
        layers=Layers,
        seal=seal_tenant,
        pending=_pending,
        pods=lambda runtime: pod_numbers(runtime.databases),
        locate_tenant=lambda runtime, tenant: locate_tenant(runtime.databases, tenant),
        hand_over=lambda scope, leaving, kind, heir: ask_to_hand_over(
            cast("TenantScope", scope), leaving, cast("HeirKind", kind), heir
        ),
        prepare=prepare,
        keep_spares=tend,
    )


def _pending(runtime: Runtime) -> Sequence[UUID]:
    """Tenants of all pods whose events wait for sealing."""
    databases = runtime.databases
    return [tenant for pod in pod_numbers(databases) for tenant in scope.pending(databases, pod)]
