"""The chain finds whatever is changed in the trail, and says where."""

import datetime
import hashlib
import json
import random
import threading
from contextlib import contextmanager

import pytest
from django.db import DatabaseError, connection, transaction

from crm.core import anchors, audit, audit_chain
from crm.core.models import AuditEntry, AuditSeal

AT = datetime.datetime(2026, 11, 24, 8, 0, 0, 123456, tzinfo=datetime.UTC)
ENTRIES = 40


@pytest.fixture(autouse=True)
def own_folders(settings, tmp_path):
    settings.AUDIT_ANCHOR_DIR, settings.AUDIT_ANCHOR_DIR_2 = tmp_path / "a", tmp_path / "b"


def execute(statement, params=None):
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return cursor.fetchall() if cursor.description else cursor.rowcount


@contextmanager
def as_attacker():
    """Somebody who owns the tables and switches off what refuses. Undone with the test's transaction."""
    execute("set constraints all immediate")
    execute("reset role")
    for table in ("core_auditentry", "core_auditseal"):
        execute(f"alter table {table} disable trigger user")
    yield
    execute("set role crm_app")


def write(count, *, first=0):
    """Entries of transactions long over, so that the test's own open transaction does not hold the sealer back."""
    execute(
        "insert into core_auditentry (at, txid, verb, object_type, object_id, customer_id, payload, request_id, outcome)"
        " select '2026-11-24'::timestamptz + make_interval(secs => n), (3 + n)::text::xid8,"
        "        (array['home.view', 'customers.assign', 'privacy.reveal'])[1 + n %% 3], 'customers.customer', n::text,"
        "        nullif(n %% 4, 0), jsonb_build_object('number', n, 'text', '客户'), md5(n::text), 'ok'"
        " from generate_series(%s::int, %s::int) n",
        [first + 1, first + count],
    )


@pytest.fixture
def chain(db):
    with as_attacker():
        execute("delete from core_auditseal")
        execute("delete from core_auditentry")
        write(ENTRIES)
        audit_chain.seal(AT)
        yield


class Undo(Exception):
    pass


@contextmanager
def undone():
    with pytest.raises(Undo), transaction.atomic():
        yield
        raise Undo


def found():
    return {finding.kind for finding in audit_chain.verify().findings}


def test_an_untouched_chain_verifies(chain):
    result = audit_chain.verify()
    assert result.ok and result.entries == ENTRIES == result.head_seq and not result.more
    assert list(AuditSeal.objects.order_by("seq").values_list("seq", flat=True)) == list(
        range(1, ENTRIES + 1)
    )


def test_sealing_again_seals_only_what_is_new(chain):
    assert audit_chain.seal(AT) == 0
    write(3, first=10**9)
    assert audit_chain.seal(AT) == 3 and audit_chain.seal(AT) == 0
    assert audit_chain.verify().ok and audit_chain.verify().entries == ENTRIES + 3


def test_batches_chain_like_one(chain, monkeypatch):
    hashes = list(AuditSeal.objects.order_by("seq").values_list("hash", flat=True))
    execute("delete from core_auditseal")
    monkeypatch.setattr(audit_chain, "SEALED_AT_ONCE", 7)
    monkeypatch.setattr(audit_chain, "READ_AT_ONCE", 9)
    assert audit_chain.seal(AT) == ENTRIES
    assert audit_chain.verify().ok and audit_chain.verify().entries == ENTRIES
    # The horizon of an unfinished batch is the one before, so these are other hashes, and as many.
    assert len(hashes) == AuditSeal.objects.count()


def test_the_hash_of_an_entry_is_what_the_documentation_says(chain):
    """An independent reading: SHA-256 of the hash before and a JSON array of every column."""
    before = bytes(32)
    for seal in AuditSeal.objects.select_related("entry").order_by("seq")[:3]:
        e = seal.entry
        payload = execute("select payload::text from core_auditentry where id = %s", [e.pk])[0][0]
        columns = [
            seal.seq, str(seal.below), f"{seal.sealed_at.timestamp():.6f}",
            e.pk, f"{e.at.timestamp():.6f}", str(e.txid), e.actor_id, e.verb, e.object_type, e.object_id,
            e.customer_id, payload, e.request_id, e.outcome,
        ]  # fmt: skip
        text = json.dumps(columns, ensure_ascii=True, separators=(",", ":"))
        before = hashlib.sha256(before + text.encode()).digest()
        assert before == bytes(seal.hash)


def test_every_column_is_hashed():
    names = [field.column for field in AuditEntry._meta.concrete_fields]
    assert all(f"e.{name}" in audit_chain.ENTRY for name in names), names
    assert {field.column for field in AuditSeal._meta.concrete_fields} == {
        "seq",
        "entry_id",
        "below",
        "hash",
        "sealed_at",
    }


# --- tampering ------------------------------------------------------------------------------------------------------

OTHER = {
    "id": "id + 1000000",
    "at": "at + interval '1 microsecond'",
    "txid": "(txid::text::bigint + 1)::text::xid8",
    "actor_id": "(select coalesce(min(id), 0) from core_user)",
    "verb": "verb || 'x'",
    "object_type": "object_type || ' '",
    "object_id": "object_id || '0'",
    "customer_id": "coalesce(customer_id, 0) + 1",
    "payload": "payload || '{\"number\": -1}'",
    "request_id": "reverse(request_id) || '1'",
    "outcome": "case outcome when 'ok' then 'denied' else 'ok' end",
}
OTHER_SEAL = {
    "seq": "seq + 1000000",
    "entry_id": "-entry_id",
    "below": "(below::text::bigint + 1)::text::xid8",
    "hash": "sha256(hash)",
    "sealed_at": "sealed_at - interval '1 hour'",
}


def tamper_entry_column(dice, seq):
    column = dice.choice(sorted(set(OTHER) - {"actor_id"}))
    execute(f"update core_auditentry set {column} = {OTHER[column]} where id = {entry_of(seq)}")


def tamper_seal_column(dice, seq):
    column = dice.choice(sorted(OTHER_SEAL))
    execute(f"update core_auditseal set {column} = {OTHER_SEAL[column]} where seq = {seq}")


def tamper_null_infinity(dice, seq):
    column, value = dice.choice(
        [("customer_id", "9"), ("at", "'infinity'"), ("payload", "'null'"), ("payload", "'[]'")]
    )
    execute(f"update core_auditentry set {column} = {value} where id = {entry_of(seq)}")


def tamper_delete_entry(dice, seq):
    execute(f"delete from core_auditentry where id = {entry_of(seq)}")


def tamper_delete_seal(dice, seq):
    execute(f"delete from core_auditseal where seq = {seq}")


def tamper_delete_both(dice, seq):
    execute(f"delete from core_auditentry where id = {entry_of(seq)}")
    execute(f"delete from core_auditseal where seq = {seq}")


def tamper_delete_and_close_the_gap(dice, seq):
    tamper_delete_both(dice, seq)
    execute(f"update core_auditseal set seq = -seq where seq > {seq}" if seq < ENTRIES else "select 1")
    execute("update core_auditseal set seq = -seq - 1 where seq < 0")


def tamper_insert(dice, seq):
    execute(
        "insert into core_auditentry (at, txid, verb, object_type, object_id, payload, request_id, outcome)"
        f" select at, txid, verb, object_type, '4711', payload, '', 'ok' from core_auditentry where id = {entry_of(seq)}"
    )


def tamper_insert_with_a_made_up_seal(dice, seq):
    tamper_insert(dice, seq)
    execute(
        "insert into core_auditseal (seq, entry_id, below, hash, sealed_at) select (select max(seq) + 1 from core_auditseal),"
        " (select max(id) from core_auditentry), below, sha256(hash), sealed_at from core_auditseal order by seq desc limit 1"
    )


def tamper_swap_contents(dice, seq):
    one, other = entry_of(seq), entry_of(seq % ENTRIES + 1)
    execute(
        "update core_auditentry t set verb = s.verb, object_id = s.object_id, payload = s.payload, request_id = s.request_id,"
        f" customer_id = s.customer_id from core_auditentry s where (t.id, s.id) in (({one}, {other}), ({other}, {one}))"
    )


def tamper_swap_seals(dice, seq):
    other = seq % ENTRIES + 1
    execute(f"update core_auditseal set entry_id = -entry_id where seq in ({seq}, {other})")
    execute(
        f"update core_auditseal t set entry_id = -s.entry_id from core_auditseal s"
        f" where (t.seq, s.seq) in (({seq}, {other}), ({other}, {seq}))"
    )


def tamper_renumber(dice, seq):
    execute(f"update core_auditseal set seq = -seq where seq >= {seq}")
    execute("update core_auditseal set seq = -seq + 1 where seq < 0")


def tamper_cut_tail(dice, seq):
    execute(f"delete from core_auditentry where id >= {entry_of(seq)}")
    execute(f"delete from core_auditseal where seq >= {seq}")


def tamper_cut_seals_of_the_tail(dice, seq):
    """The entries stay, to be sealed anew with other contents."""
    execute(f"delete from core_auditseal where seq >= {seq}")
    execute("update core_auditentry set object_id = '4711' where id = (select max(id) from core_auditentry)")
    audit_chain.seal(AT + datetime.timedelta(hours=1))


def tamper_rewrite_the_chain(dice, seq):
    """Who knows the recipe makes a chain that fits in itself, after changing one entry of it."""
    tamper_entry_column(dice, seq)
    execute("delete from core_auditseal")
    audit_chain.seal(AT)


def tamper_restore_an_old_state(dice, seq):
    """As if the database were brought back from a backup, and life had gone on."""
    tamper_cut_tail(dice, seq)
    write(ENTRIES, first=500)
    audit_chain.seal(AT + datetime.timedelta(hours=2))


TAMPERINGS = [value for name, value in sorted(globals().items()) if name.startswith("tamper_")]


def entry_of(seq):
    return AuditSeal.objects.values_list("entry_id", flat=True).get(seq=seq)


@pytest.mark.slow
def test_each_of_a_thousand_random_tamperings_is_found(chain):
    """1,000 of 1,000; the chain verifies before, between and after."""
    anchors._append(
        anchors.places()[0] / anchors.FILE,
        anchors._signed({**anchors._facts(anchors.head(), AT), "date": "2026-11-24"}),
    )
    dice = random.Random(20261124)
    missed = []
    for number in range(1000):
        tamper = TAMPERINGS[number % len(TAMPERINGS)]
        seq = dice.randint(1, ENTRIES)
        with undone():
            execute("alter table core_auditseal drop constraint if exists audit_seal_counts_from_one")
            tamper(dice, seq)
            if not found():
                missed.append((number, tamper.__name__, seq))
        if number % 50 == 0:
            assert audit_chain.verify().ok
    assert not missed
    assert audit_chain.verify().ok


def test_the_finding_says_where(chain):
    with undone():
        execute(f"update core_auditentry set verb = 'feeds.upload' where id = {entry_of(17)}")
        [finding] = audit_chain.verify().findings
        assert (finding.kind, finding.seq, finding.entry_id) == ("changed", 17, entry_of(17))
    with undone():
        gone = entry_of(9)
        execute(f"delete from core_auditentry where id = {gone}")
        [finding] = audit_chain.verify().findings
        assert (finding.kind, finding.seq, finding.entry_id) == ("missing", 9, gone)
    with undone():
        tamper_delete_both(None, 30)
        kinds = [(finding.kind, finding.seq) for finding in audit_chain.verify().findings]
        assert kinds == [("gap", 31), ("changed", 31)]
    with undone():
        tamper_insert(None, 5)
        [finding] = audit_chain.verify().findings
        assert finding.kind == "unsealed" and finding.entry_id == AuditEntry.objects.latest("id").pk


def test_a_mass_of_findings_is_counted_not_told_one_by_one(chain, monkeypatch):
    monkeypatch.setattr(audit_chain, "FINDINGS_TOLD", 5)
    execute("update core_auditentry set verb = 'x'")
    result = audit_chain.verify()
    assert len(result.findings) == 5 and result.more == ENTRIES - 5


def test_in_the_own_transaction_nothing_is_sealed_before_its_commit(db):
    number = audit.record(None, "audit.verified")
    audit_chain.seal(AT)
    assert not AuditSeal.objects.filter(entry_id=number).exists()


# --- with real commits ----------------------------------------------------------------------------------------------


def test_an_entry_in_flight_with_a_lower_number_is_not_skipped_nor_holds_the_others_up(bank_copy):
    """The slow one takes its number first and commits last, as the load of a feed does."""
    with bank_copy.connected():
        taken, go_on = threading.Event(), threading.Event()
        numbers = {}

        def slow():
            with transaction.atomic():
                numbers["slow"] = audit.record(None, "audit.verified", payload={"who": "slow"})
                taken.set()
                go_on.wait(20)
            connection.close()

        thread = threading.Thread(target=slow)
        thread.start()
        assert taken.wait(20)
        numbers["fast"] = audit.record(None, "audit.verified", payload={"who": "fast"})
        assert numbers["slow"] < numbers["fast"]
        audit_chain.seal(AT, wait=True)
        seals = dict(AuditSeal.objects.values_list("entry_id", "seq"))
        assert numbers["fast"] in seals and numbers["slow"] not in seals
        slow_transaction = int(execute("select pg_snapshot_xmin(pg_current_snapshot())::text")[0][0])
        assert (
            AuditSeal.objects.latest("seq").below <= slow_transaction
        )  # the horizon stays under the open one
        go_on.set()
        thread.join(20)
        audit_chain.seal(AT, wait=True)
        seals = dict(AuditSeal.objects.values_list("entry_id", "seq"))
        assert seals[numbers["slow"]] > seals[numbers["fast"]]
        result = audit_chain.verify()
        assert result.ok, result.findings


def test_many_writers_and_sealers_at_once_leave_one_gap_free_chain(bank_copy):
    with bank_copy.connected():
        stop, failed = threading.Event(), []

        def seal_on():
            try:
                while not stop.is_set():
                    audit_chain.seal(AT)
            except DatabaseError as error:
                failed.append(error)
            connection.close()

        def write_on(number):
            for turn in range(30):
                with transaction.atomic():
                    audit.record(None, "audit.verified", payload={"writer": number, "turn": turn})
                    if turn % 7 == number:
                        transaction.set_rollback(True)
            connection.close()

        sealers = [threading.Thread(target=seal_on) for _ in range(2)]
        writers = [threading.Thread(target=write_on, args=(number,)) for number in range(5)]
        for thread in [*sealers, *writers]:
            thread.start()
        for thread in writers:
            thread.join(60)
        stop.set()
        for thread in sealers:
            thread.join(60)
        assert not failed
        audit_chain.seal(AT, wait=True)
        result = audit_chain.verify()
        assert result.ok, result.findings
        assert result.entries == AuditEntry.objects.count() == result.head_seq


def test_a_dump_brought_into_a_new_cluster_goes_on_with_its_chain(chain):
    """Transaction numbers start again there: old entries carry numbers this cluster has not handed out yet."""
    execute("delete from core_auditseal")
    execute("update core_auditentry set txid = (txid::text::bigint + 4000000000000)::text::xid8")
    assert audit_chain.seal(AT) == ENTRIES
    # As it was sealed over there: with a horizon of that cluster.
    execute("delete from core_auditseal")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            audit_chain,
            "PENDING",
            audit_chain.PENDING.replace("pg_snapshot_xmin(pg_current_snapshot())::text", "'4000000009999'"),
        )
        assert audit_chain.seal(AT) == ENTRIES
    write(5, first=100)
    assert audit_chain.seal(AT) == 5
    assert audit_chain.verify().ok
    assert audit_chain.seal(AT) == 0
