"""Tasks of the customer information file. Each takes ids or nothing, calls one function, and may run twice."""

from celery import shared_task

from crm.core import clock
from customers.feeds import inbox, uploads  # noqa: F401  (uploads registers the handler of uploaded batches)


@shared_task(name="customers.watch_inbox")
def watch_inbox() -> None:
    """Load what lies in the inbox. Safe to run twice: one loader at a time, and a loaded batch changes nothing."""
    inbox.look(clock.now())
