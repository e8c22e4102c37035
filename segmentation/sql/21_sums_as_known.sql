-- The same as 20_sums_from_months for a date after which the bank learnt more: straight from balances and bookings as
-- they were known then. Each end-of-day balance holds until the day before the next.
-- grain   one row per account with a change
-- reads   customers_balance_as_of, customers_transaction_as_of
-- writes  stage_sum
-- params  as_of, month_first, quarter_first, year_first, rolling_first
with
days as (
    select
        b.account_id,
        b.on_date,
        b.balance * 100 as cents,
        lead(b.on_date, 1, %(as_of)s::date + 1) over (partition by b.account_id order by b.on_date) as until
    from customers_balance_as_of(%(as_of)s::date) as b
    where b.on_date <= %(as_of)s
),
held as (
    select
        account_id,
        coalesce(sum(cents) filter (where until > %(as_of)s), 0) as balance,
        sum(cents * greatest(until - greatest(on_date, %(month_first)s), 0)) as month_sum,
        sum(cents * greatest(until - greatest(on_date, %(quarter_first)s), 0)) as quarter_sum,
        sum(cents * greatest(until - greatest(on_date, %(year_first)s), 0)) as year_sum,
        sum(cents * greatest(until - greatest(on_date, %(rolling_first)s), 0)) as rolling_sum
    from days
    group by account_id
),
bookings as (
    select
        t.account_id,
        coalesce(sum(-t.amount * 100) filter (where t.kind = 'fee' and t.booked_on >= %(month_first)s), 0) as month_fees,
        coalesce(sum(-t.amount * 100) filter (where t.kind = 'fee' and t.booked_on >= %(year_first)s), 0) as year_fees,
        coalesce(sum(-t.amount * 100) filter (where t.kind = 'fee' and t.booked_on >= %(rolling_first)s), 0) as rolling_fees,
        count(*) filter (where t.channel in ('counter', 'phone') and t.booked_on >= %(month_first)s) as month_counter,
        count(*) filter (where t.channel in ('counter', 'phone') and t.booked_on >= %(year_first)s) as year_counter,
        count(*) filter (where t.channel in ('counter', 'phone') and t.booked_on >= %(rolling_first)s) as rolling_counter,
        count(*) filter (where t.channel not in ('counter', 'phone') and t.booked_on >= %(month_first)s) as month_digital,
        count(*) filter (where t.channel not in ('counter', 'phone') and t.booked_on >= %(year_first)s) as year_digital,
        count(*) filter (where t.channel not in ('counter', 'phone') and t.booked_on >= %(rolling_first)s)
            as rolling_digital
    from customers_transaction_as_of(%(as_of)s::date) as t
    where t.booked_on <= %(as_of)s and t.booked_on >= least(%(year_first)s::date, %(rolling_first)s::date)
    group by t.account_id
)
insert into stage_sum
select
    account_id,
    coalesce(h.balance, 0),
    coalesce(h.month_sum, 0),
    coalesce(h.quarter_sum, 0),
    coalesce(h.year_sum, 0),
    coalesce(h.rolling_sum, 0),
    coalesce(k.month_fees, 0),
    coalesce(k.year_fees, 0),
    coalesce(k.rolling_fees, 0),
    coalesce(k.month_counter, 0),
    coalesce(k.year_counter, 0),
    coalesce(k.rolling_counter, 0),
    coalesce(k.month_digital, 0),
    coalesce(k.year_digital, 0),
    coalesce(k.rolling_digital, 0),
    0,
    0,
    null::date,
    0::smallint,
    0::numeric,
    array_fill(0::numeric, array[12])
from held as h
full join bookings as k using (account_id)
