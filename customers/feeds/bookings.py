"""Writes bookings and end-of-day balances: the large, partitioned tables, whose rows are known by what they say.

A booking is known by its number wherever it was booked; a balance by account and day. Which account-days changed is
noted in ``temp_change``, from where reconciliation and the night's work list are drawn.
"""

from dataclasses import dataclass

from customers.feeds import format as feed
from customers.feeds.checking import good_table
from customers.feeds.staging import Staged
from customers.feeds.targets import ACCOUNT, Assigned, assigned
from customers.feeds.upsert import Delivery, Tally, verdict_table


@dataclass(frozen=True)
class Ledger:
    """One of the two large tables. ``match`` finds the live row ``t`` of a staged row ``g``; ``place`` is its whole key;
    ``history_key`` names a row across its versions (``t`` a row, ``a`` its account)."""

    file: feed.File
    entity: str
    day: str
    match: str
    place: tuple[str, ...]
    amount: str
    history_key: str
    kept: tuple[str, ...] = ()  # columns no feed brings

    @property
    def table(self) -> str:
        return f"customers_{self.entity}"

    @property
    def confirmed(self) -> str:
        """The history's name for "a later batch said the same": never a version of its own."""
        return f"{self.entity} confirmed"


TRANSACTION = Ledger(
    feed.TRANSACTIONS,
    "transaction",
    "booked_on",
    "t.txn_no = g.txn_no",
    ("account_id", "booked_on", "txn_no", "customer_id"),
    "amount",
    "t.txn_no",
    kept=("reversal_of",),
)
BALANCE = Ledger(
    feed.BALANCES,
    "balance",
    "on_date",
    "t.account_id = g.account_id and t.on_date = g.on_date",
    ("account_id", "on_date", "customer_id"),
    "balance",
    "a.account_no || '/' || t.on_date",
)
LEDGERS = {ledger.file.name: ledger for ledger in (TRANSACTION, BALANCE)}

CHANGES = """
drop table if exists temp_change;
create temp table temp_change (account_id bigint not null, day date not null, is_balance boolean not null) on commit drop
"""


def filled_by(staged: Staged) -> list[Assigned]:
    """Return the target columns a file fills; the owner comes with the account."""
    return [
        *assigned(staged.file, (ACCOUNT,), staged.header),
        Assigned("customer_id", "g.customer_id", compared=False),
    ]


def write(cursor, staged: Staged, ledger: Ledger, delivery: Delivery) -> Tally:
    """Write the good rows of a file. Rows that a later batch already wrote are left to :mod:`corrections`."""
    cursor.execute(
        f"select customers_ensure_month(month) from (select distinct date_trunc('month', {ledger.day})::date as month "
        f"from {good_table(staged)}) as months order by month"
    )
    filled = filled_by(staged)
    _judge(cursor, staged, ledger, filled, delivery)
    if delivery.is_delta:
        _note_confirmed(cursor, staged, ledger, delivery)
    _replace_changed(cursor, staged, ledger, filled, delivery)
    _insert_new(cursor, staged, ledger, filled, delivery)
    cursor.execute(f"select verdict, count(*) from {verdict_table(staged)} group by verdict")
    return Tally(**dict(cursor.fetchall()))


def _judge(cursor, staged: Staged, ledger: Ledger, filled: list[Assigned], delivery: Delivery) -> None:
    compared = [one for one in filled if one.compared]
    old, new = ", ".join(f"t.{one.column}" for one in compared), ", ".join(one.source for one in compared)
    cursor.execute(f"drop table if exists {verdict_table(staged)}")
    cursor.execute(
        f"""
        create temp table {verdict_table(staged)} on commit drop as
        select g.line_no,
            case when t.account_id is null then 'new'
                 when t.known_on > %(on)s::date then 'later'
                 when row({old}) is not distinct from row({new}) then 'same'
                 else 'changed' end as verdict
        from {good_table(staged)} as g left join {ledger.table} as t on {ledger.match}
        """,
        delivery.params,
    )


def _note_confirmed(cursor, staged: Staged, ledger: Ledger, delivery: Delivery) -> None:
    """Remember that a delta batch said again what an earlier one had said: if that one is corrected, this one still says it.

    Not for full files: they say everything again every night.
    """
    cursor.execute(
        f"""
        insert into customers_rowhistory (entity, key, customer_id, row, known_on, superseded_on, batch_id, superseded_by_id)
        select '{ledger.confirmed}', {ledger.history_key}, t.customer_id, '{{}}', %(on)s::date, %(on)s::date, %(batch)s, t.batch_id
        from {good_table(staged)} as g join {verdict_table(staged)} as v using (line_no)
        join {ledger.table} as t on {ledger.match}
        join customers_account as a on a.id = t.account_id
        where v.verdict = 'same' and t.batch_id <> %(batch)s
        """,
        delivery.params,
    )


def _replace_changed(
    cursor, staged: Staged, ledger: Ledger, filled: list[Assigned], delivery: Delivery
) -> None:
    """Take the old version out, keep it in the history, put the new one in: the day or the account may have changed."""
    stem = staged.file.stem
    cursor.execute(f"drop table if exists temp_old_{stem}")
    cursor.execute(
        f"""
        create temp table temp_old_{stem} on commit drop as
        select g.line_no, t.* from {good_table(staged)} as g join {verdict_table(staged)} as v using (line_no)
        join {ledger.table} as t on {ledger.match} where v.verdict = 'changed'
        """
    )
    cursor.execute(f"select count(*) from temp_old_{stem}")
    if not cursor.fetchone()[0]:
        return
    cursor.execute(
        f"""
        insert into customers_rowhistory (entity, key, customer_id, row, known_on, superseded_on, batch_id, superseded_by_id)
        select '{ledger.entity}', {ledger.history_key}, t.customer_id, to_jsonb(t) - 'line_no', t.known_on,
            greatest(t.known_on, %(on)s::date), t.batch_id, %(batch)s
        from temp_old_{stem} as t join customers_account as a on a.id = t.account_id
        """,
        delivery.params,
    )
    place = " and ".join(f"t.{column} = o.{column}" for column in ledger.place)
    cursor.execute(f"delete from {ledger.table} as t using temp_old_{stem} as o where {place}")
    delivered = {one.column: one.source for one in filled}
    columns = [*delivered, *carried(staged, ledger)]
    values = [*delivered.values(), *(f"o.{column}" for column in carried(staged, ledger))]
    cursor.execute(
        f"""
        insert into {ledger.table} ({", ".join(columns)}, batch_id, known_on)
        select {", ".join(values)}, %(batch)s, greatest(o.known_on, %(on)s::date)
        from temp_old_{stem} as o join {good_table(staged)} as g using (line_no)
        """,
        delivery.params,
    )
    cursor.execute(
        f"""
        insert into temp_change
        select account_id, {ledger.day}, {_is_balance(ledger)} from temp_old_{stem}
        union all
        select g.account_id, g.{ledger.day}, {_is_balance(ledger)} from temp_old_{stem} as o join {good_table(staged)} as g using (line_no)
        """
    )


def carried(staged: Staged, ledger: Ledger) -> list[str]:
    """Return the target columns a changed row keeps because the file does not have them."""
    columns = list(ledger.kept)
    for column in staged.file.columns:
        if not staged.has(column.name):
            columns.append(column.name)
            if column.protect:
                columns += [f"{column.name}_print", f"{column.name}_mask"]
    return columns


def _insert_new(cursor, staged: Staged, ledger: Ledger, filled: list[Assigned], delivery: Delivery) -> None:
    columns, values = [one.column for one in filled], [one.source for one in filled]
    cursor.execute(
        f"""
        insert into {ledger.table} ({", ".join(columns)}, batch_id, known_on)
        select {", ".join(values)}, %(batch)s, %(known_on)s::date
        from {good_table(staged)} as g join {verdict_table(staged)} as v using (line_no) where v.verdict = 'new'
        """,
        delivery.params,
    )
    cursor.execute(
        f"""
        insert into temp_change select g.account_id, g.{ledger.day}, {_is_balance(ledger)}
        from {good_table(staged)} as g join {verdict_table(staged)} as v using (line_no) where v.verdict = 'new'
        """
    )


def _is_balance(ledger: Ledger) -> str:
    return "true" if ledger is BALANCE else "false"


def follow_new_owners(cursor) -> int:
    """Give the bookings, balances and breaks of accounts that changed hands (``temp_owner_change``) their owner's key.

    Which months that touches is noted too: the account's sums now count for somebody else.
    """
    cursor.execute("select account_id, old_owner, new_owner from temp_owner_change order by account_id")
    changes = cursor.fetchall()
    for account, old, new in changes:
        for table in ("customers_transaction", "customers_balance", "customers_feedbreak"):
            cursor.execute(f"update {table} set customer_id = %s where account_id = %s", [new, account])
        cursor.execute(
            """
            update customers_rowhistory set customer_id = %(new)s, row = jsonb_set(row, '{customer_id}', to_jsonb(%(new)s::bigint))
            where customer_id = %(old)s and entity in ('transaction', 'balance') and row->>'account_id' = %(account)s::text
            """,
            {"new": new, "old": old, "account": account},
        )
        cursor.execute(
            """
            insert into temp_change
            select account_id, on_date, true from customers_balance where account_id = %(account)s
            union all select account_id, booked_on, false from customers_transaction where account_id = %(account)s
            """,
            {"account": account},
        )
    return len(changes)
