import pytest
from tests.app.access.test_machine import _run
from tests.support.judge import Judge

def test_many(databases, tenant):
    n=_run(databases, tenant, examples=40, steps=40)
    print("asked", n)

@pytest.mark.parametrize("name,value", [("below_me", set()), ("_by_queue", False), ("_by_share", False), ("_by_inheritance", False), ("_by_sharing_rule", False), ("_by_row_rule", False)])
def test_mutants(databases, tenant, monkeypatch, name, value):
    monkeypatch.setattr(Judge, name, lambda *a, **k: value)
    with pytest.raises(BaseException):
        _run(databases, tenant, examples=80, steps=40)
