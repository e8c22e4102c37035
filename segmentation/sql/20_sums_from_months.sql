-- What each account held and did in the periods that end on the night's date, from the accumulators. They must hold
-- nothing the bank learnt later than that date; any other night takes 21_sums_as_known. A change on day d adds
-- change × (T − d + 1) to the sum over the days up to T, which is linear: no row per calendar day.
-- grain   one row per account with a change
-- reads   segmentation_accountmonth, customers_balance_as_of, customers_transaction_as_of
-- writes  stage_sum
-- params  as_of, month_first, quarter_first, year_first, rolling_first, quarter_days, year_days, rolling_days, month_days
with
months as (
    select
        g.account_id,
        sum(g.delta) as balance,
        sum(case when g.month < %(month_first)s then g.delta * %(month_days)s
                 else g.delta * (%(as_of)s::date - g.month + 2) - g.delta_day end) as month_sum,
        sum(case when g.month < %(quarter_first)s then g.delta * %(quarter_days)s
                 else g.delta * (%(as_of)s::date - g.month + 2) - g.delta_day end) as quarter_sum,
        sum(case when g.month < %(year_first)s then g.delta * %(year_days)s
                 else g.delta * (%(as_of)s::date - g.month + 2) - g.delta_day end) as year_sum,
        sum(case when g.month < date_trunc('month', %(rolling_first)s::timestamp)::date then g.delta * %(rolling_days)s
                 else g.delta * (%(as_of)s::date - g.month + 2) - g.delta_day end) as rolling_sum,
        coalesce(sum(g.delta) filter (where g.month < date_trunc('month', %(rolling_first)s::timestamp)::date), 0) as opening,
        coalesce(sum(g.fees) filter (where g.month >= %(month_first)s), 0) as month_fees,
        coalesce(sum(g.fees) filter (where g.month >= %(year_first)s), 0) as year_fees,
        coalesce(sum(g.fees) filter (where g.month >= date_trunc('month', %(rolling_first)s::timestamp)::date), 0)
            as rolling_fees,
        coalesce(sum(g.counter_count) filter (where g.month >= %(month_first)s), 0) as month_counter,
        coalesce(sum(g.counter_count) filter (where g.month >= %(year_first)s), 0) as year_counter,
        coalesce(sum(g.counter_count) filter (where g.month >= date_trunc('month', %(rolling_first)s::timestamp)::date), 0)
            as rolling_counter,
        coalesce(sum(g.digital_count) filter (where g.month >= %(month_first)s), 0) as month_digital,
        coalesce(sum(g.digital_count) filter (where g.month >= %(year_first)s), 0) as year_digital,
        coalesce(sum(g.digital_count) filter (where g.month >= date_trunc('month', %(rolling_first)s::timestamp)::date), 0)
            as rolling_digital
    from segmentation_accountmonth as g
    where g.month <= %(as_of)s
    group by g.account_id
),
-- The rolling year begins within a month: what changed in that month before it began counts from its first day on.
early_days as (
    select
        b.account_id,
        b.on_date,
        b.balance * 100 as cents,
        lead(b.on_date, 1, %(rolling_first)s::date) over (partition by b.account_id order by b.on_date) as until
    from customers_balance_as_of(%(as_of)s::date) as b
    where b.on_date >= date_trunc('month', %(rolling_first)s::timestamp)::date and b.on_date < %(rolling_first)s
),
early as (
    select account_id, min(on_date) as first_day, sum(cents * (until - on_date)) as day_sum
    from early_days
    group by account_id
),
early_bookings as (
    select
        t.account_id,
        coalesce(sum(-t.amount * 100) filter (where t.kind = 'fee'), 0) as fees,
        count(*) filter (where t.channel in ('counter', 'phone')) as counter_count,
        count(*) filter (where t.channel not in ('counter', 'phone')) as digital_count
    from customers_transaction_as_of(%(as_of)s::date) as t
    where t.booked_on >= date_trunc('month', %(rolling_first)s::timestamp)::date and t.booked_on < %(rolling_first)s
    group by t.account_id
)
insert into stage_sum
select
    m.account_id,
    m.balance,
    m.month_sum,
    m.quarter_sum,
    m.year_sum,
    m.rolling_sum + coalesce(m.opening * (%(rolling_first)s::date - e.first_day) - e.day_sum, 0),
    m.month_fees,
    m.year_fees,
    m.rolling_fees - coalesce(k.fees, 0),
    m.month_counter,
    m.year_counter,
    m.rolling_counter - coalesce(k.counter_count, 0),
    m.month_digital,
    m.year_digital,
    m.rolling_digital - coalesce(k.digital_count, 0),
    0,
    0,
    null::date,
    0::smallint,
    0::numeric,
    array_fill(0::numeric, array[12])
from months as m
left join early as e on e.account_id = m.account_id
left join early_bookings as k on k.account_id = m.account_id
