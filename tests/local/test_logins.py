"""Logins as banks hand them out: one that owns everything, or two of which the app's owns nothing."""

import pytest

from crm.local.postgres import Postgres

WHO = """
from django.db import connection
with connection.cursor() as cursor:
    cursor.execute("select current_user, session_user, rolsuper from pg_roles where rolname = session_user")
    print(*cursor.fetchone())
    try:
        cursor.execute("create table mine (n int)")
    except Exception as error:
        print(type(error).__name__)
"""


@pytest.fixture(scope="module")
def server():
    """A server with two ordinary logins, of which one owns a database; none of them is a superuser."""
    from tests.local.conftest import scratch_profile

    with scratch_profile() as scratch:
        cluster = Postgres(scratch.profile)
        connection = cluster.connect("postgres")
        with connection.cursor() as cursor:
            cursor.execute("create role bank_owner login createrole password 'one'")
            cursor.execute("create role bank_app login password 'two'")
            for name in ("single", "split"):
                cursor.execute(f"create database {name} owner bank_owner")
        connection.close()
        yield scratch, cluster.hold()
        cluster.release()


def url(at, login: str, password: str, database: str) -> str:
    return f"postgresql://{login}:{password}@{at.host}:{at.port}/{database}"


def said(scratch, *arguments: str, **environment: str) -> list[str]:
    done = scratch.manage(*arguments, "--verbosity=0", **environment)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_one_login_that_owns_the_database_gives_its_rights_away(server):
    scratch, at = server
    environment = {"DATABASE_URL": url(at, "bank_owner", "one", "single")}
    said(scratch, "migrate", **environment)
    who = said(scratch, "shell", "--command", WHO, **environment)
    assert who == ["crm_app", "bank_owner", "False", "ProgrammingError"]


def test_the_login_of_the_app_needs_no_right_of_its_own(server):
    scratch, at = server
    app = {"DATABASE_URL": url(at, "bank_app", "two", "split")}
    said(scratch, "migrate", **app, DATABASE_OWNER_URL=url(at, "bank_owner", "one", "split"))
    who = said(scratch, "shell", "--command", WHO, **app)
    assert who == ["crm_app", "bank_app", "False", "ProgrammingError"]
    refused = scratch.manage("migrate", "core", "zero", **app)
    assert refused.returncode != 0, "without the owner's login nothing can be migrated"
