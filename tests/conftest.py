"""The suite runs on a real PostgreSQL with the app's own role, in databases of its own.

Every worker makes its test database once and loads the small bank into it (``tests/bank.py``, where it
exists). Tests roll back; a test that needs real commits clones the database with ``bank_copy``.
"""

import contextlib
import fcntl
import importlib.util
import itertools
import os
import shutil
import tempfile
from dataclasses import dataclass
from urllib.parse import quote

import pytest

# Also for the commands that tests start as processes of their own.
os.environ.setdefault("CRM_PROFILE", "test")
# Databases of tests come and go under the same names: what an earlier run has seen of them is no anchor for this one.
_anchors = tempfile.mkdtemp(prefix="crm-anchors-")
os.environ["CRM_AUDIT_ANCHOR_DIR"] = os.path.join(_anchors, "anchors")
os.environ["CRM_AUDIT_ANCHOR_DIR_2"] = os.path.join(_anchors, "reports")
os.environ["CRM_WORKLOAD"] = "batch"  # a busy machine must not fail a test by the 5 s of a screen

_numbers = itertools.count(1)
_LOCK = pytest.StashKey()


def pytest_configure(config):
    from django.conf import settings

    settings.DATABASES["default"]["CRM"]["workload"] = "batch"
    settings.AUDIT_ANCHOR_DIR = os.environ["CRM_AUDIT_ANCHOR_DIR"]
    settings.AUDIT_ANCHOR_DIR_2 = os.environ["CRM_AUDIT_ANCHOR_DIR_2"]
    config.add_cleanup(lambda: shutil.rmtree(_anchors, ignore_errors=True))
    settings.SECURE_SSL_REDIRECT = False  # the test client speaks http
    # The server of the browser tests answers 404 for hashed names.
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    if hasattr(config, "workerinput") or config.option.collectonly or config.option.help:
        return
    config.stash[_LOCK] = _only_run_of_this_name(settings)
    if settings.DATABASES["default"]["CRM"]["profile"]:
        from crm.local import postgres

        postgres(settings.PROFILE).hold()  # the controller leaves last and stops it


def _only_run_of_this_name(settings):
    """Return the locked file of this run: a second run under the same name would drop the databases of the first."""
    from crm.local.folder import data_folder

    name = settings.DATABASES["default"]["TEST"]["NAME"]
    lock = (data_folder("test") / f"{name}.lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise pytest.UsageError(
            f"Another run of the suite uses the databases {name}…: wait for it, or set CRM_TEST_NAME."
        ) from None
    return lock


def pytest_collection_modifyitems(items):
    for item in items:
        mark = item.get_closest_marker("django_db")
        if "transactional_db" in item.fixturenames or (mark and mark.kwargs.get("transaction")):
            raise pytest.UsageError(
                f"{item.nodeid}: flushing would empty the audit, which the database refuses. Use `bank_copy`."
            )


def load_small_bank() -> None:
    """Load the named people and rows of ``tests/bank.py`` into the test database of this worker, once."""
    if importlib.util.find_spec("tests.bank") is None:
        return
    from tests.bank import load

    load()


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment, django_db_modify_db_settings, django_db_blocker):
    """Ours instead of the plugin's, which makes no database when only ``bank_copy`` asks for one."""
    from django.test.utils import setup_databases, teardown_databases

    with django_db_blocker.unblock():
        made = setup_databases(verbosity=0, interactive=False, serialized_aliases=())
        load_small_bank()
    yield
    with django_db_blocker.unblock():
        teardown_databases(made, verbosity=0)


@dataclass(frozen=True)
class BankCopy:
    """A database of its own: ``url`` and ``environment`` for processes, ``connected()`` for this one."""

    name: str
    url: str
    blocker: object

    @property
    def environment(self) -> dict[str, str]:
        """The environment of a command that works on the copy."""
        return {**os.environ, "DATABASE_URL": self.url}

    @contextlib.contextmanager
    def connected(self):
        """Point Django's default connection to the copy; commits are real. Yields the connection."""
        from django.db import connection, connections

        connections.close_all()
        before = connection.settings_dict["NAME"]
        with self.blocker.unblock():
            connection.settings_dict["NAME"] = self.name
            try:
                yield connection
            finally:
                connections.close_all()
                connection.settings_dict["NAME"] = before


@pytest.fixture
def bank_copy(django_db_setup, django_db_blocker, request):
    """A clone of this worker's test database, dropped afterwards. Not together with ``db``."""
    if "db" in request.fixturenames or request.node.get_closest_marker("django_db"):
        pytest.fail("bank_copy cannot clone while the test's own transaction is open: drop django_db.")
    with _cloned(django_db_blocker) as copy:
        yield copy


@contextlib.contextmanager
def _cloned(blocker):
    from django.db import connection, connections

    connections.close_all()
    source = connection.settings_dict["NAME"]
    name = f"{source}_c{os.getpid()}_{next(_numbers)}"[:63]
    with blocker.unblock():
        with connection._nodb_cursor() as cursor:
            _clone(cursor, source, name)
    at = connection.settings_dict
    login = f"{quote(at['USER'])}:{quote(at['PASSWORD'])}"
    try:
        yield BankCopy(name, f"postgresql://{login}@{at['HOST']}:{at['PORT']}/{name}", blocker)
    finally:
        connections.close_all()
        with blocker.unblock(), connection._nodb_cursor() as cursor:
            cursor.execute(f'drop database if exists "{name}" with (force)')


def _clone(cursor, source: str, name: str) -> None:
    from django.db import OperationalError

    for attempt in range(5):
        # The database is this worker's own: a session that is still on it was left by a thread or a browser's loop,
        # and PostgreSQL copies only what nobody looks at (it waits five seconds for them to go, each time).
        cursor.execute(
            "select pg_terminate_backend(pid, 5000) from pg_stat_activity"
            " where datname = %s and pid <> pg_backend_pid()",
            [source],
        )
        try:
            cursor.execute(f'create database "{name}" template "{source}"')
            return
        except OperationalError:
            if attempt == 4:
                raise


class Bank:
    """The small bank's people by user name (``bank.ann``) and its customers by number (``bank.customer("C001")``)."""

    def __getattr__(self, username: str):
        from crm.core.models import User

        return User.objects.get(username=username)

    def customer(self, customer_no: str):
        from customers.models import Customer

        return Customer.rows.get(customer_no=customer_no)

    def account(self, account_no: str):
        from customers.models import Account

        return Account.rows.get(account_no=account_no)


@pytest.fixture
def bank(db) -> Bank:
    return Bank()
