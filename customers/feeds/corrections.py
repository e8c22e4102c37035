"""Corrections and late batches: a day that was already delivered is delivered anew, while later days stand.

Bookings and balances of the corrected batch are taken back (what it had superseded comes back, what later batches
wrote stays), then the new batch is written as if it had come in its turn: where a later batch already wrote a row, the
correction becomes the version before it, so that every past day reads as it would have.
"""

from customers.feeds.bookings import BALANCE, TRANSACTION, Ledger, filled_by
from customers.feeds.checking import good_table
from customers.feeds.staging import Staged
from customers.feeds.upsert import Delivery, verdict_table

# What makes two versions of a row the same booking: neither whose batch it was nor how it was encrypted this time.
STAMPS = "'{batch_id,known_on,customer_id,counterparty_account,line_no}'::text[]"


def take_back(cursor, old_batch: int, delivery: Delivery) -> None:
    """Undo the bookings and balances of a batch; ``temp_taken`` remembers its versions for the report."""
    cursor.execute("drop table if exists temp_taken")
    cursor.execute(
        "create temp table temp_taken (entity text, key text, currency text, amount numeric, row jsonb) on commit drop"
    )
    params = {"old": old_batch, "new": delivery.batch_id}
    for ledger in (TRANSACTION, BALANCE):
        _remember(cursor, ledger, params)
        _forget_confirmations(cursor, ledger, params)
        _split(cursor, ledger, "n.superseded_by_id = %(old)s", params)
        _note_changes(cursor, ledger, params)
        _relink(cursor, ledger, params)
        _take_live_rows_out(cursor, ledger, params)
        _bring_back(cursor, ledger, params)


def _remember(cursor, ledger: Ledger, params: dict) -> None:
    cursor.execute(
        f"""
        insert into temp_taken
        select '{ledger.entity}', {ledger.history_key}, a.currency, t.{ledger.amount}, to_jsonb(t) - {STAMPS}
        from {ledger.table} as t join customers_account as a on a.id = t.account_id where t.batch_id = %(old)s
        union all
        select h.entity, h.key, a.currency, (h.row->>'{ledger.amount}')::numeric, h.row - {STAMPS}
        from customers_rowhistory as h join customers_account as a on a.id = (h.row->>'account_id')::bigint
        where h.entity = '{ledger.entity}' and h.batch_id = %(old)s and h.superseded_on > h.known_on
        """,
        params,
    )


def _forget_confirmations(cursor, ledger: Ledger, params: dict) -> None:
    cursor.execute(
        f"delete from customers_rowhistory where entity = '{ledger.confirmed}' and batch_id = %(old)s", params
    )


def split_confirmed(cursor, staged: Staged, ledger: Ledger, delivery: Delivery) -> None:
    """Before rows of a past day are written: versions that later batches said again become those batches' own from their
    day on, so that the rows of the past day end where they did."""
    key = ledger.history_key.replace("t.", "g.").replace("a.account_no", "g.account_no")
    which = f"n.known_on > %(on)s::date and n.key in (select {key} from {good_table(staged)} as g)"
    _split(cursor, ledger, which, delivery.params)


def _split(cursor, ledger: Ledger, which: str, params: dict) -> None:
    """Cut the versions that ``which`` confirmations (``n``) confirm at the day of the first of them."""
    cursor.execute("drop table if exists temp_confirmed")
    cursor.execute(
        f"""
        create temp table temp_confirmed on commit drop as
        select distinct on (n.key, n.superseded_by_id) n.id, n.key, n.superseded_by_id as version, n.batch_id, n.known_on
        from customers_rowhistory as n where n.entity = '{ledger.confirmed}' and {which}
        order by n.key, n.superseded_by_id, n.known_on
        """,
        params,
    )
    # Live versions: the older batch keeps its own until the day of the other, whose version lives on.
    cursor.execute(
        f"""
        insert into customers_rowhistory (entity, key, customer_id, row, known_on, superseded_on, batch_id, superseded_by_id)
        select '{ledger.entity}', n.key, t.customer_id, to_jsonb(t), t.known_on, n.known_on, t.batch_id, n.batch_id
        from {ledger.table} as t join customers_account as a on a.id = t.account_id
        join temp_confirmed as n on n.key = {ledger.history_key} and n.version = t.batch_id
        """
    )
    cursor.execute(
        f"""
        update {ledger.table} as t set batch_id = n.batch_id, known_on = n.known_on
        from temp_confirmed as n, customers_account as a
        where n.version = t.batch_id and a.id = t.account_id and n.key = {ledger.history_key}
        """
    )
    # Versions that a still later batch superseded: the same, in the history.
    cursor.execute(
        f"""
        with cut as (
            update customers_rowhistory as h set superseded_on = n.known_on, superseded_by_id = n.batch_id
            from temp_confirmed as n, customers_rowhistory as was
            where h.entity = '{ledger.entity}' and h.key = n.key and h.batch_id = n.version and was.id = h.id
              and h.known_on < n.known_on and h.superseded_on > n.known_on
            returning h.key, h.customer_id, h.row, was.superseded_on, was.superseded_by_id, n.known_on, n.batch_id
        )
        insert into customers_rowhistory (entity, key, customer_id, row, known_on, superseded_on, batch_id, superseded_by_id)
        select '{ledger.entity}', key, customer_id, row || jsonb_build_object('batch_id', batch_id, 'known_on', known_on),
            known_on, superseded_on, batch_id, superseded_by_id
        from cut
        """
    )
    # What else confirmed the older version now confirms the newer one.
    cursor.execute(
        f"""
        update customers_rowhistory as other set superseded_by_id = n.batch_id
        from temp_confirmed as n
        where other.entity = '{ledger.confirmed}' and other.key = n.key and other.superseded_by_id = n.version
          and other.known_on > n.known_on
        """
    )
    cursor.execute("delete from customers_rowhistory as h using temp_confirmed as n where h.id = n.id")


def _note_changes(cursor, ledger: Ledger, params: dict) -> None:
    """Whatever the old batch wrote or superseded is to be judged and added up anew."""
    is_balance = "true" if ledger is BALANCE else "false"
    cursor.execute(
        f"""
        insert into temp_change
        select t.account_id, t.{ledger.day}, {is_balance} from {ledger.table} as t where t.batch_id = %(old)s
        union all
        select (h.row->>'account_id')::bigint, (h.row->>'{ledger.day}')::date, {is_balance}
        from customers_rowhistory as h
        where h.entity = '{ledger.entity}' and (h.batch_id = %(old)s or h.superseded_by_id = %(old)s)
        """,
        params,
    )


def _relink(cursor, ledger: Ledger, params: dict) -> None:
    """Versions of the old batch that a later one superseded: the version before them lasts until that later one."""
    cursor.execute(
        f"""
        update customers_rowhistory as before
        set superseded_on = taken.superseded_on, superseded_by_id = taken.superseded_by_id
        from customers_rowhistory as taken
        where taken.entity = '{ledger.entity}' and taken.batch_id = %(old)s and taken.superseded_on > taken.known_on
          and before.entity = taken.entity and before.key = taken.key
          and before.superseded_by_id = %(old)s and before.superseded_on > before.known_on
        """,
        params,
    )
    cursor.execute(
        f"""
        update customers_rowhistory set superseded_on = known_on, superseded_by_id = %(new)s
        where entity = '{ledger.entity}' and batch_id = %(old)s and superseded_on > known_on
        """,
        params,
    )


def _take_live_rows_out(cursor, ledger: Ledger, params: dict) -> None:
    cursor.execute(
        f"""
        with taken as (delete from {ledger.table} as t where t.batch_id = %(old)s returning t.*)
        insert into customers_rowhistory (entity, key, customer_id, row, known_on, superseded_on, batch_id, superseded_by_id)
        select '{ledger.entity}', {ledger.history_key}, t.customer_id, to_jsonb(t), t.known_on, t.known_on, t.batch_id, %(new)s
        from taken as t join customers_account as a on a.id = t.account_id
        """,
        params,
    )


def _bring_back(cursor, ledger: Ledger, params: dict) -> None:
    """Versions that only the old batch had superseded are in force again."""
    cursor.execute(
        f"""
        with back as (
            delete from customers_rowhistory as h
            where h.entity = '{ledger.entity}' and h.superseded_by_id = %(old)s and h.superseded_on > h.known_on
            returning h.row
        )
        insert into {ledger.table}
        select version.* from back cross join lateral jsonb_populate_record(null::{ledger.table}, back.row) as version
        """,
        params,
    )


def _find_late(cursor, staged: Staged, ledger: Ledger, delivery: Delivery) -> None:
    """Make ``temp_late``: the rows with the version in force on the day (``before``) and the next one (``until``)."""
    fills = filled_by(staged)
    delivered = ", ".join(f"'{one.column}', {one.source}" for one in fills)
    key = ledger.history_key.replace("t.", "g.").replace("a.account_no", "g.account_no")
    cursor.execute("drop table if exists temp_late")
    cursor.execute(
        f"""
        create temp table temp_late on commit drop as
        select g.line_no, {key} as key, g.account_id, g.{ledger.day} as day, g.customer_id, before.id as before_id,
            before.batch_id as before_batch, before.row as before_row, jsonb_build_object({delivered}) as delivered,
            coalesce(after.known_on, t.known_on) as until, coalesce(after.batch_id, t.batch_id) as until_batch
        from {good_table(staged)} as g
        join {verdict_table(staged)} as v using (line_no)
        join {ledger.table} as t on {ledger.match}
        left join lateral (
            select h.id, h.row, h.batch_id from customers_rowhistory as h
            where h.entity = '{ledger.entity}' and h.key = {key} and h.known_on <= %(on)s and h.superseded_on > %(on)s
            order by h.known_on desc limit 1
        ) as before on true
        left join lateral (
            select h.known_on, h.batch_id from customers_rowhistory as h
            where h.entity = '{ledger.entity}' and h.key = {key} and h.known_on > %(on)s and h.superseded_on > h.known_on
            order by h.known_on limit 1
        ) as after on true
        where v.verdict = 'later'
        """,
        delivery.params,
    )


def into_the_past(cursor, staged: Staged, ledger: Ledger, delivery: Delivery) -> int:
    """Put rows that a later batch already wrote between the versions before and after them; return how many were new there."""
    _find_late(cursor, staged, ledger, delivery)
    cursor.execute(
        f"""
        with same as (
            delete from temp_late
            where before_id is not null and (before_row || delivered) - {STAMPS} = before_row - {STAMPS}
            returning key, customer_id, before_batch
        )
        insert into customers_rowhistory (entity, key, customer_id, row, known_on, superseded_on, batch_id, superseded_by_id)
        select '{ledger.confirmed}', key, customer_id, '{{}}', %(on)s::date, %(on)s::date, %(batch)s, before_batch
        from same where %(is_delta)s
        """,
        delivery.params,
    )
    cursor.execute(
        """
        update customers_rowhistory as h set superseded_on = %(on)s, superseded_by_id = %(batch)s
        from temp_late as n where n.before_id = h.id
        """,
        delivery.params,
    )
    cursor.execute(
        f"""
        insert into customers_rowhistory (entity, key, customer_id, row, known_on, superseded_on, batch_id, superseded_by_id)
        select '{ledger.entity}', key, customer_id,
            coalesce(before_row, '{{}}') || delivered || jsonb_build_object('batch_id', %(batch)s, 'known_on', %(known_on)s::date),
            %(known_on)s::date, until, %(batch)s, until_batch
        from temp_late
        """,
        delivery.params,
    )
    inserted = max(cursor.rowcount, 0)
    is_balance = "true" if ledger is BALANCE else "false"
    cursor.execute(f"insert into temp_change select account_id, day, {is_balance} from temp_late")
    return inserted


def changes(cursor, delivery: Delivery) -> dict:
    """Return what a correction changed: per file the rows added, changed and removed, and by how much per currency."""
    report = {}
    for ledger in (TRANSACTION, BALANCE):
        cursor.execute(
            f"""
            with
            old as (select key, currency, amount, row from temp_taken where entity = '{ledger.entity}'),
            new as (
                select {ledger.history_key} as key, a.currency, t.{ledger.amount} as amount, to_jsonb(t) - {STAMPS} as row
                from {ledger.table} as t join customers_account as a on a.id = t.account_id where t.batch_id = %(batch)s
                union all
                select h.key, a.currency, (h.row->>'{ledger.amount}')::numeric, h.row - {STAMPS}
                from customers_rowhistory as h join customers_account as a on a.id = (h.row->>'account_id')::bigint
                where h.entity = '{ledger.entity}' and h.batch_id = %(batch)s and h.superseded_on > h.known_on
            ),
            both_sides as (
                select case when old.key is null then 'added' when new.key is null then 'removed' else 'changed' end as what,
                    coalesce(new.currency, old.currency) as currency,
                    coalesce(new.amount, 0) - coalesce(old.amount, 0) as difference
                from old full join new using (key) where old.row is distinct from new.row
            )
            select what, currency, count(*), sum(difference)::text from both_sides group by what, currency order by what, currency
            """,
            delivery.params,
        )
        told: dict[str, dict] = {
            name: {"rows": 0, "difference": {}} for name in ("added", "changed", "removed")
        }
        for what, currency, rows, difference in cursor.fetchall():
            told[what]["rows"] += rows
            told[what]["difference"][currency] = difference
        report[ledger.file.name] = told
    return report
