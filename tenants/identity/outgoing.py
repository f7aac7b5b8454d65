"""Mail to people, sent beside the request: neither its time nor its failure shows who has an account."""

from __future__ import annotations

import logging
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.core.mail import Mailer

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Message:
    """What to tell somebody. ``link`` is a secret: it goes into the mail and nowhere else."""

    subject: str
    greeting: str
    text: str
    action: str
    link: str = field(repr=False)
    after: str


_executor: Final = ThreadPoolExecutor(max_workers=1, thread_name_prefix="mail")
_open: Final[set[Future[None]]] = set()


def post(mailer: Mailer, to: str, message: Message) -> None:
    """Send soon, in the background."""
    later(lambda: send(mailer, to, message))


def later(work: Callable[[], None]) -> None:
    """Do ``work`` soon, in the background; what it raises is logged."""
    future = _executor.submit(_do, work)
    _open.add(future)
    future.add_done_callback(_open.discard)


def send(mailer: Mailer, to: str, message: Message) -> None:
    """Send now; raises what the mailer raises (jobs retry)."""
    mailer.send(to, message.subject, plain(message))


def settle(seconds: float = 10) -> None:
    """Wait until everything posted is out (at shutdown, in tests)."""
    wait(list(_open), timeout=seconds)


def plain(message: Message) -> str:
    """The mail's text."""
    parts = [f"{message.greeting},", message.text, f"{message.action}:\n{message.link}", message.after, "Rapport"]
    return "\n\n".join(parts) + "\n"


def _do(work: Callable[[], None]) -> None:
    try:
        work()
    except Exception:
        # A thread has nobody to raise to; the person asks again.
        log.exception("a mail was not sent")
