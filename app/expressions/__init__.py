"""Conditions: CEL text to one checked tree, which becomes SQL or a Python function that provably agree.

``check(source, environment)`` → ``Checked``; ``to_sql(checked, tables)``; ``to_python(checked)``. ``check_value``,
``to_sql_value`` and ``to_value`` are the same for expressions of any kind.
"""

from app.expressions.answer import RETURNS, check_answer
from app.expressions.check import check, check_value
from app.expressions.errors import ConditionError
from app.expressions.kinds import Environment, Kind, Variable
from app.expressions.python import to_python, to_value
from app.expressions.sql import Tables, to_sql, to_sql_value
from app.expressions.tree import Checked

__all__ = [
    "RETURNS",
    "Checked",
    "ConditionError",
    "Environment",
    "Kind",
    "Tables",
    "Variable",
    "check",
    "check_answer",
    "check_value",
    "to_python",
    "to_sql",
    "to_sql_value",
    "to_value",
]
