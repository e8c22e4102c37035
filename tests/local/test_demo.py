"""`make demo`: everything up in one terminal, nothing left behind, nothing lost, one at a time."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from crm.local.folder import REPOSITORY, data_folder
from crm.local.postgres import Postgres
from crm.local.processes import free_port
from crm.local.supervisor import session_members
from crm.local.valkey import Valkey
from tests.local.conftest import gone, lives, scratch_profile

pytestmark = pytest.mark.xdist_group("demo")
PUBLISHED = """
from crm.core import clock
from crm.core.models import Run
Run.objects.create(kind="night", business_date="2026-01-31", state="done", created_at=clock.now())
"""


@pytest.fixture(scope="module")
def bank():
    """A scratch profile whose bank has a published night, so that the demo builds none."""
    with scratch_profile() as scratch:
        for arguments in (("migrate",), ("shell", "--command", PUBLISHED)):
            done = scratch.manage(*arguments, "--verbosity=0")
            assert done.returncode == 0, done.stderr
        yield scratch


@contextlib.contextmanager
def demo(bank):
    """Run the demo until the bank is open; yield (process, port, lines so far)."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "manage.py", "demo", "--port", str(port)],
        cwd=REPOSITORY,
        env=bank.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        lines = []
        for line in process.stdout:
            lines.append(line)
            if "The bank is open" in line:
                break
        assert process.poll() is None, "".join(lines)
        yield process, port, lines
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)


def children(bank) -> dict[str, int]:
    record = json.loads((data_folder(bank.profile) / "demo.json").read_text())
    return {entry["name"]: entry["pid"] for entry in record}


def test_ctrl_c_stops_all_that_was_started(bank):
    with demo(bank) as (process, port, _lines):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/") as answer:
            assert answer.status == 200
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/") as page:
            cookies = page.headers.get_all("Set-Cookie") or []
        assert not [cookie for cookie in cookies if "__Host-" in cookie or "Secure" in cookie]
        started = children(bank)
        assert set(started) == {"web", "worker", "beat"}
        everything = [pid for leader in started.values() for pid in session_members(leader)]
        everything += [Postgres(bank.profile).pid(), Valkey(bank.profile).pid()]
        assert len(everything) > 6
        assert all(lives(pid) for pid in everything)
        process.send_signal(signal.SIGINT)
        assert process.wait(40) == 0
        assert not [pid for pid in everything if lives(pid)]


def test_the_web_listens_on_loopback_alone(bank):
    with demo(bank) as (_process, port, _lines):
        listening = [
            line.split()[1]
            for line in Path("/proc/net/tcp").read_text().splitlines()[1:]
            if line.split()[3] == "0A" and line.split()[1].endswith(f":{port:04X}")
        ]
        assert listening == [f"0100007F:{port:04X}"]
        assert not Path("/proc/net/tcp6").exists() or f":{port:04X}" not in Path("/proc/net/tcp6").read_text()


def test_after_the_kill_of_the_starter_the_next_start_ends_its_children(bank):
    with demo(bank) as (process, _port, _lines):
        first = children(bank)
        process.kill()
        process.wait()
        assert all(lives(pid) for pid in first.values())
        server = Postgres(bank.profile).pid()
        begun = time.monotonic()
        with demo(bank) as (_second, _other, lines):
            assert time.monotonic() - begun < 30
            assert any("killed start left behind" in line for line in lines)
            assert all(gone(pid, 2) for pid in first.values())
            assert Postgres(bank.profile).pid() == server, "the database is taken over, not restarted"
    assert Postgres(bank.profile).pid() is None


def test_one_demo_at_a_time_and_a_taken_port_is_said(bank):
    with demo(bank):
        second = bank.manage("demo", "--port", str(free_port()))
        assert second.returncode == 1
        assert "running already" in second.stderr
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        refused = bank.manage("demo", "--port", str(port))
        assert f"make demo PORT={port + 1}" in refused.stderr


def test_the_demo_says_who_can_sign_in(bank, tmp_path):
    from crm.management.commands.demo import welcome

    accounts = [{"username": "m0001", "password": "drawn-at-random", "what": "relationship manager"}]
    text = welcome("http://127.0.0.1:8000/", accounts)
    assert "m0001" in text
    assert "drawn-at-random" in text
    assert "relationship manager" in text


def test_only_the_demo_command_asks_for_plain_http_cookies():
    where = [
        str(path.relative_to(REPOSITORY))
        for path in (REPOSITORY / "crm").rglob("*.py")
        if "CRM_DEMO" in path.read_text()
    ]
    assert sorted(where) == ["crm/management/commands/demo.py", "crm/settings.py"]
    for name in ("Dockerfile", "docker-compose.yml", ".ci/run"):
        assert "CRM_DEMO" not in (REPOSITORY / name).read_text()
    assert "CRM_DEMO" not in os.environ
