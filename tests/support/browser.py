"""Find Chromium for the browser tests, or install it: ``python -m tests.support.browser``."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

#: Keeps the browser off the network and lets it start as root.
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def find() -> str | None:
    """Return the path of a Chromium, or None: the one named, the system's, else the driver's own download."""
    named = os.environ.get("RAPPORT_CHROMIUM")
    if named:
        return named
    for name in NAMES:
        path = shutil.which(name)
        if path:
            return path
    cache = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH", Path.home() / ".cache/ms-playwright"))
    found = sorted(cache.glob("chromium*/chrome-linux*/chrome"))
    return str(found[-1]) if found else None


def _install() -> None:
    if os.geteuid() == 0 and shutil.which("apt-get"):
        print("Installing Debian's chromium for the browser tests", flush=True)
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "update", "-qq"], check=False, env=quiet, stdout=subprocess.DEVNULL)
        subprocess.run(
            ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"],
            check=False,
            env=quiet,
            stdout=subprocess.DEVNULL,
        )
        if find():
            return
    print("Downloading a browser for the browser tests", flush=True)
    subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False)


def main() -> int:
    """Make sure that there is a Chromium; 1 and a clear message when there can be none."""
    if find():
        return 0
    _install()
    if find():
        return 0
    print(
        "No Chromium: the browser tests need one. Install it (Debian, as root: apt-get install chromium), "
        "or name one with RAPPORT_CHROMIUM=/path/to/chrome.",
        file=sys.stderr,
    )
    return 1


if __name__ == "__main__":
    raise SystemExit(main())
