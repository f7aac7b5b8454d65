"""Starting a server as a direct child that holds a lock for its life and dies with us."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from app.core.servers.layout import ServerError, ServerUser

if TYPE_CHECKING:
    import signal
    from collections.abc import Callable, Generator, Sequence

_PR_SET_PDEATHSIG = 1
_PR_SET_NAME = 15
_LOG_LIMIT = 20 << 20


def die_with_parent(sent: signal.Signals, parent: int | None = None) -> Callable[[], None]:
    """A ``preexec_fn``: the kernel sends ``sent`` to the child when the thread that started it ends (Linux only).

    Start children from a thread that lives as long as they should. It runs after the change of user, which would
    clear it. ``parent`` is our own pid unless it is called in the child itself.
    """
    parent = os.getpid() if parent is None else parent

    def arrange() -> None:
        if sys.platform != "linux":
            return
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(sent), 0, 0, 0)
        if os.getppid() != parent:  # it died before the call
            os._exit(1)

    return arrange


def name_process(name: str) -> None:
    """Give this process a name of its own in ``ps`` and ``top`` (15 bytes; Linux only)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_NAME, name.encode()[:15], 0, 0, 0)


def try_lock(path: Path) -> int | None:
    """An exclusive lock on ``path`` as a file descriptor, or None when somebody holds it. It ends with its holders."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


@contextlib.contextmanager
def locked(path: Path, *, timeout: float, waiting_for: str) -> Generator[int]:
    """Hold the lock on ``path``, waiting up to ``timeout`` seconds for its holder to go."""
    deadline = time.monotonic() + timeout
    while (descriptor := try_lock(path)) is None:
        if time.monotonic() > deadline:
            raise ServerError(f"waited {timeout:.0f} s for {waiting_for}; its lock is {path}")
        time.sleep(0.05)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def spawn(
    command: Sequence[str | Path],
    *,
    user: ServerUser,
    folder: Path,
    log: Path,
    lock: int,
    death: signal.Signals,
    lines: Sequence[str] = (),
) -> subprocess.Popen[bytes]:
    """Start ``command`` in ``folder`` as ``user``.

    It and whatever it forks inherit ``lock``, so the lock is free only when the last of them is gone: a killed
    server's backends included. ``lines`` go to the log first.
    """
    with open_log(log) as stream:
        for line in lines:
            stream.write(f"{line}\n".encode())
        stream.flush()
        return subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
            env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC", "HOME": "/"},
            start_new_session=True,
            pass_fds=(lock,),
            preexec_fn=die_with_parent(death),  # noqa: PLW1509 (one system call, nothing that takes a lock)
            user=user.uid if user.dropped else None,
            group=user.gid if user.dropped else None,
            extra_groups=[] if user.dropped else None,
        )


@contextlib.contextmanager
def open_log(path: Path) -> Generator[BinaryIO]:
    """Append to ``path`` (0600); a large log is set aside as ``.old`` first."""
    with contextlib.suppress(FileNotFoundError):
        if path.stat().st_size > _LOG_LIMIT:
            path.replace(path.with_name(path.name + ".old"))
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "ab") as stream:
        yield stream


def stop(process: subprocess.Popen[bytes], escalation: Sequence[tuple[signal.Signals, float]]) -> None:
    """Send each signal and wait its seconds, until the process ends."""
    for sent, seconds in escalation:
        if process.poll() is not None:
            return
        process.send_signal(sent)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
            return


def tail(log: Path, lines: int = 12) -> str:
    """The last lines of a log, for an error message."""
    try:
        with log.open("rb") as stream:
            stream.seek(0, os.SEEK_END)
            stream.seek(max(0, stream.tell() - 8192))
            return "\n".join(stream.read().decode(errors="replace").splitlines()[-lines:])
    except FileNotFoundError:
        return ""


def _is_whole(source: Path, copy: Path) -> bool:
    """Whether ``copy`` has every file of ``source``: below /tmp the system may have tidied some away."""
    for folder, _, files in os.walk(source):
        for name in files:
            original = Path(folder, name)
            kept = copy / original.relative_to(source)
            if not kept.is_symlink() and (not kept.exists() or kept.stat().st_size != original.stat().st_size):
                return False
    return copy.exists()


def reachable_copy(source: Path, target: Path, user: ServerUser) -> Path:
    """``source`` when ``user`` can walk there, else a copy at ``target`` that everybody may read and run.

    A virtual environment below a 0700 home is out of reach for ``nobody``; the home is never opened for it.
    """
    if user.reaches(source):
        return source
    if not _is_whole(source, target):
        shutil.rmtree(target, ignore_errors=True)
        draft = target.with_name(f"{target.name}.{os.getpid()}")
        shutil.rmtree(draft, ignore_errors=True)
        shutil.copytree(source, draft, symlinks=True)
        for folder, _, files in os.walk(draft):
            Path(folder).chmod(0o755)
            for name in files:
                path = Path(folder, name)
                if not path.is_symlink():
                    path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
        try:
            draft.rename(target)
        except OSError:  # another process was faster
            shutil.rmtree(draft, ignore_errors=True)
    return target
