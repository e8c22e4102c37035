"""PostgreSQL with two roles: every connection acts as ``crm_app``, which can change neither tables nor the
audit; only migrations act as the owner (``as_owner``).

Without ``DATABASE_URL`` the embedded server is found or started at the first connection, never before.
"""

import contextlib
from collections.abc import Iterator

from django.db import connections
from django.db.backends.base.base import NO_DB_ALIAS
from django.db.backends.postgresql import base
from django.db.transaction import TransactionManagementError
from django.db.utils import DEFAULT_DB_ALIAS

from crm.database.url import LIMITS

APP_ROLE = "crm_app"


class DatabaseWrapper(base.DatabaseWrapper):
    """``owner``: whether the next connection is the owner's. ``_nodb_cursor`` (test databases) always is."""

    def __init__(self, settings_dict, alias=DEFAULT_DB_ALIAS):
        super().__init__(settings_dict, alias)
        self.owner = alias == NO_DB_ALIAS

    def get_connection_params(self):
        crm = self.settings_dict["CRM"]
        if crm["profile"]:
            from crm.local import postgres  # not needed on a server

            at = postgres(crm["profile"]).hold()
            self.settings_dict.update(HOST=at.host, PORT=str(at.port), USER=at.user, PASSWORD=at.password)
        params = super().get_connection_params()
        if self.owner and crm["owner"]:
            names = {"user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}
            params |= {name: crm["owner"][key] for name, key in names.items() if crm["owner"][key]}
            params |= crm["owner"]["OPTIONS"]
        limits = LIMITS["owner" if self.owner else crm["workload"]]
        ours = " ".join(f"-c {name}={value}" for name, value in limits.items())
        params["options"] = " ".join(filter(None, (ours, params.get("options"))))
        params.setdefault("application_name", f"crm {crm['workload']}")
        return params

    def get_new_connection(self, conn_params):
        try:
            return super().get_new_connection(conn_params)
        except self.Database.OperationalError:
            crm = self.settings_dict["CRM"]
            # Only the database of the settings: a dropped test database must not come back by itself.
            if not crm["profile"] or self.settings_dict["NAME"] != crm["create"]:
                raise
            from crm.local import postgres

            if not postgres(crm["profile"]).ensure_database(crm["create"]):
                raise
            return super().get_new_connection(conn_params)

    def _configure_role(self, connection):
        if self.owner:
            return False
        with connection.cursor() as cursor:
            # The role is missing only before the first migration; a login that may not take it fails here.
            cursor.execute(
                "select set_config('role', rolname, false) from pg_roles where rolname = %s", [APP_ROLE]
            )
        return True


@contextlib.contextmanager
def as_owner(alias: str = DEFAULT_DB_ALIAS) -> Iterator[None]:
    """Let the block act as the owner, on a connection of its own. Not inside a transaction."""
    connection = connections[alias]
    if connection.owner:
        yield
        return
    if connection.in_atomic_block:
        raise TransactionManagementError("The role cannot change inside a transaction.")
    connection.close()
    connection.owner = True
    try:
        yield
    finally:
        connection.close()
        connection.owner = False
