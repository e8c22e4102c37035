-- Fills empty accumulators from every balance and booking there is.
-- grain   one row per account and month with a change
-- reads   customers_feedbatch, customers_balance, customers_transaction, customers_account
-- writes  segmentation_absorbed, segmentation_accountmonth
-- params  bank_made
with
days as (
    select
        b.account_id,
        b.on_date,
        (b.balance * 100)::bigint as cents,
        lag((b.balance * 100)::bigint, 1, 0::bigint) over (partition by b.account_id order by b.on_date) as before
    from customers_balance as b
),
moves as (
    select
        account_id,
        date_trunc('month', on_date::timestamp)::date as month,
        sum(cents - before)::bigint as delta,
        sum((cents - before) * extract(day from on_date)::bigint)::bigint as delta_day
    from days
    group by 1, 2
),
bookings as (
    select
        t.account_id,
        date_trunc('month', t.booked_on::timestamp)::date as month,
        coalesce(sum(-t.amount * 100) filter (where t.kind = 'fee'), 0)::bigint as fees,
        (count(*) filter (where t.channel in ('counter', 'phone')))::int as counter_count,
        (count(*) filter (where t.channel not in ('counter', 'phone')))::int as digital_count,
        (count(*) filter (where t.kind <> all (%(bank_made)s::text[])))::int as own_count,
        coalesce(max(extract(day from t.booked_on)) filter (where t.kind <> all (%(bank_made)s::text[])), 0)::smallint
            as last_own_day,
        (count(*) filter (where t.kind = 'salary'))::int as salary_count,
        coalesce(sum(t.amount * 100) filter (where t.kind = 'loan_repayment' and t.amount > 0), 0)::bigint as repaid
    from customers_transaction as t
    group by 1, 2
),
noted as (
    insert into segmentation_absorbed (batch_id)
    select b.id
    from customers_feedbatch as b
    where b.state in ('published', 'replaced')
)
insert into segmentation_accountmonth
    (account_id, month, customer_id, delta, delta_day, fees, counter_count, digital_count, own_count, last_own_day,
     salary_count, repaid)
select
    x.account_id,
    x.month,
    a.customer_id,
    coalesce(x.delta, 0),
    coalesce(x.delta_day, 0),
    coalesce(x.fees, 0),
    coalesce(x.counter_count, 0),
    coalesce(x.digital_count, 0),
    coalesce(x.own_count, 0),
    coalesce(x.last_own_day, 0),
    coalesce(x.salary_count, 0),
    coalesce(x.repaid, 0)
from (
    select
        account_id, month, m.delta, m.delta_day, k.fees, k.counter_count, k.digital_count, k.own_count, k.last_own_day,
        k.salary_count, k.repaid
    from moves as m
    full join bookings as k using (account_id, month)
) as x
join customers_account as a on a.id = x.account_id
