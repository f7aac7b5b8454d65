from tests.app.access.test_machine import _run
def test_many(databases, tenant):
    n=_run(databases, tenant, examples=60, steps=40)
    print("asked", n)
