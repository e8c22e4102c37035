"""The embedded services start when needed, are shared, and end with their last user."""

import os
import signal
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg2
import pytest
import redis

from crm.local.folder import data_folder
from crm.local.postgres import Postgres
from crm.local.valkey import Valkey
from tests.local.conftest import gone, lives

BOTH = pytest.mark.parametrize("service", ["postgres", "valkey"])


@BOTH
def test_the_last_user_stops_the_server(scratch, service):
    first = scratch.holder(service)
    second = scratch.holder(service)
    assert first.server == second.server
    first.leave()
    assert lives(second.server)
    second.leave()
    assert gone(second.server, 1)


@BOTH
def test_the_server_of_a_killed_starter_is_taken_over_and_ended(scratch, service):
    killed = scratch.holder(service)
    server = killed.server
    killed.die()
    assert lives(server)
    heir = scratch.holder(service)
    assert heir.server == server
    heir.leave()
    assert gone(server, 1)


@BOTH
def test_a_terminated_user_leaves_as_one_that_ends_by_itself(scratch, service):
    holder = scratch.holder(service)
    server = holder.server
    holder.die(signal.SIGTERM)
    assert holder.process.returncode == 128 + signal.SIGTERM
    assert gone(server, 1)


@BOTH
def test_three_first_starts_at_once_make_one_server(scratch, service):
    holders = [scratch.holder(service) for _ in range(3)]
    with ThreadPoolExecutor() as pool:
        servers = set(pool.map(lambda holder: holder.server, holders))
    assert len(servers) == 1
    for holder in holders:
        holder.leave()
    assert gone(servers.pop(), 1)


def test_rows_survive_the_kill_of_the_server_and_the_holder_starts_it_again(scratch):
    server = Postgres(scratch.profile)
    with _connection(server) as connection, connection.cursor() as cursor:
        cursor.execute("create table kept as select 7 as n")
    before = server.pid()
    os.kill(before, signal.SIGKILL)
    assert gone(before)
    with _connection(server) as connection, connection.cursor() as cursor:
        cursor.execute("select n from kept")
        assert cursor.fetchone() == (7,)
    assert server.pid() != before
    server.release()
    assert server.pid() is None


def test_a_message_survives_the_kill_of_valkey(scratch):
    server = Valkey(scratch.profile)
    client = redis.Redis.from_url(server.hold().url())
    client.lpush("crm", "ring")
    os.kill(server.pid(), signal.SIGKILL)
    client = redis.Redis.from_url(server.hold().url())
    assert client.lrange("crm", 0, -1) == [b"ring"]
    server.release()


def test_a_forked_child_neither_stops_the_server_nor_loses_it(scratch):
    server = Postgres(scratch.profile)
    server.hold()
    pid = server.pid()
    child = os.fork()
    if not child:
        server.release()
        os._exit(0)
    os.waitpid(child, 0)
    assert server.pid() == pid
    sleeper = os.fork()
    if not sleeper:
        signal.pause()
        os._exit(0)
    server.release()
    assert server.pid() == pid, "the child still uses it"
    os.kill(sleeper, signal.SIGKILL)
    os.waitpid(sleeper, 0)
    server.hold()
    server.release()
    assert server.pid() is None


def test_nobody_gets_in_without_the_password_of_the_0600_file(scratch):
    server = Postgres(scratch.profile)
    at = server.hold()
    assert stat.S_IMODE(server.password_file.stat().st_mode) == 0o600
    with pytest.raises(psycopg2.OperationalError, match="password"):
        psycopg2.connect(host=at.host, port=at.port, user=at.user, password="guess", dbname="postgres")
    assert (server.cluster / "postmaster.pid").read_text().splitlines()[4] == "", "no unix socket"
    server.release()
    bell = Valkey(scratch.profile)
    port = bell.hold().port
    with pytest.raises(redis.AuthenticationError):
        redis.Redis(port=port).ping()
    assert stat.S_IMODE(bell.configuration.stat().st_mode) == 0o600
    bell.release()


@BOTH
def test_no_service_runs_as_root_and_it_reads_nothing_of_a_home(scratch, service):
    holder = scratch.holder(service)
    status = Path(f"/proc/{holder.server}/status").read_text()
    uid = int(status.split("Uid:")[1].split()[0])
    if os.geteuid() == 0:
        assert uid != 0
        program = Path(f"/proc/{holder.server}/exe").resolve()
        assert program.is_relative_to("/var/lib/bank-crm/programs")
        assert data_folder(scratch.profile).is_relative_to("/var/lib/bank-crm")
    else:
        assert uid == os.geteuid()
    assert Path(f"/proc/{holder.server}/environ").read_bytes().count(b"CRM_") == 0
    holder.leave()


def test_a_command_that_needs_no_service_starts_none(scratch):
    done = scratch.manage("help")
    assert done.returncode == 0, done.stderr
    assert not list(data_folder(scratch.profile).iterdir())


def test_a_command_that_reads_the_database_starts_it_and_ends_it(scratch):
    done = scratch.manage("showmigrations", "core")
    assert done.returncode == 0, done.stderr
    assert "[ ] 0001" in done.stdout
    assert (data_folder(scratch.profile) / "postgres" / "PG_VERSION").exists()
    assert Postgres(scratch.profile).pid() is None


def test_database_url_and_redis_url_win(scratch):
    from crm.local.valkey import valkey_url

    done = scratch.manage("showmigrations", "core", DATABASE_URL="postgresql://nobody:x@127.0.0.1:1/none")
    assert done.returncode != 0
    assert "port 1 failed" in done.stderr
    assert not list(data_folder(scratch.profile).iterdir())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
        assert valkey_url(scratch.profile) == "redis://127.0.0.1:1/0"


def _connection(server: Postgres):
    at = server.hold()
    return psycopg2.connect(host=at.host, port=at.port, user=at.user, password=at.password, dbname="postgres")
