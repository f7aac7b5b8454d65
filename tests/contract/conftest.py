"""A workspace with sample data and a program that may do everything in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from app.http import ratelimit
from app.samples.service import load_samples
from tenants.scope import enter_job
from tests.support.api import Api, make_key
from tests.support.tenants import PATIENT, make_tenant, owner_of
from tests.support.web import build_site

if TYPE_CHECKING:
    from app.core.ports import Runtime


@pytest.fixture(scope="module")
def api(runtime: Runtime) -> Api:
    tenant = make_tenant(runtime)
    owner = owner_of(runtime.databases, tenant)
    with enter_job(runtime.databases, tenant.id, actor=owner, write=True, budget=PATIENT) as scope:
        load_samples(scope)
    runtime.redis.flushdb()
    ratelimit.forget()
    return Api(build_site(runtime), make_key(runtime.databases, tenant, "owner"))
