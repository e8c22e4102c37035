"""``manage.py demo_bank`` from nothing to a published night, and again."""

import contextlib
import datetime
import json
import os
import subprocess
import sys

import pytest
from django.conf import settings

from crm.management.commands.demo_bank import past_nights

MANAGE = [sys.executable, str(settings.BASE_DIR / "manage.py")]
ARGUMENTS = ["demo_bank", "--customers", "420", "--months", "2", "--seed", "6", "--json"]


def run(environment, *arguments):
    done = subprocess.run(
        [*MANAGE, *arguments], env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done


@pytest.fixture
def empty_bank(django_db_setup, django_db_blocker, tmp_path):
    """The environment of commands on a database of their own with tables and nothing in them."""
    from urllib.parse import quote

    from django.db import connection

    at = connection.settings_dict
    name = f"{at['NAME']}_demo"[:63]
    url = f"postgresql://{quote(at['USER'])}:{quote(at['PASSWORD'])}@{at['HOST']}:{at['PORT']}/{name}"
    with django_db_blocker.unblock(), connection._nodb_cursor() as cursor:
        cursor.execute(f'drop database if exists "{name}" with (force)')
        cursor.execute(f'create database "{name}"')
    environment = {**os.environ, "DATABASE_URL": url, "CRM_DATA_DIR": str(tmp_path / "files")}
    try:
        run(environment, "migrate", "--verbosity", "0")
        yield environment
    finally:
        with django_db_blocker.unblock(), connection._nodb_cursor() as cursor, contextlib.suppress(Exception):
            cursor.execute(f'drop database if exists "{name}" with (force)')


@pytest.mark.slow
def test_it_builds_loads_opens_accounts_and_publishes_a_night_and_a_second_time_changes_nothing(
    empty_bank, tmp_path
):
    done = run(empty_bank, *ARGUMENTS)
    answer = json.loads(done.stdout)
    assert [batch["outcome"] for batch in answer["load"]] == ["loaded"] * 6
    assert sum(batch["rows_rejected"] for batch in answer["load"]) == 0
    assert sum(batch["breaks"] for batch in answer["load"]) == len(answer["planted_breaks"]) == 3
    assert answer["night"]["published"] is True
    last = datetime.date.fromisoformat(answer["as_of"])
    told = [line.split()[-1] for line in done.stderr.splitlines() if line.startswith("Running the night of")]
    assert told == [day.isoformat() for day in [*past_nights(last, 2, 13), last]]
    assert len(told) >= 5
    assert answer["night"]["as_of"] == answer["as_of"] == answer["batches"][-1]
    assert len(answer["accounts"]) == 10
    passwords = [row["password"] for row in json.loads((tmp_path / "files/demo-accounts.json").read_text())]
    assert not [password for password in passwords if password in done.stdout + done.stderr]

    figures = json.loads(run(empty_bank, "control_figures", "--as-of", answer["as_of"], "--json").stdout)
    assert figures["customers"] == 420
    assert (
        sum(money["transactions"] for money in figures["currencies"].values())
        == answer["rows"]["transactions.csv"]
    )
    assert sum(m["account_days_that_do_not_reconcile"] for m in figures["currencies"].values()) == 3

    again = json.loads(run(empty_bank, *ARGUMENTS).stdout)
    assert [batch["outcome"] for batch in again["load"]] == ["unchanged"] * 6
    assert (
        json.loads(run(empty_bank, "control_figures", "--as-of", answer["as_of"], "--json").stdout) == figures
    )


def test_writing_the_feed_alone_needs_no_database(tmp_path):
    environment = {**os.environ, "DATABASE_URL": "postgresql://nobody@127.0.0.1:9/nothing"}
    out = tmp_path / "feed"
    arguments = [
        "demo_bank",
        "--customers",
        "30",
        "--months",
        "1",
        "--as-of",
        "2026-11-23",
        "--out",
        str(out),
        "--json",
    ]
    answer = json.loads(run(environment, *arguments).stdout)
    assert answer["rows"]["customers.csv"] >= 30
    assert (out / "2026-11-23" / "manifest.json").exists()
    assert (out / "truth.csv").exists()
    refused = subprocess.run(
        [*MANAGE, *arguments], env=environment, capture_output=True, text=True, check=False
    )
    assert refused.returncode != 0
    assert "is not empty" in refused.stderr
