-- Adds up anew the account-months that batches touched since the last night. One statement, so one snapshot: a batch that
-- is published meanwhile is either wholly in or waits for the next time.
-- grain   one row per account and month with a change
-- reads   customers_feedbatch, customers_feedtouch, customers_balance, customers_transaction, customers_account
-- writes  segmentation_absorbed, segmentation_accountmonth
-- params  bank_made
with
pending as (
    select b.id
    from customers_feedbatch as b
    where b.state in ('published', 'replaced')
      and not exists (select from segmentation_absorbed as a where a.batch_id = b.id)
),
touched as (
    select distinct t.account_id, t.month
    from customers_feedtouch as t
    join pending as p on p.id = t.batch_id
),
-- The first change after a touched month is measured from that month's end.
followed as (
    select t.account_id, next_day.month
    from touched as t
    cross join lateral (
        select date_trunc('month', min(b.on_date)::timestamp)::date as month
        from customers_balance as b
        where b.account_id = t.account_id and b.on_date >= t.month + interval '1 month'
    ) as next_day
    where next_day.month is not null
),
outdated as (
    select o.account_id, o.month, a.customer_id
    from (select account_id, month from touched union select account_id, month from followed) as o
    join customers_account as a on a.id = o.account_id
),
-- Row by row through the index: a night touches few of the many account-months, and a planner that does not know this
-- would sort every balance and booking there is.
moves as (
    select o.account_id, o.month, m.delta, m.delta_day, m.days
    from outdated as o
    cross join lateral (
        select
            coalesce(sum(d.cents - d.before), 0)::bigint as delta,
            coalesce(sum((d.cents - d.before) * extract(day from d.on_date)::bigint), 0)::bigint as delta_day,
            count(*) as days
        from (
            select
                b.on_date,
                (b.balance * 100)::bigint as cents,
                coalesce(
                    lag((b.balance * 100)::bigint) over (order by b.on_date),
                    -- The first of the month is measured from the newest balance before it.
                    (
                        select (e.balance * 100)::bigint
                        from customers_balance as e
                        where e.account_id = o.account_id and e.on_date < o.month
                        order by e.on_date desc
                        limit 1
                    ),
                    0
                ) as before
            from customers_balance as b
            where b.account_id = o.account_id and b.on_date >= o.month and b.on_date < o.month + interval '1 month'
        ) as d
    ) as m
),
bookings as (
    select
        o.account_id, o.month, k.fees, k.counter_count, k.digital_count, k.own_count, k.last_own_day, k.salary_count, k.repaid
    from outdated as o
    cross join lateral (
        select
            coalesce(sum(-t.amount * 100) filter (where t.kind = 'fee'), 0)::bigint as fees,
            (count(*) filter (where t.channel in ('counter', 'phone')))::int as counter_count,
            (count(*) filter (where t.channel not in ('counter', 'phone')))::int as digital_count,
            (count(*) filter (where t.kind <> all (%(bank_made)s::text[])))::int as own_count,
            coalesce(max(extract(day from t.booked_on)) filter (where t.kind <> all (%(bank_made)s::text[])), 0)::smallint
                as last_own_day,
            (count(*) filter (where t.kind = 'salary'))::int as salary_count,
            coalesce(sum(t.amount * 100) filter (where t.kind = 'loan_repayment' and t.amount > 0), 0)::bigint as repaid
        from customers_transaction as t
        where t.account_id = o.account_id and t.booked_on >= o.month and t.booked_on < o.month + interval '1 month'
    ) as k
),
measured as (
    select
        m.account_id, m.month, o.customer_id, m.delta, m.delta_day, k.fees, k.counter_count, k.digital_count,
        k.own_count, k.last_own_day, k.salary_count, k.repaid,
        m.days + k.counter_count + k.digital_count > 0 as has_change
    from outdated as o
    join moves as m on m.account_id = o.account_id and m.month = o.month
    join bookings as k on k.account_id = o.account_id and k.month = o.month
),
-- A correction took the change away, or the account has another owner by now.
gone as (
    delete from segmentation_accountmonth as g
    using measured as m
    where g.account_id = m.account_id and g.month = m.month and (not m.has_change or g.customer_id <> m.customer_id)
),
followed_the_owner as (
    update segmentation_accountmonth as g
    set customer_id = a.customer_id
    from customers_account as a
    where a.id = g.account_id
      and a.customer_id <> g.customer_id
      and a.batch_id in (select id from pending)
      and not exists (select from measured as m where m.account_id = g.account_id and m.month = g.month)
),
noted as (
    insert into segmentation_absorbed (batch_id)
    select id from pending
)
insert into segmentation_accountmonth
    (account_id, month, customer_id, delta, delta_day, fees, counter_count, digital_count, own_count, last_own_day,
     salary_count, repaid)
select
    account_id, month, customer_id, delta, delta_day, fees, counter_count, digital_count, own_count, last_own_day,
    salary_count, repaid
from measured
where has_change
on conflict (account_id, month, customer_id) do update set
    delta = excluded.delta,
    delta_day = excluded.delta_day,
    fees = excluded.fees,
    counter_count = excluded.counter_count,
    digital_count = excluded.digital_count,
    own_count = excluded.own_count,
    last_own_day = excluded.last_own_day,
    salary_count = excluded.salary_count,
    repaid = excluded.repaid
