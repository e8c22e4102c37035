"""What goes into the trail, what is refused, and that nobody can change it afterwards."""

import datetime
from decimal import Decimal

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.utils import ProgrammingError

from crm.core import audit
from crm.core.models import AuditEntry, AuditSeal, Staff
from crm.core.privacy.logs import request_id
from tests.core.somebody import somebody

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann(db):
    return somebody("ann")


def test_an_entry_says_who_did_what_to_which_object_and_when(ann):
    mark = request_id.set("r1")
    try:
        number = audit.record(
            ann,
            "customers.assign",
            ("customers.customer", 7),
            customer_id=7,
            payload={"to": 3, "on": datetime.date(2026, 11, 24)},
        )
    finally:
        request_id.reset(mark)
    entry = AuditEntry.objects.get(pk=number)
    assert (entry.actor, entry.verb, entry.object_type, entry.object_id) == (
        ann,
        "customers.assign",
        "customers.customer",
        "7",
    )
    assert entry.payload == {"to": 3, "on": "2026-11-24"}
    assert (entry.customer_id, entry.request_id, entry.outcome) == (7, "r1", "ok")
    assert entry.at.tzinfo is not None and entry.txid > 0


def test_a_target_may_be_any_model(ann):
    number = audit.record(None, "staff.invite", ann.staff)
    entry = AuditEntry.objects.get(pk=number)
    assert (entry.object_type, entry.object_id, entry.actor) == ("core.staff", str(ann.staff_id), None)


def test_an_entry_goes_with_its_transaction(ann):
    before = AuditEntry.objects.count()
    with pytest.raises(RuntimeError), transaction.atomic():
        audit.record(ann, "customers.assign")
        raise RuntimeError
    assert AuditEntry.objects.count() == before


def test_a_verb_that_nobody_knows_is_refused(ann):
    with pytest.raises(audit.UnknownVerb):
        audit.record(ann, "customers.abolish")
    with pytest.raises(audit.UnknownVerb):
        audit.record(None, "sign_in")


@pytest.mark.parametrize(
    "payload",
    [
        {"name": "张伟"},
        {"before": {"mobile": "x"}},
        {"contact_phone": "x"},
        {"note": "call 13800138001 today"},
        {"note": "+86 138 0013 8001"},
        {"text": "11010519491231002X"},
        {"rows": [1, {"value": "6222 0212 3456 7890 123"}]},
        {"sent_to": "zhang.wei@example.com"},
        {"number": 13800138001},
        {"text": "a" * 32 + " 13800138001"},
        {"text": "9" * 32},
        {"id_no": "1"},
        {"new_password": "hunter2hunter2"},
    ],
)
def test_what_looks_like_personal_data_is_refused(ann, payload):
    with pytest.raises(audit.PersonalData) as refusal:
        audit.record(ann, "customers.assign", payload=payload)
    assert "1380013" not in str(refusal.value) and "张伟" not in str(refusal.value)


@pytest.mark.parametrize(
    "payload",
    [
        {"right_password": True, "mobile": None},
        {"sha256": "9" * 40 + "a" * 24, "file": "13812345678912345a" + "0" * 14 + ".zip"},
        {"request": "12345678-1234-1234-1234-1234567890ab"},
        {
            "at": datetime.datetime(2026, 11, 24, 1, 2, 3, 4567, tzinfo=datetime.UTC),
            "amount": Decimal("1234567.89"),
        },
        {"masked": "138****8001", "customers": [1, 2, 99_999_999]},
        {"field": "customers.customer.mobile"},
    ],
)
def test_ids_codes_digests_dates_and_masked_values_are_taken(ann, payload):
    assert audit.record(ann, "customers.assign", payload=payload)


def test_documents_and_numbers_json_does_not_know_are_refused(ann):
    with pytest.raises(ValueError, match="not documents"):
        audit.record(ann, "customers.assign", payload={"text": "x" * 9000})
    with pytest.raises(ValueError):
        audit.record(ann, "customers.assign", payload={"rate": float("nan")})
    with pytest.raises(TypeError):
        audit.record(ann, "customers.assign", payload={"who": Staff()})


CHANGES = [
    "update {table} set {column} = {column}",
    "update {table} set {column} = {column} where false",
    "delete from {table}",
    "truncate {table}",
    "truncate {table} cascade",
]


@pytest.mark.parametrize("statement", CHANGES)
@pytest.mark.parametrize(("table", "column"), [("core_auditentry", "verb"), ("core_auditseal", "hash")])
@pytest.mark.parametrize("role", ["crm_app", "owner"])
def test_nobody_changes_or_removes_what_was_recorded(ann, statement, table, column, role):
    audit.record(ann, "customers.assign")
    with connection.cursor() as cursor:
        cursor.execute("set constraints all immediate")  # else TRUNCATE stumbles over pending checks first
        if role == "owner":
            cursor.execute("reset role")
        with (
            pytest.raises((DatabaseError, ProgrammingError), match=r"is refused|permission denied"),
            transaction.atomic(),
        ):
            cursor.execute(statement.format(table=table, column=column))
        cursor.execute("set role crm_app")


def test_grants_and_triggers_refuse_each_on_its_own(ann):
    rights = "select privilege_type from information_schema.role_table_grants where grantee = 'crm_app' and table_name = %s"
    with connection.cursor() as cursor:
        for table in ("core_auditentry", "core_auditseal"):
            cursor.execute(rights, [table])
            assert {row[0] for row in cursor.fetchall()} <= {"SELECT", "INSERT"}, table
        cursor.execute("reset role")
        cursor.execute(
            "select count(*) from pg_trigger where tgrelid = 'core_auditentry'::regclass and tgtype & 32 > 0"
        )
        assert cursor.fetchone()[0] == 1  # TRUNCATE
        cursor.execute("set role crm_app")


@pytest.mark.parametrize("column", ["id", "at", "txid"])
def test_the_app_cannot_say_when_an_entry_was_written_nor_its_number(ann, column):
    values = {"id": "1", "at": "now()", "txid": "'3'"}
    with (
        connection.cursor() as cursor,
        pytest.raises(ProgrammingError, match="permission denied"),
        transaction.atomic(),
    ):
        cursor.execute(
            f"insert into core_auditentry (verb, {column}, object_type, object_id, payload, request_id, outcome)"
            f" values ('home.view', {values[column]}, '', '', '{{}}', '', 'ok')"
        )


def test_the_owner_does_not_date_an_entry_back_either(ann):
    with connection.cursor() as cursor:
        cursor.execute("reset role")
        cursor.execute(
            "insert into core_auditentry (at, txid, verb, object_type, object_id, payload, request_id, outcome)"
            " values ('2020-01-01', '3', 'home.view', '', '', '{}', '', 'ok') returning at > '2026-01-01', txid::text <> '3'"
        )
        assert cursor.fetchone() == (True, True)
        cursor.execute("set role crm_app")


def test_a_denial_is_recorded_with_the_page_that_refuses(ann, client, settings):
    client.force_login(somebody("tess"))
    response = client.get("/audit/")
    assert response.status_code == 403
    entry = AuditEntry.objects.latest("id")
    assert (entry.actor.username, entry.verb, entry.outcome) == ("tess", "audit.view", "denied")
    assert entry.payload == {"method": "GET", "view": "audit"}


def test_no_seal_is_numbered_below_one(db):
    with pytest.raises(DatabaseError), transaction.atomic():
        AuditSeal.objects.create(
            seq=0, entry_id=1, below=1, hash=b"x" * 32, sealed_at=datetime.datetime.now(datetime.UTC)
        )
