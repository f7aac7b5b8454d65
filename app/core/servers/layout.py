"""Where the embedded servers of one RAPPORT_HOME keep their data and their sockets."""

from __future__ import annotations

import contextlib
import hashlib
import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

#: A unix socket's path holds at most 107 bytes on Linux; the longest name below is ``/.s.PGSQL.5432.lock``.
_SOCKET_LIMIT = 107 - len("/.s.PGSQL.5432.lock")
#: Not TMPDIR: processes of one home must agree whatever their environment. What we make there is checked to be ours.
_SHARED = Path("/tmp")  # noqa: S108 (folders of our own in it, 0700 or closed)


_PRIVATE = 0o700


class ServerError(Exception):
    """An embedded server can't be started; the message is for people and says what to do."""


@dataclass(frozen=True, slots=True)
class ServerUser:
    """The operating system user the servers run as: ourselves, or ``nobody`` when we are root."""

    uid: int
    gid: int
    dropped: bool

    @classmethod
    def current(cls) -> ServerUser:
        """PostgreSQL refuses to run as root; a passwd entry is all that is needed to drop to ``nobody``."""
        if os.geteuid() != 0:
            return cls(os.geteuid(), os.getegid(), dropped=False)
        entry = pwd.getpwnam("nobody")
        return cls(entry.pw_uid, entry.pw_gid, dropped=True)

    def reaches(self, folder: Path) -> bool:
        """Whether this user may walk down to ``folder`` (each folder above it and itself searchable)."""
        if not self.dropped:
            return True
        return all(self._searches(step) for step in (folder, *folder.parents))

    def _searches(self, folder: Path) -> bool:
        found = folder.stat()
        if found.st_uid == self.uid:
            return bool(found.st_mode & 0o100)
        if found.st_gid == self.gid:
            return bool(found.st_mode & 0o010)
        return bool(found.st_mode & 0o001)

    def own_folder(self, folder: Path) -> Path:
        """Make ``folder`` this user's alone (0700); one that belongs to somebody else is refused.

        Its parent must exist: parents are never changed.
        """
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError:
            pass
        else:
            if self.dropped:
                os.chown(folder, self.uid, self.gid)
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != self.uid:
            raise ServerError(
                f"{folder} belongs to another user (uid {found.st_uid}): it was made by a start as that user. "
                "Start as that user again, or set RAPPORT_HOME to a folder of your own."
            )
        if stat.S_IMODE(found.st_mode) != _PRIVATE:
            folder.chmod(_PRIVATE)
        return folder


def make_home(home: Path) -> Path:
    """The home folder; a new one may be walked through (0711) by the servers' user, but not listed."""
    for folder in (*reversed(home.parents), home):
        if not folder.exists():
            with contextlib.suppress(FileExistsError):
                folder.mkdir()
                folder.chmod(0o711)  # whatever the umask
    return home


@dataclass(frozen=True, slots=True)
class Layout:
    """Paths and URLs below one RAPPORT_HOME; computing them touches nothing."""

    home: Path

    @property
    def postgres(self) -> Path:
        """Folder of the PostgreSQL cluster."""
        return self.home / "postgres"

    @property
    def valkey(self) -> Path:
        """Folder of Valkey's append-only file."""
        return self.home / "valkey"

    @property
    def logs(self) -> Path:
        """Folder of the logs of servers and processes."""
        return self.home / "log"

    @property
    def short(self) -> Path:
        """A folder of ours outside the home, for what can't live there: long socket paths, unreachable programs."""
        digest = hashlib.sha256(os.fsencode(self.home)).hexdigest()[:12]
        return _SHARED / f"rapport-{os.geteuid()}-{digest}"

    def holds_servers(self) -> bool:
        """Whether the servers' user can walk to the home folder (a home below a 0700 folder is out of its reach)."""
        existing = next(folder for folder in (self.home, *self.home.parents) if folder.exists())
        return ServerUser.current().reaches(existing)

    @property
    def sockets(self) -> Path:
        """Parent of the two socket folders, which are 0700 each."""
        inside = self.home / "run"
        fits = len(os.fsencode(inside / "postgres")) <= _SOCKET_LIMIT
        return inside if fits and self.holds_servers() else self.short / "run"

    def make_short(self) -> Path:
        """The folder outside the home, checked to be ours: the place is open to every user of the machine."""
        folder = self.short
        try:
            folder.mkdir(mode=0o700)
            folder.chmod(0o711)
        except FileExistsError:
            pass
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
            raise ServerError(f"{folder} was made by another user: remove it, or set RAPPORT_HOME to another folder.")
        return folder

    def make_sockets(self) -> Path:
        """The parent of the socket folders, made when missing."""
        if self.sockets.is_relative_to(self.short):
            self.make_short()
        self.sockets.mkdir(exist_ok=True)
        self.sockets.chmod(0o711)
        return self.sockets

    def postgres_url(self, user: str, database: str) -> str:
        """URL of ``database`` in the embedded cluster, over its unix socket."""
        return f"postgresql://{user}@/{database}?host={quote(str(self.sockets / 'postgres'), safe='/')}"

    def valkey_url(self) -> str:
        """URL of the embedded Valkey, over its unix socket."""
        return f"unix://{quote(str(self.sockets / 'valkey' / 'valkey.sock'), safe='/')}"
