"""One case for every verb that writes: done once with success, it leaves exactly one entry in the audit trail.

Each app registers its own in ``tests/<area>/verb_cases.py``::

    @verb_case("customers.assign")
    def assign():
        actor, customer = ...
        return lambda: assignments.assign(actor=actor, customer=customer, ...)

The function prepares what is needed and returns what does the verb; only what that leaves is counted. It may ask for
pytest fixtures by name.
"""

import importlib
from collections.abc import Callable
from pathlib import Path

VERB_CASES: dict[str, Callable] = {}


def verb_case(verb: str) -> Callable[[Callable], Callable]:
    def register(prepare: Callable) -> Callable:
        if verb in VERB_CASES and VERB_CASES[verb].__module__ != prepare.__module__:
            raise ValueError(f"{verb} has a case already.")
        VERB_CASES[verb] = prepare
        return prepare

    return register


def only_reads(verb: str) -> bool:
    """Whether the verb leaves nothing. Reads of sensitive fields (reveal, downloads) are not among them."""
    return verb.endswith(".view") or ".view_" in verb


def discover() -> None:
    """Import every area's cases."""
    root = Path(__file__).parent
    for path in sorted(root.glob("*/verb_cases.py")):
        importlib.import_module(f"tests.{path.parent.name}.verb_cases")
