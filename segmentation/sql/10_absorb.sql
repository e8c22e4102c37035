-- Adds up anew the account-months that batches touched since the last night. One statement, so one snapshot: a batch that
-- is published meanwhile is either wholly in or waits for the next time.
-- grain   one row per account and month with a change
-- reads   customers_feedbatch, customers_feedtouch, customers_balance, customers_transaction, customers_account
-- writes  segmentation_absorbed, segmentation_accountmonth
-- params  none
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
days as (
    select
        o.account_id,
        o.month,
        b.on_date,
        (b.balance * 100)::bigint as cents,
        lag((b.balance * 100)::bigint) over (partition by o.account_id, o.month order by b.on_date) as before
    from outdated as o
    join customers_balance as b
        on b.account_id = o.account_id
        and b.on_date >= o.month
        and b.on_date < o.month + interval '1 month'
        and date_trunc('month', b.on_date::timestamp)::date = o.month
),
changes as (
    select
        d.account_id,
        d.month,
        extract(day from d.on_date)::bigint as day,
        d.cents - coalesce(d.before, earlier.cents, 0) as change
    from days as d
    left join lateral (
        select (b.balance * 100)::bigint as cents
        from customers_balance as b
        where d.before is null and b.account_id = d.account_id and b.on_date < d.month
        order by b.on_date desc
        limit 1
    ) as earlier on true
),
moves as (
    select account_id, month, sum(change)::bigint as delta, sum(change * day)::bigint as delta_day
    from changes
    group by account_id, month
),
bookings as (
    select
        o.account_id,
        o.month,
        coalesce(sum(-t.amount * 100) filter (where t.kind = 'fee'), 0)::bigint as fees,
        (count(*) filter (where t.channel in ('counter', 'phone')))::int as counter_count,
        (count(*) filter (where t.channel not in ('counter', 'phone')))::int as digital_count
    from outdated as o
    join customers_transaction as t
        on t.account_id = o.account_id
        and t.booked_on >= o.month
        and t.booked_on < o.month + interval '1 month'
        and date_trunc('month', t.booked_on::timestamp)::date = o.month
    group by o.account_id, o.month
),
measured as (
    select
        o.account_id,
        o.month,
        o.customer_id,
        coalesce(m.delta, 0) as delta,
        coalesce(m.delta_day, 0) as delta_day,
        coalesce(k.fees, 0) as fees,
        coalesce(k.counter_count, 0) as counter_count,
        coalesce(k.digital_count, 0) as digital_count,
        m.account_id is not null or k.account_id is not null as has_change
    from outdated as o
    left join moves as m on m.account_id = o.account_id and m.month = o.month
    left join bookings as k on k.account_id = o.account_id and k.month = o.month
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
    (account_id, month, customer_id, delta, delta_day, fees, counter_count, digital_count)
select account_id, month, customer_id, delta, delta_day, fees, counter_count, digital_count
from measured
where has_change
on conflict (account_id, month, customer_id) do update set
    delta = excluded.delta,
    delta_day = excluded.delta_day,
    fees = excluded.fees,
    counter_count = excluded.counter_count,
    digital_count = excluded.digital_count
