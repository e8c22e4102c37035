"""The database the environment names, as Django's settings; none named means the embedded one."""

import os
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

MINUTE = 60_000
# Milliseconds. A person waits at most 5 s for a statement; unattended work may take half an hour.
LIMITS = {
    "web": {
        "statement_timeout": 5_000,
        "lock_timeout": 3_000,
        "idle_in_transaction_session_timeout": MINUTE,
    },
    "batch": {
        "statement_timeout": 30 * MINUTE,
        "lock_timeout": 30_000,
        "idle_in_transaction_session_timeout": 10 * MINUTE,
        # The night sorts and hashes the whole bank; a hundred screens at once must not.
        "work_mem": "96MB",
    },
    # Migrations: an index of a large table takes what it takes, but nobody queues behind its lock for long.
    "owner": {
        "statement_timeout": 0,
        "lock_timeout": 10_000,
        "idle_in_transaction_session_timeout": 30 * MINUTE,
    },
}


def parse(url: str, variable: str) -> dict:
    """Split ``postgresql://user:password@host:port/name?option=value`` into Django's keys."""
    parts = urlsplit(url)
    if parts.scheme not in ("postgres", "postgresql"):
        raise ImproperlyConfigured(f"{variable} must begin with postgresql:// (PostgreSQL 15 or newer).")
    options = dict(parse_qsl(parts.query))
    return {
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": options.pop("host", unquote(parts.hostname or "")),
        "PORT": options.pop("port", str(parts.port or "")),
        "OPTIONS": options,
    }


def database_from_environment(profile: str, workload: str) -> dict:
    """Return the ``default`` entry of DATABASES.

    ``workload`` is ``web`` or ``batch`` and sets the time limits. ``DATABASE_URL`` names a server;
    ``DATABASE_OWNER_URL`` a second login that migrations use. Without the first the embedded PostgreSQL of
    ``profile`` is started at the first connection, with the database ``CRM_DATABASE_NAME`` (default ``crm``).
    """
    if workload not in ("web", "batch"):
        raise ImproperlyConfigured(f"CRM_WORKLOAD is web or batch, not {workload!r}.")
    url = os.environ.get("DATABASE_URL")
    owner_url = os.environ.get("DATABASE_OWNER_URL")
    if url:
        place = parse(url, "DATABASE_URL")
    else:
        place = {"NAME": os.environ.get("CRM_DATABASE_NAME", "crm"), "OPTIONS": {}}
    test_name = "_".join(filter(None, ("test_crm", os.environ.get("CRM_TEST_NAME"))))
    return {
        **place,
        "ENGINE": "crm.database",
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "TEST": {"NAME": test_name},
        "CRM": {
            "profile": None if url else profile,  # None: a server of the bank's own
            "workload": workload,
            # The embedded server makes this database when it is missing.
            "create": None if url else place["NAME"],
            "owner": parse(owner_url, "DATABASE_OWNER_URL") if url and owner_url else None,
        },
    }
