"""Scratch profiles: services in a data folder of their own that are gone after the test."""

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from crm.local.folder import REPOSITORY, data_folder
from crm.local.postgres import Postgres
from crm.local.valkey import Valkey

HOLD = """
import sys
from crm.local import {service}
server = {service}({profile!r})
server.hold()
print(server.pid(), flush=True)
sys.stdin.read()
"""


@dataclass
class Scratch:
    """One scratch profile and the processes that use its services."""

    profile: str

    @property
    def environment(self) -> dict[str, str]:
        """The environment of a command that works on this profile alone."""
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("CRM_", "DATABASE_", "REDIS_", "PYTEST_"))
        }
        return {**inherited, "CRM_PROFILE": self.profile, "PYTHONPATH": str(REPOSITORY)}

    def holder(self, service: str = "postgres") -> "Holder":
        """Start a process that holds a service until it is let go."""
        script = HOLD.format(service=service, profile=self.profile)
        return Holder(
            subprocess.Popen(
                [sys.executable, "-c", script],
                env=self.environment,
                cwd=REPOSITORY,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
        )

    def manage(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            env={**self.environment, **environment},
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            timeout=180,
        )


@dataclass
class Holder:
    process: subprocess.Popen
    _server: int | None = None

    @property
    def server(self) -> int:
        """The pid of the service it holds; waits until it has it."""
        if self._server is None:
            self._server = int(self.process.stdout.readline())
        return self._server

    def leave(self) -> None:
        self.process.stdin.close()
        assert self.process.wait(60) == 0

    def die(self, number: signal.Signals = signal.SIGKILL) -> None:
        self.process.send_signal(number)
        self.process.wait(60)


def lives(pid: int) -> bool:
    """Say whether a process runs; one that ended and was not yet collected does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def gone(pid: int, seconds: float = 20) -> bool:
    until = time.monotonic() + seconds
    while lives(pid) and time.monotonic() < until:
        time.sleep(0.02)
    return not lives(pid)


@contextlib.contextmanager
def scratch_profile():
    profile = f"test-{secrets.token_hex(4)}"
    try:
        yield Scratch(profile)
    finally:
        for server in (Postgres(profile), Valkey(profile)):
            server.stop()
        shutil.rmtree(data_folder(profile))
        shutil.rmtree(REPOSITORY / ".local" / profile, ignore_errors=True)


@pytest.fixture
def scratch():
    with scratch_profile() as profile:
        yield profile
