"""The agreement of the back ends and the table of cases notice mistakes in either: mutants are caught."""

from __future__ import annotations

import random
import sys
from typing import TYPE_CHECKING

import pytest

from app.expressions import check
from tests.app.expressions import table
from tests.app.expressions.mutants import Mutant, mutants, planted
from tests.app.expressions.table import PARAMS, Fields, make_rows, make_table
from tests.app.expressions.test_agreement import NOBODY, checked, generated
from tests.app.expressions.test_cases import CASES, EMPTY, FULL

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
#: Conditions, their parameters, for each which rows meet it.
Batch = tuple["list[Checked]", "dict[str, object]", "list[list[bool]]"]


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
    """The conditions of the table of cases, then generated ones, by twenty, with what both back ends answer."""
    cases = [check(source, Fields()) for source in CASES]
    rng = random.Random(11)  # noqa: S311 - the same every time
    conditions = [cases[at : at + 20] for at in range(0, len(cases), 20)]
    conditions += [checked(generated(rng)) for _ in range(_GENERATED)]
    found: list[Batch] = []
    for number, batch in enumerate(conditions):
        params = NOBODY if number % 7 == 6 else PARAMS
        stage.agree(batch, params)
        found.append((batch, params, stage.answers_of_python(batch, params)))
    return found


def caught(stage: Comparer, batches: list[Batch], mutant: Mutant, back_end: str) -> bool:
    """Whether a mutant raises, or finds other rows than the two back ends agree on."""
    side = "python" if back_end.endswith("python") else "sql"
    answers = stage.answers_of_python if side == "python" else stage.answers_of_sql
    try:
        with planted(mutant, back_end) as module, pytest.MonkeyPatch.context() as patch:
            patch.setattr(table, f"to_{side}", getattr(module, f"to_{side}"))
            return any(answers(batch, params) != expected for batch, params, expected in batches)
    except Exception:  # noqa: BLE001 - any failure counts
        return True


@pytest.mark.parametrize("back_end", BACK_ENDS)
def test_mutants_of_a_back_end_are_caught(stage: Comparer, batches: list[Batch], back_end: str) -> None:
    made = [mutant for module in BACK_ENDS[back_end] for mutant in mutants(module)]
    survivors = [mutant.what for mutant in made if not caught(stage, batches, mutant, back_end)]
    sys.stderr.write(f"\n{back_end}: {len(made) - len(survivors)} of {len(made)} mutants caught; not:\n")
    sys.stderr.write("".join(f"  {what}\n" for what in survivors))
    assert len(survivors) <= (1 - ENOUGH) * len(made), survivors
