"""What must hold of the customer information file at any moment, as queries that find nothing."""

from crm.core.invariants import invariant, rows

LARGE = ("customers_transaction", "customers_balance")


@invariant("I1", "A loaded batch's amounts add up to its control totals, per currency")
def control_totals_hold() -> list[str]:
    return rows(
        """
        select b.source, b.business_date, f.name, c.key || ' ' || d.key
        from customers_feedfile as f
        join customers_feedbatch as b on b.id = f.batch_id and b.state in ('published', 'replaced')
        cross join lateral jsonb_each(f.control_declared) as c
        cross join lateral jsonb_each_text(c.value) as d
        where d.value::numeric <> coalesce((f.control_loaded -> c.key ->> d.key)::numeric, 0)
            + coalesce((f.control_rejected -> c.key ->> d.key)::numeric, 0)
        """,
        "batch {0} {1}: {2}, {3} does not add up to its control total",
    )


@invariant(
    "I2", "Every row of a loaded batch is loaded, unchanged or rejected, and the manifest's count is met"
)
def every_row_is_accounted_for() -> list[str]:
    return rows(
        """
        select b.source, b.business_date, f.name
        from customers_feedfile as f
        join customers_feedbatch as b on b.id = f.batch_id and b.state in ('published', 'replaced')
        where f.rows_read <> f.rows_declared or f.rows_read <> f.rows_loaded + f.rows_unchanged + f.rows_rejected
        union all
        select b.source, b.business_date, 'the batch'
        from customers_feedbatch as b
        left join lateral (
            select coalesce(sum(f.rows_read), 0) as read, coalesce(sum(f.rows_loaded), 0) as loaded
            from customers_feedfile as f where f.batch_id = b.id
        ) as f on true
        where b.state in ('published', 'replaced') and (b.rows_read <> f.read or b.rows_loaded <> f.loaded)
        """,
        "batch {0} {1}: {2} does not account for every row",
    )


@invariant("I2", "Every rejected row of a loaded batch is kept with its reason")
def rejects_are_kept() -> list[str]:
    return rows(
        """
        select b.source, b.business_date, b.rows_rejected, count(r.id)
        from customers_feedbatch as b left join customers_feedreject as r on r.batch_id = b.id
        where b.state in ('published', 'replaced')
        group by b.id having b.rows_rejected <> count(r.id)
        """,
        "batch {0} {1}: {2} rows rejected, {3} kept",
    )


@invariant("I3", "No booking number stands twice")
def no_booking_twice() -> list[str]:
    return rows(
        "select txn_no, count(*) from customers_transaction group by txn_no having count(*) > 1 limit 50",
        "booking {0} stands {1} times",
    )


@invariant("I3", "No account has two balances for a day")
def no_balance_twice() -> list[str]:
    return rows(
        """
        select account_id, on_date, count(*) from customers_balance
        group by account_id, on_date having count(*) > 1 limit 50
        """,
        "account id {0} has {2} balances on {1}",
    )


@invariant("I8", "Every customer has one main assignment that runs, and it is the scope's manager")
def one_current_manager() -> list[str]:
    return rows(
        """
        select c.id, count(a.id)
        from customers_customer as c
        left join customers_assignment as a on a.customer_id = c.id and a.role = 'main' and a.ends_on is null
        group by c.id, c.manager_id
        having count(a.id) <> 1 or max(a.manager_id) is distinct from c.manager_id
        limit 50
        """,
        "customer id {0}: {1} running main assignments, or another manager than the scope's",
    )


@invariant("I8", "Main assignments follow each other without a gap")
def no_gap_between_managers() -> list[str]:
    return rows(
        """
        select a.customer_id, a.ends_on from customers_assignment as a
        where a.role = 'main' and a.ends_on is not null and not exists (
            select from customers_assignment as n
            where n.customer_id = a.customer_id and n.role = 'main' and n.starts_on = a.ends_on
        )
        limit 50
        """,
        "customer id {0}: nobody from {1} on",
    )


@invariant("I16", "Bookings and balances belong to an account that is there, under its owner's key")
def no_orphans() -> list[str]:
    found = []
    for table in LARGE:
        found += rows(
            f"""
            select t.account_id, count(*) from {table} as t
            left join customers_account as a on a.id = t.account_id and a.customer_id = t.customer_id
            where a.id is null group by t.account_id limit 50
            """,
            table + ": {1} rows of account id {0} without that account under that owner",
        )
    return found


@invariant("I16", "Bookings, balances and breaks were written by a batch that is there and counts")
def no_lost_batches() -> list[str]:
    found = []
    for table in (*LARGE, "customers_feedbreak"):
        found += rows(
            f"""
            select t.batch_id, count(*) from {table} as t
            left join customers_feedbatch as b on b.id = t.batch_id
            where b.id is null group by t.batch_id limit 50
            """,
            table + ": {1} rows of batch id {0}, which is not there",
        )
    found += rows(
        """
        select t.batch_id, count(*) from customers_balance as t join customers_feedbatch as b on b.id = t.batch_id
        where b.state <> 'published' group by t.batch_id limit 50
        """,
        "{1} balances of batch id {0}, which is not published",
    )
    return found


@invariant("I16", "Every branch's path is the way down to it")
def paths_are_true() -> list[str]:
    return rows(
        """
        select b.branch_no from core_branch as b left join core_branch as p on p.id = b.parent_id
        where b.path <> coalesce(p.path, '/') || b.id || '/' limit 50
        """,
        "branch {0} has another path than its place",
    )
