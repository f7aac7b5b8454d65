"""Where the embedded servers of one RAPPORT_HOME keep their data and their sockets."""

from __future__ import annotations

import hashlib
import os
import pwd
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

#: A unix socket's path holds at most 107 bytes on Linux; the longest name below is ``/.s.PGSQL.5432.lock``.
_SOCKET_LIMIT = 107 - len("/.s.PGSQL.5432.lock")


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

    def reaches(self, path: Path) -> bool:
        """Whether this user may walk down to ``path`` (each folder above it and itself searchable)."""
        if not self.dropped:
            return True
        return all(self._searches(folder) for folder in (path, *path.parents))

    def _searches(self, folder: Path) -> bool:
        found = folder.stat()
        if found.st_uid == self.uid:
            return bool(found.st_mode & 0o100)
        if found.st_gid == self.gid:
            return bool(found.st_mode & 0o010)
        return bool(found.st_mode & 0o001)


@dataclass(frozen=True, slots=True)
class Layout:
    """Paths and URLs below one RAPPORT_HOME; computing them touches nothing."""

    home: Path

    @property
    def postgres(self) -> Path:
        """Folder of the PostgreSQL cluster: ``data``, its log and its lock."""
        return self.home / "postgres"

    @property
    def valkey(self) -> Path:
        """Folder of Valkey's append-only file."""
        return self.home / "valkey"

    @property
    def short(self) -> Path:
        """A folder of ours outside the home, for what can't live there: long socket paths, unreachable binaries."""
        digest = hashlib.sha256(os.fsencode(self.home)).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"rapport-{os.geteuid()}-{digest}"

    @property
    def sockets(self) -> Path:
        """Parent of the two socket folders, which are 0700 each."""
        inside = self.home / "run"
        longest = len(os.fsencode(inside / "postgres"))
        existing = next(folder for folder in (inside, *inside.parents) if folder.exists())
        if longest <= _SOCKET_LIMIT and ServerUser.current().reaches(existing):
            return inside
        return self.short / "run"

    def postgres_url(self, user: str, database: str) -> str:
        """URL of ``database`` in the embedded cluster, over its unix socket."""
        return f"postgresql://{user}@/{database}?host={quote(str(self.sockets / 'postgres'), safe='/')}"

    def valkey_url(self) -> str:
        """URL of the embedded Valkey, over its unix socket."""
        return f"unix://{quote(str(self.sockets / 'valkey' / 'valkey.sock'), safe='/')}"
