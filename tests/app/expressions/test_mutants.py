"""The agreement of the back ends and the table of cases notice mistakes in either: mutants are caught."""

from __future__ import annotations

import random
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from app.expressions import check, check_answer
from tests.app.expressions import table
from tests.app.expressions.mutants import Mutant, mutants, planted
from tests.app.expressions.table import OPTIONS, PARAMS, Fields, make_rows, make_table
from tests.app.expressions.test_agreement import NOBODY, checked, generated
from tests.app.expressions.test_answers import trees
from tests.app.expressions.test_cases import ANSWERS, CASES, EMPTY, FULL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.expressions import Checked
    from tests.app.expressions.table import Comparer

pytestmark = pytest.mark.scale

#: Of all mutants of a back end at least this share is caught; the rest is listed by the test and mostly equivalent.
ENOUGH = 0.85
BACK_ENDS = {
    "app.expressions.python": ("app.expressions.python", "app.expressions.python_functions"),
    "app.expressions.sql": ("app.expressions.sql", "app.expressions.sql_functions"),
}
_GENERATED = 40


@dataclass
class Batch:
    """Conditions or trees of formulas with their parameters; what the real back ends answer, row by row."""

    trees: list[Checked]
    params: dict[str, object]
    values: bool
    expected: object = None

    def answers(self, stage: Comparer, side: str) -> object:
        """What the back end as it is now answers."""
        kind = "values" if self.values else "answers"
        return getattr(stage, f"{kind}_of_{side}")(self.trees, self.params)


@pytest.fixture(scope="module")
def stage(superuser_url: str) -> Iterator[Comparer]:
    """A full and an empty row, then random ones."""
    for comparer in make_table(superuser_url, [FULL, EMPTY, *make_rows(14, seed=77)]):
        comparer.connection.commit()
        # What a mutant raises ends its own statement only.
        comparer.connection.autocommit = True
        yield comparer


@pytest.fixture(scope="module")
def batches(stage: Comparer) -> list[Batch]:
    """The tables of cases and answers, then generated conditions and formulas, with what both back ends answer."""
    cases = [check(source, Fields()) for source in CASES]
    answers = [
        tree
        for source, returns in ANSWERS
        for tree in check_answer(source, Fields(), returns, OPTIONS["stage"])
    ]  # fmt: skip
    rng = random.Random(11)  # noqa: S311 - the same every time
    conditions = [cases[at : at + 20] for at in range(0, len(cases), 20)]
    conditions += [checked(generated(rng)) for _ in range(_GENERATED)]
    found = [Batch(batch, NOBODY if at % 7 == 6 else PARAMS, values=False) for at, batch in enumerate(conditions)]
    found.append(Batch(answers, PARAMS, values=True))
    found += [Batch(trees(rng), PARAMS, values=True) for _ in range(_GENERATED // 4)]
    for batch in found:
        batch.expected = batch.answers(stage, "python")
        assert batch.answers(stage, "sql") == batch.expected
    return found


def caught(stage: Comparer, batches: list[Batch], mutant: Mutant, back_end: str) -> bool:
    """Whether a mutant raises, or answers other than the two back ends agree on."""
    side = "python" if back_end.endswith("python") else "sql"
    value = "to_value" if side == "python" else "to_sql_value"
    try:
        with planted(mutant, back_end) as module, pytest.MonkeyPatch.context() as patch:
            for name in (f"to_{side}", value):
                patch.setattr(table, name, getattr(module, name))
            return any(batch.answers(stage, side) != batch.expected for batch in batches)
    except Exception:  # noqa: BLE001 - any failure counts
        return True


@pytest.mark.parametrize("back_end", BACK_ENDS)
def test_mutants_of_a_back_end_are_caught(stage: Comparer, batches: list[Batch], back_end: str) -> None:
    made = [mutant for module in BACK_ENDS[back_end] for mutant in mutants(module)]
    survivors = [mutant.what for mutant in made if not caught(stage, batches, mutant, back_end)]
    sys.stderr.write(f"\n{back_end}: {len(made) - len(survivors)} of {len(made)} mutants caught; not:\n")
    sys.stderr.write("".join(f"  {what}\n" for what in survivors))
    assert len(survivors) <= (1 - ENOUGH) * len(made), survivors
