"""The engine factory's walls and the engines' life."""

from __future__ import annotations

import os

import psycopg
import pytest
import sqlalchemy as sa

from app.core.db import Databases, PodAddress, make_engine
from app.core.errors import Unavailable


@pytest.fixture
def engine(superuser_url: str) -> sa.Engine:
    return make_engine(superuser_url, pool_size=1, max_overflow=0)


@pytest.mark.parametrize("text", ["select 1; select 2", "select 1; set role none"])
def test_a_second_statement_in_one_text_is_refused_even_without_parameters(engine: sa.Engine, text: str) -> None:
    with engine.connect() as connection:
        with pytest.raises(sa.exc.ProgrammingError, match="multiple commands"):
            connection.exec_driver_sql(text)
        connection.rollback()
        with pytest.raises(psycopg.errors.SyntaxError, match="multiple commands"):
            connection.connection.driver_connection.execute(text)  # type: ignore[union-attr]
    engine.dispose()


def test_a_pooled_connection_that_the_server_ended_is_replaced_unnoticed(engine: sa.Engine, superuser_url: str) -> None:
    with engine.connect() as connection:
        first = connection.exec_driver_sql("select pg_backend_pid()").scalar_one()
    with psycopg.connect(superuser_url, autocommit=True) as other:
        other.execute("select pg_terminate_backend(%s, 5000)", (first,))
    with engine.connect() as connection:
        assert connection.exec_driver_sql("select pg_backend_pid()").scalar_one() != first
    engine.dispose()


def test_a_good_connection_is_used_again(engine: sa.Engine) -> None:
    pids = set()
    for _ in range(3):
        with engine.connect() as connection:
            pids.add(connection.exec_driver_sql("select pg_backend_pid()").scalar_one())
    assert len(pids) == 1
    engine.dispose()


def test_engines_are_built_once_and_pods_are_loaded_when_asked_for(superuser_url: str) -> None:
    asked: list[int] = []

    def load(number: int) -> PodAddress | None:
        asked.append(number)
        return PodAddress(superuser_url, superuser_url) if number == 1 else None

    databases = Databases(superuser_url, superuser_url)
    databases.use_loader(load)
    assert databases.pod(1) is databases.pod(1)
    assert databases.pod(1) is not databases.pod_owner(1)
    assert databases.control is not databases.control_owner()
    with pytest.raises(Unavailable):
        databases.pod(2)
    assert asked == [1, 2]
    databases.dispose()


def test_a_fork_forgets_its_parents_connections_and_leaves_them_whole(superuser_url: str) -> None:
    databases = Databases(superuser_url, superuser_url)
    with databases.control.connect() as connection:
        before = connection.exec_driver_sql("select pg_backend_pid()").scalar_one()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            databases.forget()
            with databases.control.connect() as connection:
                code = int(connection.exec_driver_sql("select pg_backend_pid()").scalar_one() == before)
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    with databases.control.connect() as connection:
        assert connection.exec_driver_sql("select pg_backend_pid()").scalar_one() == before
    databases.dispose()
