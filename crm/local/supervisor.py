"""Several processes in one terminal: prefixed output, one Ctrl-C for all, and no child left behind.

Each child leads a session of its own, so Ctrl-C reaches the supervisor alone and the children are ended in
order. Who they are is written down with start time and command line: a supervisor that is killed leaves its
children, and the next one ends exactly those.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from crm.local.processes import command_line

PATIENCE = 12  # seconds from the polite signal to SIGKILL
QUICK_DEATHS = 3
QUICK = 10.0
COLOURS = (36, 33, 35, 32)


@dataclass
class Child:
    """``end_order``: who feeds the others ends first (beat 0, web 1, worker 2)."""

    name: str
    command: list[str]
    environment: dict[str, str]
    end_order: int = 0
    process: subprocess.Popen | None = None
    begun: float = 0.0
    quick_deaths: int = field(default=0)


class Supervisor:
    """Runs children until it is told to stop or one of them cannot live.

    ``ready`` is asked repeatedly in the background and ``on_ready`` called once it says yes.
    """

    def __init__(self, children: list[Child], record: Path, folder: Path) -> None:
        self.children, self.record, self.folder = children, record, folder
        self._stop = threading.Event()
        self._output = threading.Lock()
        self._width = max(len(child.name) for child in children)

    def run(self, ready: Callable[[], bool], on_ready: Callable[[], None]) -> int:
        """Return the exit code: 0 after a signal, 1 when a child died again and again."""
        end_recorded(self.record)
        before = {
            number: signal.signal(number, self._on_signal) for number in (signal.SIGINT, signal.SIGTERM)
        }
        with contextlib.suppress(ValueError, AttributeError):
            before[signal.SIGHUP] = signal.signal(signal.SIGHUP, self._on_signal)  # the terminal was closed
        try:
            for child in self.children:
                self._begin(child)
            threading.Thread(target=self._await, args=(ready, on_ready), daemon=True).start()
            return self._watch()
        finally:
            self._end_all()
            for number, handler in before.items():
                signal.signal(number, handler)

    def _on_signal(self, _number, _frame) -> None:
        self._stop.set()

    def _begin(self, child: Child) -> None:
        child.process = subprocess.Popen(
            child.command,
            env=child.environment,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        child.begun = time.monotonic()
        self._write_record()
        threading.Thread(target=self._copy_output, args=(child,), daemon=True).start()

    def _copy_output(self, child: Child) -> None:
        for line in child.process.stdout:
            self.say(child.name, line.decode(errors="replace").rstrip("\n"))

    def say(self, name: str, text: str) -> None:
        """Print one whole line under the name of a child."""
        place = next((n for n, child in enumerate(self.children) if child.name == name), 0)
        label = f"{name:<{self._width}} │"
        if sys.stdout.isatty():
            label = f"\033[{COLOURS[place % len(COLOURS)]}m{label}\033[0m"
        with (
            self._output,
            contextlib.suppress(OSError),
        ):  # a closed terminal must not keep us from ending children
            print(f"{label} {text}", flush=True)

    def _watch(self) -> int:
        while not self._stop.wait(0.3):
            for child in self.children:
                code = child.process.poll()
                if code is None:
                    continue
                end_group(child.process.pid)
                quick = time.monotonic() - child.begun < QUICK
                child.quick_deaths = child.quick_deaths + 1 if quick else 1
                if child.quick_deaths >= QUICK_DEATHS:
                    self.say(child.name, f"ended again (exit {code}); giving up")
                    return 1
                self.say(child.name, f"ended (exit {code}); starting it again")
                self._begin(child)
        return 0

    def _await(self, ready: Callable[[], bool], on_ready: Callable[[], None]) -> None:
        while not self._stop.wait(0.3):
            if ready():
                on_ready()
                return

    def _end_all(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):  # a second Ctrl-C must not interrupt the clearing up
            signal.signal(number, signal.SIG_IGN)
        alive = [child for child in self.children if child.process and child.process.poll() is None]
        for child in sorted(alive, key=lambda child: child.end_order):
            child.process.terminate()
        until = time.monotonic() + PATIENCE
        for child in alive:
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.process.wait(max(0.1, until - time.monotonic()))
        for child in self.children:
            if child.process:
                end_group(child.process.pid)
                child.process.wait()
        self.record.unlink(missing_ok=True)

    def _write_record(self) -> None:
        alive = [
            {"name": c.name, "pid": c.process.pid, "begun": start_time(c.process.pid), "command": c.command}
            for c in self.children
            if c.process
        ]
        draft = self.record.with_suffix(".new")
        draft.write_text(json.dumps(alive, indent=1))
        os.replace(draft, self.record)


def end_recorded(record: Path) -> list[str]:
    """End what a killed supervisor left; return the names. A pid that is somebody else's by now is spared."""
    try:
        entries = json.loads(record.read_text())
    except (OSError, ValueError):
        return []
    ended = []
    for entry in entries:
        leader_is_ours = (
            command_line(entry["pid"]) == entry["command"] and start_time(entry["pid"]) == entry["begun"]
        )
        # The leader may be dead and its workers alive. While one of them lives, the kernel gives the number
        # of their session to nobody else; they are ours unless somebody leads one of that number.
        orphans = not lives(entry["pid"]) and session_members(entry["pid"])
        if leader_is_ours:
            os.kill(entry["pid"], signal.SIGTERM)
            until = time.monotonic() + PATIENCE
            while command_line(entry["pid"]) == entry["command"] and time.monotonic() < until:
                time.sleep(0.05)
        if leader_is_ours or orphans:
            end_group(entry["pid"])
            ended.append(entry["name"])
    record.unlink(missing_ok=True)
    return ended


def end_group(leader: int) -> None:
    """Kill every process that is still in the session ``leader`` led."""
    for pid in session_members(leader):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)


def session_members(leader: int) -> list[int]:
    found = []
    for folder in Path("/proc").iterdir():
        fields = _stat(int(folder.name)) if folder.name.isdigit() else []
        if fields and fields[3] == str(leader) and fields[0] != "Z":
            found.append(int(folder.name))
    return found


def lives(pid: int) -> bool:
    """Say whether a process is there; one that ended and was not collected yet is not."""
    fields = _stat(pid)
    return bool(fields) and fields[0] != "Z"


def start_time(pid: int) -> str:
    """Return the clock ticks since boot at which a process started; empty when it is gone."""
    fields = _stat(pid)
    return fields[19] if fields else ""


def _stat(pid: int) -> list[str]:
    """Return the fields of /proc/<pid>/stat from the state on (the name before may contain anything)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
