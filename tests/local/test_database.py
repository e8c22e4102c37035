"""Every connection acts as the app role; only migrations act as the owner; time limits by workload."""

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import ProgrammingError, connection, transaction
from django.db.transaction import TransactionManagementError

from crm.database.base import as_owner
from crm.database.url import database_from_environment, parse


def asked(question: str):
    with connection.cursor() as cursor:
        cursor.execute(question)
        return cursor.fetchone()[0]


def refused(statement: str) -> bool:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    except ProgrammingError as error:
        return "permission denied" in str(error) or "must be owner" in str(error)
    return False


@pytest.mark.django_db
def test_a_connection_acts_as_the_app_role_with_limits():
    assert asked("select current_user::text") == "crm_app"
    assert asked("select current_setting('TimeZone')") == "UTC"
    for limit in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"):
        assert asked(f"select setting::int from pg_settings where name = '{limit}'") > 0


@pytest.mark.django_db
@pytest.mark.parametrize(
    "statement",
    [
        "create table mine (n int)",
        "alter table core_run add column mine int",
        "drop table core_run",
        "truncate core_run",
        "create index mine on core_run (kind)",
        "alter table core_run disable trigger all",
        "delete from django_migrations",
        "alter role crm_app superuser",
    ],
)
def test_the_app_role_changes_no_table(statement):
    assert refused(statement)


@pytest.mark.django_db
def test_the_app_role_reads_and_writes_what_migrations_make():
    assert asked("select has_table_privilege('crm_app', 'core_run', 'select, insert, update, delete')")
    assert asked("select has_sequence_privilege('crm_app', 'core_run_id_seq', 'usage')")


def test_only_the_block_of_the_owner_may_change_tables(bank_copy):
    with bank_copy.connected():
        with as_owner():
            assert asked("select current_user::text") != "crm_app"
            with connection.cursor() as cursor:
                cursor.execute("create table made_by_owner (n int)")
        assert asked("select current_user::text") == "crm_app"
        assert asked("select has_table_privilege('made_by_owner', 'insert')")
        call_command("migrate", verbosity=0)  # as the owner, whoever calls it
        assert asked("select current_user::text") == "crm_app"


@pytest.mark.django_db
def test_the_role_does_not_change_inside_a_transaction():
    with pytest.raises(TransactionManagementError), as_owner():
        pass


def test_the_clone_of_the_bank_leaves_the_original_alone(bank_copy, django_db_blocker):
    with bank_copy.connected() as copy, copy.cursor() as cursor:
        cursor.execute("insert into django_session values ('only here', '', now())")
    with django_db_blocker.unblock():
        assert asked("select count(*) from django_session where session_key = 'only here'") == 0
        connection.close()


def test_a_url_is_split_with_its_escapes_and_options():
    assert parse("postgresql://ann:p%40ss@db.bank:5433/crm?sslmode=verify-full", "DATABASE_URL") == {
        "NAME": "crm",
        "USER": "ann",
        "PASSWORD": "p@ss",
        "HOST": "db.bank",
        "PORT": "5433",
        "OPTIONS": {"sslmode": "verify-full"},
    }
    assert parse("postgresql:///crm?host=/run/postgresql", "DATABASE_URL")["HOST"] == "/run/postgresql"
    with pytest.raises(ImproperlyConfigured, match="postgresql://"):
        parse("mysql://x/y", "DATABASE_URL")


def test_the_environment_decides_between_a_server_and_the_embedded_one(monkeypatch):
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("CRM_DATABASE_NAME", "other")
    embedded = database_from_environment(profile="run", workload="web")
    assert embedded["NAME"] == embedded["CRM"]["create"] == "other"
    monkeypatch.setenv("DATABASE_URL", "postgresql://app@db/crm")
    monkeypatch.setenv("DATABASE_OWNER_URL", "postgresql://owner@db/crm")
    server = database_from_environment(profile="run", workload="batch")
    assert server["CRM"]["profile"] is None
    assert server["CRM"]["owner"]["USER"] == "owner"
    with pytest.raises(ImproperlyConfigured, match="web or batch"):
        database_from_environment(profile="run", workload="other")
