from __future__ import annotations

import redis
import psycopg

from tests.support.servers import Servers


def test_the_servers_of_a_run_answer(servers: Servers, redis_url: str) -> None:
    with psycopg.connect(servers.postgres) as connection:
        row = connection.execute("select current_setting('server_version_num')::int >= 180000").fetchone()
    assert row == (True,)
    with redis.Redis.from_url(redis_url) as client:
        assert client.dbsize() == 0


def test_the_network_is_closed() -> None:
    import socket
    import pytest
    from tests.support.network import NetworkClosedError

    with pytest.raises(NetworkClosedError), socket.socket(socket.AF_INET, socket.SOCK_STREAM) as s:
        s.connect(("192.0.2.1", 80))
