"""Conditions: CEL text to one checked tree, which becomes SQL or a Python function that provably agree.

``check(source, environment)`` → ``Checked``; ``to_sql(checked, column)``; ``to_python(checked)``.
"""

from app.expressions.check import check
from app.expressions.errors import ConditionError
from app.expressions.kinds import Environment, Kind, Variable
from app.expressions.python import to_python
from app.expressions.sql import to_sql
from app.expressions.tree import Checked

__all__ = ["Checked", "ConditionError", "Environment", "Kind", "Variable", "check", "to_python", "to_sql"]
