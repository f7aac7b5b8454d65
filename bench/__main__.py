"""``python -m bench [--only SECTION]… [--scale 0.1]``: measure, keep what was found, write the page."""

from __future__ import annotations

import argparse
import time
import traceback
from pathlib import Path

from bench import page, rates, results, sections
from bench.site import running


def arguments() -> argparse.Namespace:
    """What was asked on the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument("--only", action="append", choices=sections.NAMES, help="a section; repeatable (default: all)")
    parser.add_argument("--scale", type=float, default=1.0, help="1 = 10,000 companies, 100,000 contacts, 20,000 deals")
    parser.add_argument("--effort", type=float, default=1.0, help="share of the usual number of requests")
    parser.add_argument("--rounds", type=int, default=5, help="turns of the bare side and ours")
    parser.add_argument("--rows", type=int, default=20_000, help="rows of the import")
    parser.add_argument("--release", action="store_true", help="keep the rates as those of the release (rates.toml)")
    parser.add_argument("--page", action="store_true", help="measure nothing, write the page anew")
    return parser.parse_args()


def main() -> int:
    """Run the sections, each kept as soon as it is done; 1 when one failed."""
    given = arguments()
    full = given.scale == 1 and given.effort == 1
    # A quick look never touches the page of the project.
    kept = results.FULL if full else Path("var/bench") / "results.json"
    written = page.PAGE if full else kept.with_name("performance.md")
    failed: list[str] = []
    if not given.page:
        options = sections.Options(given.rounds, int(given.rows * min(1.0, given.scale * 5)), given.effort)
        wanted = sections.load(given.only or sections.NAMES)
        with running(given.scale) as site:
            for name, run in wanted.items():
                started = time.monotonic()
                print(f"== {name}", flush=True)
                try:
                    parts = results.keep(kept, name, run(site, options))
                except Exception:  # noqa: BLE001 (the other sections are worth having)
                    traceback.print_exc()
                    failed.append(name)
                else:
                    page.write(parts, written)
                print(f"   {time.monotonic() - started:.0f} s", flush=True)
    parts = results.load(kept)
    if given.release:
        rates.write(rates.all_rates(parts))
    page.write(parts, written)
    print(f"{written}\n" + "\n".join(f"failed: {name}" for name in failed))
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
