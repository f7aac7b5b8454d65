"""The doorbell: one RQ queue on Valkey whose entries name a job and nothing else."""

# pyright: reportUnknownMemberType=false
# (RQ leaves parts of its signatures untyped.)
from __future__ import annotations

import logging
import mmap
import os
import signal
from typing import TYPE_CHECKING, NoReturn, cast
from uuid import UUID

from rq import Queue
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.worker import Worker

from app.core.jobs.execute import execute, give_back
from app.core.jobs.registry import registry
from app.core.jobs.request import wake
from app.core.servers.process import die_with_parent

if TYPE_CHECKING:
    from types import FrameType

    import redis

    from app.core.ports import Runtime

_LOG = logging.getLogger("rapport.jobs")

_NAME = "rapport"
#: RQ imports this only when a worker without our job class takes an entry; ours never calls it.
_ENTRY = "app.core.jobs.queue.not_called"
#: Of a kind this process does not know.
_TIMEOUT_SECONDS = 300


def not_called(_pod: int, _job: str) -> None:
    """Stands in the queue's entries where RQ wants a function."""
    raise RuntimeError("entries of this queue are run by `rapport worker`")


def open_queue(client: redis.Redis) -> Queue:
    """The queue; entries are JSON, so nothing read from Valkey is ever unpickled."""
    return Queue(_NAME, connection=client, serializer=JSONSerializer)


def ring(queue: Queue, pod: int, job: UUID, name: str) -> None:
    """Put the job's id into the queue. Ringing twice is harmless: a job is taken in the database."""
    kind = registry.get(name)
    queue.enqueue_call(
        _ENTRY,
        args=(pod, str(job)),
        job_id=str(job),
        timeout=kind.timeout if kind else _TIMEOUT_SECONDS,
        result_ttl=0,
        failure_ttl=60,
        description=name,
    )


class RapportWorker(Worker):
    """RQ's worker, which forks for each job; the fork dies with it and has no pooled connection of its parent."""

    #: Seconds; RQ would look for a Valkey that was away only once a minute in the end.
    max_connection_wait_time = 2.0

    def __init__(self, runtime: Runtime) -> None:
        """``runtime`` is built before the fork, so its memory is shared."""
        queue = open_queue(runtime.redis)
        note = self._note = _Note()

        class Bound(Job):
            """The queue's entry, run with this worker's runtime."""

            def perform(self) -> None:
                """Run the job it names."""
                pod, job = _named(self)
                execute(runtime, pod, job, started=note.write)

        super().__init__(
            [queue],
            connection=runtime.redis,
            job_class=Bound,
            serializer=JSONSerializer,
            log_job_description=False,
        )
        self._runtime = runtime
        self._running: Job | None = None

    def execute_job(self, job: Job, queue: Queue) -> None:
        """Ring the bell afterwards: the relay fills the queue up, which is kept short for each tenant."""
        super().execute_job(job, queue)
        wake(self._runtime.redis)

    def fork_work_horse(self, job: Job, queue: Queue) -> None:
        """Remember what the fork is for."""
        self._note.write(0, 0)
        self._running = job
        super().fork_work_horse(job, queue)

    def handle_work_horse_killed(self, job: Job, retpid: object, ret_val: object, rusage: object) -> None:
        """The fork was killed and we were not."""
        super().handle_work_horse_killed(job, retpid, ret_val, rusage)
        self._give_back(job)

    def request_force_stop(self, signum: int, frame: FrameType | None) -> None:
        """The second signal: the fork is killed, then we end."""
        running = self._running if self.horse_pid else None
        try:
            super().request_force_stop(signum, frame)
        except SystemExit:
            if running is not None:
                self._give_back(running)
            raise

    def _give_back(self, job: Job) -> None:
        """The job need not wait for the end of its dead attempt's lease."""
        number, tries = self._note.read()
        if not number:
            return
        try:
            give_back(self._runtime, *_named(job), number, tries)
        except Exception as error:  # noqa: BLE001 (the database is away: the lease will run out)
            _LOG.warning("job %s could not be given back (%s)", job.id, type(error).__name__)

    def main_work_horse(self, job: Job, queue: Queue) -> NoReturn:
        """Run in the fork: forget the parent's connections, then do the work."""
        die_with_parent(signal.SIGKILL, os.getppid())()
        self._runtime.databases.forget()
        super().main_work_horse(job, queue)


def _named(entry: Job) -> tuple[int, UUID]:
    """Pod and job that an entry of the queue names."""
    pod, job = cast("tuple[int, str]", entry.args)
    return pod, UUID(job)


class _Note:
    """Two numbers that a fork leaves for its parent: that of its attempt and how many attempts count."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, 16)

    def write(self, number: int, tries: int) -> None:
        self._memory[:16] = number.to_bytes(8) + tries.to_bytes(8)

    def read(self) -> tuple[int, int]:
        return int.from_bytes(self._memory[:8]), int.from_bytes(self._memory[8:16])
