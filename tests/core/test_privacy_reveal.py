"""Encrypted columns of a model, the one way to see what is in them, and their move to another key."""

import dataclasses
import datetime
import json

import pytest
from django.core.exceptions import FieldError, ObjectDoesNotExist, PermissionDenied, ValidationError
from django.core.management import CommandError, call_command
from django.db import connection
from django.template import Context, Template
from django.urls import reverse

from crm import keys as key_files
from crm.core import clock, invariants
from crm.core.models import Reveal
from crm.core.privacy import classes, crypto, fields, reveal, rotation
from customers.models import Customer, Identity
from tests.core.people import AT, make_user

pytestmark = pytest.mark.django_db
MOBILE = "13812345678"


@pytest.fixture(autouse=True)
def now(monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: AT)


@pytest.fixture
def manager(db):
    return make_user("X900")


@pytest.fixture
def customer(manager):
    return make_customer("X-1", manager.staff)


def make_customer(customer_no, staff, mobile=MOBILE, **facts):
    customer = Customer(
        customer_no=customer_no,
        kind="individual",
        name="张伟",
        branch=staff.branch,
        manager=staff,
        opened_on=datetime.date(2020, 1, 1),
        known_on=datetime.date(2020, 1, 1),
        **facts,
    )
    fields.seal(customer, "mobile", mobile)
    customer.save()
    return Customer.rows.get(pk=customer.pk)


def show(actor, customer, field="mobile", purpose="contact", **more):
    return reveal.reveal(actor=actor, instance=customer, field=field, purpose=purpose, at=AT, **more)


def trail():
    with connection.cursor() as cursor:
        cursor.execute(
            "select actor_id, object_type, object_id, customer_id, payload from core_auditentry"
            " where verb = 'privacy.reveal' order by id"
        )
        return [
            (*row[:4], json.loads(row[4]) if isinstance(row[4], str) else row[4]) for row in cursor.fetchall()
        ]


# --- the columns --------------------------------------------------------------------------------------------------
def test_an_instance_holds_stars_wherever_it_is_printed(customer):
    page = Template("{{ c.mobile }} {{ c.mobile_mask }}").render(Context({"c": customer}))
    printed = [
        str(customer.mobile),
        repr(customer.mobile),
        f"{customer.mobile}",
        page,
        json.dumps(str(customer.__dict__)),
    ]
    assert not [text for text in printed if MOBILE in text or customer.mobile.token in text]
    assert page == "**** 138****5678"


def test_the_database_holds_no_plain_text(customer):
    with connection.cursor() as cursor:
        cursor.execute("select c::text from customers_customer c where id = %s", [customer.pk])
        row = cursor.fetchone()[0]
    assert MOBILE not in row and "a256gcm." in row


def test_plain_text_cannot_be_assigned_by_mistake(customer):
    customer.mobile = MOBILE
    with pytest.raises(ValueError, match="seal") as refused:
        customer.save()
    assert MOBILE not in str(refused.value)
    with pytest.raises(ValueError, match="seal"):
        Customer.rows.filter(pk=customer.pk).update(mobile=MOBILE)


def test_a_full_number_finds_its_customer_and_a_part_finds_nothing(customer):
    print_ = fields.print_of(Customer, "mobile", "+86 138 1234 5678")
    assert Customer.rows.get(mobile_print=print_) == customer
    assert not Customer.rows.filter(mobile_print=fields.print_of(Customer, "mobile", "1381234567")).exists()


@pytest.mark.parametrize(
    "lookup", ["mobile", "mobile__contains", "mobile__gt", "mobile__startswith", "mobile__in"]
)
def test_the_ciphertext_is_no_oracle(lookup):
    with pytest.raises(FieldError, match="encrypted"):
        list(
            Customer.rows.filter(
                **{lookup: ["x"] if lookup.endswith("in") and "start" not in lookup else "x"}
            )
        )
    assert Customer.rows.filter(mobile__isnull=True).count() >= 0


def test_only_what_is_declared_searchable_can_be_searched():
    with pytest.raises(FieldError):
        fields.print_of(Customer, "address", "x")
    with pytest.raises(FieldError):
        fields.print_of(Customer, "name", "x")


def test_a_ciphertext_moved_to_another_customer_is_noticed(customer, manager):
    other = make_customer("X-2", manager.staff, mobile="13900000000")
    with connection.cursor() as cursor:
        cursor.execute(
            "update customers_customer set mobile = %s where id = %s", [customer.mobile.token, other.pk]
        )
    with pytest.raises(crypto.Unreadable):
        show(manager, Customer.rows.get(pk=other.pk))
    assert not Reveal.objects.exists()


def test_every_encrypted_column_is_in_the_table_of_classes():
    assert {"customers.Customer.mobile", "customers.Customer.email", "customers.Customer.address"} <= set(
        classes.encrypted_fields()
    )
    assert {"customers.Identity.number", "customers.Transaction.counterparty_account"} <= set(
        classes.encrypted_fields()
    )
    assert not [label for label in classes.encrypted_fields() if classes.REGISTRY[label].level != "C2"]


def test_a_model_with_a_column_for_a_credential_does_not_start(monkeypatch):
    assert classes.no_c3_columns(None) == []
    monkeypatch.setattr(classes, "_ALLOWED_C3", frozenset())
    assert [error.id for error in classes.no_c3_columns(None)] == ["privacy.E001"]


# --- the verb -----------------------------------------------------------------------------------------------------
def test_a_purpose_shows_one_value_and_leaves_a_trace_without_it(customer, manager):
    assert show(manager, customer, note="asked to call, card 4111111111111111") == MOBILE
    row = Reveal.objects.get()
    assert (row.user, row.field, row.object_key) == (manager, "customers.Customer.mobile", str(customer.pk))
    assert row.expires_at - row.revealed_at == datetime.timedelta(seconds=60)
    assert row.note == "asked to call, card ****1111"
    payload = {"field": "customers.Customer.mobile", "purpose": "contact"}
    assert trail() == [(manager.pk, "customers.customer", str(customer.pk), customer.pk, payload)]


@pytest.mark.parametrize("purpose", ["", "curiosity", "CONTACT"])
def test_without_a_purpose_of_the_list_nothing_is_shown(customer, manager, purpose):
    with pytest.raises(ValidationError):
        show(manager, customer, purpose=purpose)
    assert not Reveal.objects.exists() and not trail()


def test_out_of_scope_and_without_the_right(customer):
    colleague = make_user("X901")
    with pytest.raises(ObjectDoesNotExist):
        show(colleague, customer)
    with pytest.raises(PermissionDenied):
        show(make_user("X902", "administrator"), customer)
    assert not Reveal.objects.exists()


@pytest.mark.parametrize(
    "field", ["name", "customer_no", "id", "no_such_field", "mobile_print", "mobile_mask"]
)
def test_only_encrypted_fields_are_shown_this_way(customer, manager, field):
    with pytest.raises(ObjectDoesNotExist):
        reveal.find(manager, "customers.Customer", field, str(customer.pk))


@pytest.mark.parametrize("label", ["core.User", "customers.RowHistory", "x", ""])
def test_only_models_opened_on_purpose(manager, label):
    with pytest.raises(ObjectDoesNotExist):
        reveal.find(manager, label, "password", "1")


@pytest.mark.parametrize("key", ["abc", "", "9" * 40, "1|2", "-1", "١", "1 or 1=1"])
def test_a_strange_key_is_simply_not_there(manager, key):
    for label, field in (("customers.Customer", "mobile"), ("customers.Transaction", "counterparty_account")):
        with pytest.raises(ObjectDoesNotExist):
            reveal.find(manager, label, field, key)


def test_the_quota_of_a_day_ends_it_and_the_next_day_begins_anew(customer, manager, monkeypatch):
    monkeypatch.setattr(reveal.parameters, "value", lambda name, on: 2)
    show(manager, customer)
    show(manager, customer)
    with pytest.raises(reveal.QuotaUsedUp):
        show(manager, customer)
    assert Reveal.objects.count() == len(trail()) == 2
    tomorrow = AT + datetime.timedelta(days=1)
    assert (
        reveal.reveal(actor=manager, instance=customer, field="mobile", purpose="contact", at=tomorrow)
        == MOBILE
    )


# --- the screen ---------------------------------------------------------------------------------------------------
def address_of(customer, field="mobile"):
    return reverse("reveal", args=["customers.Customer", field, customer.pk])


HTMX = {"HX-Request": "true"}


def test_the_screen_asks_shows_and_masks_again(client, customer, manager):
    client.force_login(manager)
    masked = client.get(address_of(customer), headers=HTMX)
    assert "138****5678" in masked.content.decode() and MOBILE not in masked.content.decode()
    asked = client.get(address_of(customer) + "?ask", headers=HTMX).content.decode()
    assert "<select" in asked and MOBILE not in asked
    refused = client.post(address_of(customer), {"purpose": ""}, headers=HTMX)
    assert refused.status_code == 422 and MOBILE not in refused.content.decode()
    shown = client.post(address_of(customer), {"purpose": "contact", "note": ""}, headers=HTMX)
    body = shown.content.decode()
    assert MOBILE in body and 'data-hide-after="60"' in body and "load delay:60s" in body
    assert shown["Cache-Control"] == "no-store, private"
    assert MOBILE not in address_of(customer)


def test_a_look_by_get_never_shows_the_value(client, customer, manager):
    client.force_login(manager)
    for query in ("", "?ask", "?purpose=contact"):
        for headers in ({}, HTMX):
            assert MOBILE not in client.get(address_of(customer) + query, headers=headers).content.decode()
    assert not Reveal.objects.exists()


def test_out_of_scope_is_404_and_without_the_right_403(client, customer):
    client.force_login(make_user("X901"))
    assert client.post(address_of(customer), {"purpose": "contact"}, headers=HTMX).status_code == 404
    client.force_login(make_user("X902", "teller"))
    assert client.post(address_of(customer), {"purpose": "contact"}, headers=HTMX).status_code == 403


def test_a_value_that_cannot_be_read_is_an_answer_not_a_crash(client, customer, manager, caplog):
    with connection.cursor() as cursor:
        cursor.execute("update customers_customer set customer_no = 'X-9' where id = %s", [customer.pk])
    client.force_login(manager)
    assert client.post(address_of(customer), {"purpose": "contact"}, headers=HTMX).status_code == 422
    assert "cannot be read" in caplog.text


# --- rotation -----------------------------------------------------------------------------------------------------
@pytest.fixture
def key_file(tmp_path, monkeypatch, settings):
    """A key file of its own, and a way to 'restart the process' after it changed."""
    path = tmp_path / "keys.json"
    monkeypatch.setenv("CRM_KEY_FILE", str(path))
    key_files.draw_keys(path)

    def restart():
        settings.KEYS = key_files.load_keys(tmp_path)

    restart()
    return restart


def tokens():
    with connection.cursor() as cursor:
        cursor.execute(
            "select mobile from customers_customer where customer_no like 'X-%%' union all"
            " select h.row ->> 'mobile' from customers_rowhistory h where key like 'X-%%'"
        )
        return [row[0] for row in cursor.fetchall()]


def test_a_key_is_replaced_in_four_steps_and_nothing_of_the_old_one_is_left(key_file, manager, capsys):
    Customer.rows.exclude(mobile__isnull=True).update(mobile=None, email=None, address=None)
    Identity.rows.all().delete()
    with connection.cursor() as cursor:
        cursor.execute("update customers_transaction set counterparty_account = null")
        cursor.execute("delete from customers_feedreject")
        cursor.execute("delete from customers_rowhistory")
    people = [make_customer(f"X-{n}", manager.staff, f"1380000000{n}") for n in range(7)]
    old = people[0].mobile.token
    version = {"customer_no": "X-0", "mobile": old, "address": None}
    with connection.cursor() as cursor:
        cursor.execute(
            "insert into customers_rowhistory (entity, key, customer_id, row, known_on, superseded_on,"
            " superseded_by_id) values ('customer', 'X-0', %s,"
            " %s::jsonb || '{\"exact\": 123456789012345678.90, \"annual_income\": 1.10}', '2020-01-01', '2021-01-01', 0)",
            [people[0].pk, json.dumps(version)],
        )
    call_command("rotate_keys", "--add", "k2")
    key_file()
    call_command("rotate_keys", "--use", "k2")
    key_file()
    with pytest.raises(CommandError, match="rotate_keys first"):
        call_command("rotate_keys", "--drop", "k1")
    call_command("rotate_keys", "--batch", "3")
    assert [token[:11] for token in tokens()] == ["a256gcm.k2."] * 8
    call_command("rotate_keys", "--drop", "k1")
    key_file()
    for n in range(7):
        again = Customer.rows.get(customer_no=f"X-{n}")
        assert fields.open_sealed(again, "mobile") == f"1380000000{n}"
    assert crypto.decrypt(tokens()[-1], "customers_customer/mobile/X-0") == "13800000000"
    with connection.cursor() as cursor:
        cursor.execute(
            "select h.row ->> 'exact', h.row ->> 'annual_income' from customers_rowhistory h where key = 'X-0'"
        )
        assert cursor.fetchone() == ("123456789012345678.90", "1.10")
    with pytest.raises(crypto.Unreadable):
        crypto.decrypt(old, "customers_customer/mobile/X-0")
    assert "8 values" in capsys.readouterr().out


def test_a_value_written_meanwhile_is_not_overwritten(key_file, manager, settings, monkeypatch):
    customer = make_customer("X-1", manager.staff)
    settings.KEYS = dataclasses.replace(
        settings.KEYS, data=settings.KEYS.data | {"k2": b"2" * 32}, current="k2"
    )
    newer = crypto.encrypt("13999999999", "customers_customer/mobile/X-1")
    real = rotation._moved

    def slow(token, aad, where):
        with connection.cursor() as cursor:
            cursor.execute("update customers_customer set mobile = %s where id = %s", [newer, customer.pk])
        return real(token, aad, where)

    monkeypatch.setattr(rotation, "_moved", slow)
    Customer.rows.exclude(pk=customer.pk).update(mobile=None)
    list(rotation.rotate("customers.Customer.mobile"))
    assert fields.open_sealed(Customer.rows.get(pk=customer.pk), "mobile") == "13999999999"


def test_a_value_that_does_not_open_stops_the_rotation_and_is_named(key_file, manager, settings):
    Customer.rows.all().update(mobile=None)
    customer = make_customer("X-1", manager.staff)
    with connection.cursor() as cursor:
        cursor.execute("update customers_customer set customer_no = 'X-2' where id = %s", [customer.pk])
    settings.KEYS = dataclasses.replace(
        settings.KEYS, data=settings.KEYS.data | {"k2": b"2" * 32}, current="k2"
    )
    with pytest.raises(crypto.Unreadable, match=str(customer.pk)):
        list(rotation.rotate("customers.Customer.mobile"))


def test_every_store_of_ciphertexts_can_be_rotated_and_counted():
    assert "customers.RowHistory.row" in rotation.stores()
    for store in rotation.stores():
        assert sum(rotation.rotate(store)) == 0
        assert rotation.left_behind(store) == {}


# --- what must hold -----------------------------------------------------------------------------------------------
def findings():
    return [finding for result in invariants.run({"I13"}) for finding in result.findings]


def test_plain_text_a_lost_key_and_a_moved_value_are_found_and_not_told(customer, manager):
    assert findings() == []
    other = make_customer("X-2", manager.staff, mobile="13900000000")
    with connection.cursor() as cursor:
        cursor.execute(
            "update customers_customer set mobile = %s where id = %s", [customer.mobile.token, other.pk]
        )
        assert findings() == [
            f"customers.Customer.mobile: row {other.pk} does not open, it was changed or moved"
        ]
        cursor.execute("update customers_customer set mobile = '13900000000' where id = %s", [other.pk])
        assert "customers.Customer.mobile: 1 values are in the clear" in str(findings())
        assert "139" not in str(findings())
        lost = customer.mobile.token.replace(".k1.", ".k0.")
        cursor.execute("update customers_customer set mobile = %s where id = %s", [lost, other.pk])
        assert len(findings()) == 2
