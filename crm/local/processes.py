"""What outlives their starter: found again by pid *and* command line, ended politely, then firmly."""

import os
import signal
import socket
import subprocess
import time
from pathlib import Path

from crm.local.folder import service_environment, service_user

LOG_LIMIT = 10_000_000


def command_line(pid: int) -> list[str]:
    """Return the command line of a live process; [] for one that is gone or a zombie."""
    try:
        raw = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return []
    return [part.decode(errors="replace") for part in raw.split(b"\0")[:-1]]  # an argument may be empty


def is_running(pid: int, program: str, argument: str) -> bool:
    """Say whether ``pid`` is the program we think it is: a pid alone may have been given to a stranger."""
    line = command_line(pid)
    return bool(line) and Path(line[0]).name == program and argument in line


def spawn(command: list[str], log: Path, pass_fds: tuple[int, ...] = ()) -> subprocess.Popen:
    """Start a service in a session of its own: Ctrl-C in our terminal must not reach it first."""
    if log.exists() and log.stat().st_size > LOG_LIMIT:
        log.replace(log.with_suffix(".log.1"))
    with os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as output:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            cwd="/",
            env=service_environment(),
            umask=0o077,
            pass_fds=pass_fds,
            **service_user(),
        )


def end(pid: int, polite: signal.Signals, seconds: float, still_ours) -> None:
    """Signal a process until it is gone; SIGKILL after ``seconds``. ``still_ours()`` guards every signal."""
    for number, patience in ((polite, seconds), (signal.SIGKILL, 10.0)):
        if not still_ours():
            return
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return
        until = time.monotonic() + patience
        while time.monotonic() < until:
            _reap(pid)
            if not still_ours():
                return
            time.sleep(0.02)
    raise RuntimeError(f"Process {pid} does not end.")


def _reap(pid: int) -> None:
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return  # started by another process, which is gone


def free_port() -> int:
    """Return a port of the loopback that nobody uses at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def tail(log: Path, lines: int = 12) -> str:
    if not log.exists():
        return ""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
