"""Celery: a doorbell and a clock. No state in the broker, no result kept; what is to be done stands in PostgreSQL."""

import os

from celery import Celery
from celery.schedules import crontab
from celery.signals import worker_process_init
from kombu import Queue

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm.settings")
os.environ.setdefault("CRM_WORKLOAD", "batch")

MINUTE = 60

app = Celery("crm")


def broker_url() -> str:
    """Return REDIS_URL, else where this installation's own Valkey runs (started by the demo), else nothing."""
    if url := os.environ.get("REDIS_URL"):
        return url
    from django.conf import settings

    from crm.local.valkey import valkey

    running = valkey(settings.PROFILE).running()
    return running.url() if running else "memory://"


app.conf.update(
    broker_url=broker_url(),
    result_backend=None,
    task_ignore_result=True,
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
    task_soft_time_limit=4 * MINUTE,
    task_time_limit=5 * MINUTE,
    # Four times the hard limit: a slow task is not handed to a second worker while the first is at it.
    broker_transport_options={
        "visibility_timeout": 4 * 5 * MINUTE,
        "socket_timeout": 5,
        "socket_connect_timeout": 2,
    },
    broker_connection_retry_on_startup=True,
    broker_connection_timeout=2,
    task_publish_retry=False,
    task_queues=[Queue("crm")],
    task_default_queue="crm",
    task_serializer="json",
    accept_content=["json"],
    worker_hijack_root_logger=False,
    worker_send_task_events=False,
    timezone="UTC",
    beat_schedule={
        # Beat only pokes. What is due is computed from the tables, so two beats or a missed one change nothing.
        "seal the audit": {"task": "core.seal_audit", "schedule": 2, "options": {"expires": 2}},
        "send what leaves": {"task": "core.drain_outbox", "schedule": 10, "options": {"expires": 10}},
        "look for abandoned work": {"task": "core.sweep", "schedule": MINUTE, "options": {"expires": MINUTE}},
        "end forgotten sessions": {
            "task": "core.sweep_sessions",
            "schedule": 5 * MINUTE,
            "options": {"expires": MINUTE},
        },
        "look into the inbox": {"task": "customers.watch_inbox", "schedule": 30, "options": {"expires": 30}},
        "see which nights are due": {
            "task": "segmentation.dispatch",
            "schedule": MINUTE,
            "options": {"expires": MINUTE},
        },
        "anchor the audit": {
            "task": "core.anchor_audit",
            "schedule": 60 * MINUTE,
            "options": {"expires": 60 * MINUTE},
        },
        # Five in the morning in Shanghai, when the night is done.
        "check what must hold": {"task": "core.watch_invariants", "schedule": crontab(hour=21, minute=0)},
    },
)
app.autodiscover_tasks(["crm.core", "customers", "segmentation"])


@worker_process_init.connect
def _own_connections(**kwargs) -> None:
    """A forked worker must not share its parent's sockets."""
    from django.db import connections

    for connection in connections.all():
        connection.inc_thread_sharing()
        connection.connection = None
