"""Who uses a service: shared file locks, so that the last one out stops it and nobody stops it under another.

The kernel drops the locks of a process that dies, however it dies; no count can go wrong.
"""

import atexit
import contextlib
import fcntl
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path


class ServiceInUse(RuntimeError):
    """Somebody holds a share in a service that must stand still."""


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the exclusive lock of ``path`` for the block."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


class Holding:
    """This process's share in one service.

    ``running()`` returns the endpoint or None, ``start()`` starts the service and returns it, ``stop()`` ends
    it.
    """

    def __init__(self, folder: Path, name: str, running: Callable, start: Callable, stop: Callable) -> None:
        self.users = folder / f"{name}.users"
        self.starting = folder / f"{name}.starting"
        self._running, self._start, self._stop = running, start, stop
        self._descriptor: int | None = None
        self._owner = 0
        self._guard = threading.RLock()

    def acquire(self):
        """Return the endpoint of the service; start it where none runs (or where it died under us)."""
        with self._guard:
            if self._descriptor is not None and (endpoint := self._running()):
                return endpoint
            with locked(self.starting):
                if self._descriptor is None:
                    self._take_share()
                return self._running() or self._start()

    def release(self) -> None:
        """Give the share back; stop the service when nobody else has one. Does nothing in a forked child."""
        with self._guard:
            if self._descriptor is None or self._owner != os.getpid():
                return
            # Closed first, not converted: a forked child shares this lock and keeps the service with it.
            os.close(self._descriptor)
            self._descriptor = None
            with locked(self.starting):
                if self._unused():
                    self._stop()

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the service's start for the block, while nobody uses it. Raises ServiceInUse."""
        with self._guard, locked(self.starting):
            if not self._unused():
                raise ServiceInUse("Somebody uses the database: stop the demo and other commands first.")
            yield

    def _take_share(self) -> None:
        self._descriptor = os.open(self.users, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(self._descriptor, fcntl.LOCK_SH)
        self._owner = os.getpid()
        atexit.register(self.release)
        leave_on_sigterm()

    def _unused(self) -> bool:
        descriptor = os.open(self.users, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        else:
            return True
        finally:
            os.close(descriptor)


def leave_on_sigterm() -> None:
    """Turn an unhandled SIGTERM into a normal exit, so that the share is given back."""
    if threading.current_thread() is not threading.main_thread():
        return
    if signal.getsignal(signal.SIGTERM) == signal.SIG_DFL:
        signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
