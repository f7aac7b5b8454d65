"""The limit: bare psycopg, the same statements in the same scope, in a transaction, rows fetched.

Runs as a process of its own, so that its processor time can be told from the bench's. Reads lines ``{"op", "n"}`` from
stdin and answers each with a line when it is done.
"""

from __future__ import annotations

import json
import pickle
import sys
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

if TYPE_CHECKING:
    from collections.abc import Callable

_SCOPE = """
select e.*,
       set_config('search_path', quote_ident(e.schema) || ', ext, pg_temp', true),
       set_config('statement_timeout', %(timeout)s, true),
       set_config('idle_in_transaction_session_timeout', %(idle)s, true),
       set_config('transaction_read_only', %(read_only)s, true),
       set_config('rapport.language', e.locale, true),
       set_config('pg_trgm.word_similarity_threshold', '0.5', true),
       set_config('plan_cache_mode', %(plan)s, true),
       set_config('enable_seqscan', %(seqscan)s, true),
       set_config('role', e.role, true)
  from pod.enter(%(host)s, %(credential)s, %(write)s) e
"""
_CREATE = """
with r as (insert into o_contact (id, first_name, last_name, job_title, department, lifecycle, birthday, language)
           values (%(id)s, 'Raw', %(name)s, 'Engineer', 'R&D', 'customer', '1980-01-02', 'de') returning id, version)
insert into event (actor_kind, kind, object, record_id, record_version)
select 'key', 'created', 'contact', id, version from r
"""
_UPDATE = (
    "update o_deal set next_step = %(name)s, version = version + 1, updated_at = clock_timestamp() where id = %(id)s"
)
_COPY_EVENTS = "copy event (actor_kind, kind, object, record_id, record_version) from stdin"


class Raw:
    """One connection and the jobs written down by the bench."""

    def __init__(self, jobs: dict[str, Any]) -> None:
        self.jobs = jobs
        self.connection = psycopg.connect(jobs["dsn"], prepare_threshold=0)
        self.done = uuid.uuid4().int % 1000  # several of us do not change the same deals

    def enter(self, credential: bytes, op: str, *, write: bool, seconds: int = 5) -> None:
        """Begin and enter the tenant; plans are kept where the product has them kept."""
        by_key = op in self.jobs["by_key"]
        params = {
            "host": None,
            "credential": credential,
            "write": write,
            "timeout": str(seconds * 1000),
            "idle": "10000",
            "read_only": "off" if write else "on",
            "plan": "force_generic_plan" if by_key else "force_custom_plan",
            "seqscan": "off" if by_key else "on",
        }
        self.connection.execute(_SCOPE, params).fetchone()

    def read(self, name: str) -> None:
        """The statements the product sends for a read."""
        self.enter(self.jobs["credential"], name, write=False)
        for text, params in self.jobs["reads"][name]:
            self.connection.execute(text, params).fetchall()
        self.connection.commit()

    def create(self) -> None:
        """A plain insert of record and event."""
        self.enter(self.jobs["credential"], "create", write=True)
        self.connection.execute(_CREATE, {"id": uuid.uuid4(), "name": f"Raw {self.done}"})
        self.connection.commit()

    def patch(self) -> None:
        """A plain update."""
        self.enter(self.jobs["credential"], "patch", write=True)
        deals = self.jobs["deals"]
        self.connection.execute(_UPDATE, {"id": deals[self.done % len(deals)], "name": f"Step {self.done}"})
        self.connection.commit()

    def copy(self, name: str) -> None:
        """COPY rows into record and event, and what their links make (affiliations), with all their indexes."""
        text, rows, credential, linked = self.jobs["copies"][name]
        self.enter(credential, name, write=True, seconds=120)
        with self.connection.cursor() as cursor:
            ids = [uuid.uuid4() for _ in rows]
            with cursor.copy(text) as copy:
                for record_id, row in zip(ids, rows, strict=True):
                    copy.write_row((record_id, *row))
            made = [("contact", record_id) for record_id in ids]
            if linked:
                with cursor.copy(linked) as copy:
                    for record_id, row in zip(ids, rows, strict=True):
                        made.append(("affiliation", uuid.uuid4()))
                        copy.write_row((made[-1][1], record_id, row[-1], True))
            with cursor.copy(_COPY_EVENTS) as copy:
                for object_name, record_id in made:
                    copy.write_row(("import", "created", object_name, record_id, 1))
        self.connection.commit()

    def run(self, op: str, n: int) -> None:
        """Do one operation ``n`` times."""
        writes: dict[str, Callable[[], None]] = {"create": self.create, "patch": self.patch}
        for _ in range(n):
            self.done += 1
            if op in writes:
                writes[op]()
            elif op in self.jobs["copies"]:
                self.copy(op)
            else:
                self.read(op)


def main() -> None:
    """Serve the bench."""
    raw = Raw(pickle.loads(Path(sys.argv[1]).read_bytes()))  # noqa: S301 (the bench wrote it just now)
    print("ready", flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        raw.run(asked["op"], asked["n"])
        print("done", flush=True)


if __name__ == "__main__":
    main()
