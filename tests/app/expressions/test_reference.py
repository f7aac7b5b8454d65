"""The reference page is what the code says, and its examples are understood."""

from __future__ import annotations

import pytest

from app.expressions import Variable, check_value
from app.expressions.functions import FUNCTIONS, SPECIAL
from app.expressions.python_functions import FUNCTIONS as IN_PYTHON
from app.expressions.reference import FOLDER, page
from app.expressions.sql_functions import FUNCTIONS as IN_SQL
from tests.app.expressions.table import Fields

_EXAMPLES = [one.example for signatures in FUNCTIONS.values() for one in signatures]
_EXAMPLES += [example for forms in SPECIAL.values() for example, _ in forms]


class Examples(Fields):
    """The fields the examples name."""

    def variable(self, path: str) -> Variable | None:
        """As the protocol says."""
        return Variable("phone", "text") if path == "phone" else super().variable(path)

    def related(self, path: str) -> Fields | None:
        """As the protocol says."""
        return Fields() if path == "deals" else None


def test_the_page_in_the_repository_is_the_generated_one() -> None:
    assert (FOLDER / "conditions.md").read_text(encoding="utf-8") == page(), "run `make docs`"


@pytest.mark.parametrize("example", _EXAMPLES)
def test_an_example_of_the_reference_is_understood(example: str) -> None:
    assert check_value(example, Examples()).source == example


def test_every_function_has_a_meaning_in_both_back_ends() -> None:
    ops = {one.op for signatures in FUNCTIONS.values() for one in signatures} - {"same"}
    assert ops - set(IN_PYTHON) == set()
    assert ops - set(IN_SQL) == set()
    assert set(IN_PYTHON) == set(IN_SQL)
