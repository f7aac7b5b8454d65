"""How good the order of what search finds is.

Collections with judged questions (stackfaq, cranfield) are written as notes into workspaces of their own, every
question is asked as a member would, and nDCG@10 is compared with that of BM25 over stemmed words, computed apart.
"""

from __future__ import annotations

import html
import json
import math
import os
import statistics
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from app.records.search import search
from bench.fill import Sizes, vacuum
from bench.results import Budget, Part, table
from tenants.copying import copy_into
from tenants.scope import SYSTEM, enter_job

if TYPE_CHECKING:
    from bench.sections import Options
    from bench.site import Site
    from tenants.scope import TenantScope

#: Collection → nDCG@10 of BM25 (k1 1.2, b 0.75, stemmed words), the figure to reach.
BM25: Final = {"stackfaq": 0.8298, "cranfield": 0.5275}
_DEPTH: Final = 10
#: Beside the checkout, as the tests look for it too.
DATA: Final = (
    Path(os.environ.get("RAPPORT_TEST_DATA", str(Path(__file__).resolve().parents[3] / "shared" / "data"))) / "search"
)


@dataclass(frozen=True, slots=True)
class Collection:
    """Documents as (id, title, text), questions by id, and what each document is worth to a question."""

    documents: list[tuple[str, str, str]]
    questions: dict[str, str]
    gains: dict[str, dict[str, int]]


@dataclass(frozen=True, slots=True)
class Quality:
    """What a collection came to: nDCG@10, the share of questions with a right first answer, milliseconds."""

    ndcg: float
    first: float
    median: float
    p95: float


def run(site: Site, options: Options) -> Part:
    """Ask every question of every collection that is here."""
    rows: list[tuple[str, ...]] = []
    budgets: list[Budget] = []
    for name, wanted in BM25.items():
        if not (DATA / name).is_dir():
            budgets.append(
                Budget(f"nDCG@10 of {name}", f"≥ {wanted:.4f} (stemmed BM25)", f"not measured: no {DATA / name}")
            )
            continue
        collection = read(name)
        found = _measure(site, name, collection, options)
        rows.append(
            (name, f"{len(collection.questions):,}", f"{wanted:.4f}", f"{found.ndcg:.4f}", f"{found.first:.4f}",
             f"{found.median:.1f}", f"{found.p95:.1f}")
        )  # fmt: skip
        budgets.append(
            Budget(f"nDCG@10 of {name}", f"≥ {wanted:.4f} (stemmed BM25)", f"{found.ndcg:.4f}", found.ndcg >= wanted)
        )
        print("  " + " | ".join(rows[-1]), flush=True)
    head = ("collection", "questions", "BM25 nDCG@10", "ours", "right first", "p50 ms", "p95 ms")
    text = f"""Judged collections, each loaded as the notes of a workspace; nDCG@10 beside that of BM25 (k1 =
1.2, b = 0.75) over stemmed words.

{table(head, rows)}"""
    return Part(text, budgets)


def _measure(site: Site, name: str, collection: Collection, options: Options) -> Quality:
    workspace = site.workspace(f"judged-{name}", Sizes(0, 0, 0))
    with enter_job(site.runtime.databases, workspace.tenant.id, actor=SYSTEM, write=True, budget=600) as scope:
        load(scope, collection)
    vacuum(site.runtime, workspace.tenant, "note")
    wanted = options.times(len(collection.questions))
    some = Collection(collection.documents, dict(list(collection.questions.items())[:wanted]), collection.gains)
    with enter_job(site.runtime.databases, workspace.tenant.id, actor=SYSTEM, write=False, budget=600) as scope:
        return evaluate(scope, some)


def read(name: str, data: Path = DATA) -> Collection:
    """Read a collection. Raises FileNotFoundError."""
    folder = data / name / "beir"
    documents = [json.loads(line) for line in (folder / "corpus.jsonl").read_text("utf-8").splitlines()]
    questions = [json.loads(line) for line in (folder / "queries.jsonl").read_text("utf-8").splitlines()]
    gains: dict[str, dict[str, int]] = defaultdict(dict)
    for line in (folder / "qrels.tsv").read_text("utf-8").splitlines()[1:]:
        question, document, gain = line.split("\t")
        gains[question][document] = int(gain)
    return Collection(
        [(document["_id"], document["title"], document["text"]) for document in documents],
        {question["_id"]: question["text"] for question in questions if question["_id"] in gains},
        dict(gains),
    )


def load(scope: TenantScope, collection: Collection) -> None:
    """Write the documents as notes; the id goes into ``external_id``."""
    rows = [(key, title[:1000], f"<p>{html.escape(text)}</p>") for key, title, text in collection.documents]
    copy_into(scope, "o_note", ("external_id", "title", "body"), rows)


def evaluate(scope: TenantScope, collection: Collection) -> Quality:
    """Ask every question."""
    keys = {str(row[0]): row[1] for row in scope.execute("select id, external_id from o_note").fetchall()}
    scores: list[float] = []
    first = 0
    times: list[float] = []
    for question, text in collection.questions.items():
        gains = collection.gains[question]
        started = time.perf_counter()
        found = [keys[str(hit["id"])] for hit in search(scope, text, ("note",), _DEPTH)]
        times.append((time.perf_counter() - started) * 1000)
        scores.append(ndcg([gains.get(key, 0) for key in found], list(gains.values())))
        first += bool(found) and gains.get(found[0], 0) > 0
    asked = len(scores)
    return Quality(
        statistics.fmean(scores), first / asked, statistics.median(times), statistics.quantiles(times, n=20)[-1]
    )


def ndcg(found: list[int], possible: list[int]) -> float:
    """Normalised discounted cumulative gain at 10 of the gains found, in their order (Järvelin, Kekäläinen 2002)."""
    best = _discounted(sorted(possible, reverse=True))
    return _discounted(found) / best if best else 0.0


def _discounted(gains: list[int]) -> float:
    return sum(gain / math.log2(place + 2) for place, gain in enumerate(gains[:_DEPTH]))
