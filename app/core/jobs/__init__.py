"""Durable background work: asked for in a tenant's transaction, delivered by RQ, the truth is ``pod.job``.

The queue is only the doorbell. A row in ``pod.job`` is rung into RQ by the relay, taken by a worker that keeps
extending its lease, and ended in the database. What falls silent (a killed worker, an emptied Valkey) is rung again,
so every job runs at least once, one attempt at a time, and must be safe to run twice.
"""

from app.core.jobs.checkpoints import JobCancelled, cause_of_job, checkpoint
from app.core.jobs.registry import JobArgs, JobFunction, JobKind, Registry, register, registry
from app.core.jobs.request import request_job, wake

__all__ = [
    "JobArgs",
    "JobCancelled",
    "JobFunction",
    "JobKind",
    "Registry",
    "cause_of_job",
    "checkpoint",
    "register",
    "registry",
    "request_job",
    "wake",
]
