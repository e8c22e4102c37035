"""The house rules a machine can hold: what every model, statement and view owes the reader."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.apps import apps
from django.db import models

from crm.core import sqlrun
from crm.core.scope import ScopedManager

ROOT = Path(__file__).resolve().parent.parent
APPS = ["crm", "customers", "segmentation", "complaints", "marketing"]
STATEMENTS = sorted(path for app in APPS for path in (ROOT / app).rglob("*.sql"))


def owned_models() -> list[type[models.Model]]:
    """Models that reach a customer: themselves, or by a field named ``customer`` or ``account``."""
    ours = [model for app in APPS for model in apps.get_models() if model.__module__.split(".")[0] == app]
    return [
        model
        for model in ours
        if model.__name__ == "Customer"
        or {"customer", "account"} & {field.name for field in model._meta.fields}
    ]


def test_there_are_customer_owned_models_to_look_at():
    assert len(owned_models()) > 12


@pytest.mark.parametrize("model", owned_models(), ids=lambda model: model.__name__)
def test_every_customer_owned_model_is_scoped(model):
    scoped = model._meta.managers_map.get("objects")
    assert isinstance(scoped, ScopedManager), f"{model.__name__}.objects must be a ScopedManager"
    assert not isinstance(model._meta.default_manager, ScopedManager), (
        "the first manager is `rows`: Django uses it itself"
    )


@pytest.mark.parametrize("model", owned_models(), ids=lambda model: model.__name__)
def test_every_customer_owned_row_carries_its_customers_key(model):
    names = {field.name for field in model._meta.fields}
    assert model.__name__ == "Customer" or "customer" in names, "the bank must be able to outgrow one machine"


WRITE = re.compile(
    r"\b(?:insert\s+into|update|delete\s+from|truncate(?:\s+table)?)\s+(?:only\s+)?([a-z_][a-z0-9_]*)", re.I
)
READ = re.compile(r"\b(?:from|join|using)\s+(?:only\s+)?(?:lateral\s+)?([a-z_][a-z0-9_]*)", re.I)


def without_comments(text: str) -> str:
    return re.sub(r"--[^\n]*", "", text)


def tables_of(text: str) -> tuple[set[str], set[str]]:
    """Return (reads, writes): tables and as-of functions of ours that the body names."""
    body = without_comments(text).replace("do update set", "")
    ours = re.compile(r"^(core|customers|segmentation|complaints|marketing|stage|temp)_")
    writes = {name for name in WRITE.findall(body) if ours.match(name)}
    reads = {name for name in READ.findall(body) if ours.match(name)}
    # "delete from x" reads nothing but x itself, which it writes.
    return reads, writes


@pytest.mark.parametrize("path", STATEMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_sql_header_is_true(path):
    statement = sqlrun.load(path)
    reads, writes = tables_of(statement.text)
    assert set(statement.params) == sqlrun.placeholders(without_comments(statement.text))
    assert set(statement.writes) == writes, "writes"
    assert set(statement.reads) - writes == reads - writes, "reads"
    assert without_comments(statement.text).strip().rstrip(";").count(";") == 0, "one statement a file"


@pytest.mark.parametrize("path", STATEMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_statement_writes_only_its_own_rooms_tables(path):
    app = path.relative_to(ROOT).parts[0]
    for table in sqlrun.load(path).writes:
        assert table.split("_")[0] in (app, "stage", "temp"), f"{path.name} writes {table}"


def test_screens_read_customer_data_only_through_scope():
    files = [
        path
        for app in APPS
        for path in (ROOT / app).rglob("*.py")
        if path.name in ("views.py", "reads.py", "api.py", "home.py") or "views" in path.parts
    ]
    assert files
    for path in files:
        for number, line in enumerate(path.read_text().splitlines(), 1):
            assert ".rows." not in line, (
                f"{path.relative_to(ROOT)}:{number} reads past the scope: {line.strip()}"
            )


def test_nobody_but_the_clock_asks_the_time():
    asking = re.compile(r"timezone\.now\(|datetime\.now\(|date\.today\(|utcnow\(|localdate\(")
    for app in APPS:
        for path in (ROOT / app).rglob("*.py"):
            if path.name == "clock.py" or "migrations" in path.parts:
                continue
            for number, line in enumerate(path.read_text().splitlines(), 1):
                assert not asking.search(line), f"{path.relative_to(ROOT)}:{number} {line.strip()}"


def test_a_migration_is_never_missing(db):
    from django.core.management import call_command

    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_imports_point_down():
    """The floors of the house, as pyproject.toml draws them."""
    judged = subprocess.run(
        [Path(sys.executable).with_name("lint-imports")], cwd=ROOT, capture_output=True, text=True
    )
    assert judged.returncode == 0, judged.stdout
