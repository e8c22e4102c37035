"""Several processes in one terminal: one Ctrl-C for all, nobody left behind however the supervisor ends."""

import json
import os
import signal
import subprocess
import sys

import pytest

from crm.local.folder import REPOSITORY
from crm.local.processes import is_running
from crm.local.supervisor import end_recorded, session_members, start_time
from tests.local.conftest import gone, lives

# A child with a worker of its own, as gunicorn and celery have.
CHILD = "import os, time; os.fork(); os.write(1, b'up %d\\n' % os.getpid()); time.sleep(600)"
RUN = """
import os, sys
from pathlib import Path
from crm.local.supervisor import Child, Supervisor
children = [Child(name, [sys.executable, "-c", {child!r}, ""], dict(os.environ)) for name in ("web", "worker")]
sys.exit(Supervisor(children, Path({record!r}), Path("/")).run(lambda: False, lambda: None))
"""


@pytest.fixture
def supervised(tmp_path):
    """Return (process, record, pids of children and their workers), all up."""
    record = tmp_path / "demo.json"
    process = _start(record, CHILD)
    pids = [int(process.stdout.readline().split("up ")[1]) for _ in range(4)]
    yield process, record, pids
    process.kill()
    end_recorded(record)


def _start(record, child: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", RUN.format(child=child, record=str(record))],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_every_child_and_its_workers(supervised, number):
    process, record, pids = supervised
    process.send_signal(number)
    assert process.wait(30) == 0
    assert not [pid for pid in pids if lives(pid)]
    assert not record.exists()


def test_the_next_start_ends_what_a_killed_supervisor_left(supervised):
    process, record, pids = supervised
    process.kill()
    process.wait()
    assert all(lives(pid) for pid in pids)
    assert sorted(end_recorded(record)) == ["web", "worker"]
    assert all(gone(pid, 2) for pid in pids)


def test_workers_whose_leader_died_are_found_too(supervised):
    process, record, _pids = supervised
    process.kill()
    process.wait()
    leader = json.loads(record.read_text())[0]["pid"]
    os.kill(leader, signal.SIGKILL)
    assert gone(leader)
    assert session_members(leader)
    end_recorded(record)
    assert all(gone(pid, 2) for pid in session_members(leader))


def test_a_stranger_with_a_recorded_number_is_spared(tmp_path):
    stranger = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True
    )
    record = tmp_path / "demo.json"
    entry = {"name": "web", "pid": stranger.pid, "begun": start_time(stranger.pid), "command": ["gunicorn"]}
    record.write_text(json.dumps([entry]))
    try:
        assert end_recorded(record) == []
        assert lives(stranger.pid)
        assert not is_running(stranger.pid, "postgres", "-c")
    finally:
        stranger.kill()
        stranger.wait()


def test_a_child_that_cannot_live_ends_the_rest_with_exit_1(tmp_path):
    process = _start(tmp_path / "demo.json", "import sys; sys.exit(3)")
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "exit 3" in output
    assert "giving up" in output
