"""Fault points: named places where a test lets the process die, stop, fail or sleep.

``FAULT=name:n:action`` in the environment acts at the n-th time the point is reached (``*`` matches every name, so an
exhaustive drill walks n = 1, 2, 3 … until nothing happens any more). Without it a point costs one comparison.
"""

import os
import signal
import time
from collections import Counter

reached: Counter[str] = Counter()


class Fault(RuntimeError):
    """Raised by the action ``raise``."""


def point(name: str) -> None:
    """Mark a place; act when ``FAULT`` says so. Actions: exit, raise, stop (SIGSTOP), sleep (2 s)."""
    order = os.environ.get("FAULT")
    if not order:
        return
    wanted, nth, action = order.split(":")
    reached[name] += 1
    reached["*"] += 1
    if wanted not in (name, "*") or reached[wanted] != int(nth):
        return
    if action == "exit":
        os._exit(137)  # nothing is flushed, nothing rolled back by us: as good as kill -9
    if action == "raise":
        raise Fault(f"{name} at {nth}")
    if action == "stop":
        os.kill(os.getpid(), signal.SIGSTOP)
    if action == "sleep":
        time.sleep(2)
