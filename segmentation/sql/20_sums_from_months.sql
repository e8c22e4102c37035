-- What each account held and did in the periods that end on the night's date, from the accumulators. They must hold
-- nothing the bank learnt later than that date; any other night takes 21_sums_as_known. A change on day d adds
-- change × (T − d + 1) to the sum over the days up to T, which is linear: no row per calendar day.
-- grain   one row per account with a change
-- reads   segmentation_accountmonth, customers_balance_as_of, customers_transaction_as_of
-- writes  stage_sum
-- params  as_of, month_first, quarter_first, year_first, rolling_first, quarter_days, year_days, rolling_days, month_days,
--         recent_firsts, recent_days, bank_made
with
months as (
    select
        g.account_id,
        sum(g.delta) as balance,
        sum(case when g.month < %(month_first)s then g.delta * %(month_days)s
                 else g.delta * (%(as_of)s::date - g.month + 2) - g.delta_day end) as month_sum,
        -- The largest move the feed takes fits a bigint times the days of a month, but not of a year.
        sum(case when g.month < %(quarter_first)s then g.delta::numeric * %(quarter_days)s
                 else g.delta::numeric * (%(as_of)s::date - g.month + 2) - g.delta_day end) as quarter_sum,
        sum(case when g.month < %(year_first)s then g.delta::numeric * %(year_days)s
                 else g.delta::numeric * (%(as_of)s::date - g.month + 2) - g.delta_day end) as year_sum,
        sum(case when g.month < date_trunc('month', %(rolling_first)s::timestamp)::date then g.delta::numeric * %(rolling_days)s
                 else g.delta::numeric * (%(as_of)s::date - g.month + 2) - g.delta_day end) as rolling_sum,
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
            as rolling_digital,
        coalesce(sum(g.own_count) filter (where g.month >= date_trunc('month', (%(as_of)s::date - 89)::timestamp)::date), 0)
            as own_90d,
        coalesce(sum(g.own_count) filter (where g.month >= date_trunc('month', (%(as_of)s::date - 179)::timestamp)::date), 0)
            as own_180d,
        max(g.month + g.last_own_day - 1) filter (where g.last_own_day > 0) as last_own_on,
        bit_or(case g.month when r.firsts[2] then 1 when r.firsts[3] then 2 when r.firsts[4] then 4 when r.firsts[5] then 8
                            when r.firsts[6] then 16 when r.firsts[7] then 32 else 0 end)
            filter (where g.salary_count > 0) as salary_mask,
        coalesce(sum(g.repaid) filter (where g.month >= r.firsts[4] and g.month < r.firsts[1]), 0) as repaid,
        array[
            sum(case when g.month < %(month_first)s then g.delta * %(month_days)s
                     else g.delta * (%(as_of)s::date - g.month + 2) - g.delta_day end),
            sum(case when g.month < r.firsts[2] then g.delta * r.days[2]
                     when g.month = r.firsts[2] then g.delta * (r.days[2] + 1) - g.delta_day else 0 end),
            sum(case when g.month < r.firsts[3] then g.delta * r.days[3]
                     when g.month = r.firsts[3] then g.delta * (r.days[3] + 1) - g.delta_day else 0 end),
            sum(case when g.month < r.firsts[4] then g.delta * r.days[4]
                     when g.month = r.firsts[4] then g.delta * (r.days[4] + 1) - g.delta_day else 0 end),
            sum(case when g.month < r.firsts[5] then g.delta * r.days[5]
                     when g.month = r.firsts[5] then g.delta * (r.days[5] + 1) - g.delta_day else 0 end),
            sum(case when g.month < r.firsts[6] then g.delta * r.days[6]
                     when g.month = r.firsts[6] then g.delta * (r.days[6] + 1) - g.delta_day else 0 end),
            sum(case when g.month < r.firsts[7] then g.delta * r.days[7]
                     when g.month = r.firsts[7] then g.delta * (r.days[7] + 1) - g.delta_day else 0 end),
            sum(case when g.month < r.firsts[8] then g.delta * r.days[8]
                     when g.month = r.firsts[8] then g.delta * (r.days[8] + 1) - g.delta_day else 0 end),
            sum(case when g.month < r.firsts[9] then g.delta * r.days[9]
                     when g.month = r.firsts[9] then g.delta * (r.days[9] + 1) - g.delta_day else 0 end),
            sum(case when g.month < r.firsts[10] then g.delta * r.days[10]
                     when g.month = r.firsts[10] then g.delta * (r.days[10] + 1) - g.delta_day else 0 end),
            sum(case when g.month < r.firsts[11] then g.delta * r.days[11]
                     when g.month = r.firsts[11] then g.delta * (r.days[11] + 1) - g.delta_day else 0 end),
            sum(case when g.month < r.firsts[12] then g.delta * r.days[12]
                     when g.month = r.firsts[12] then g.delta * (r.days[12] + 1) - g.delta_day else 0 end)
        ] as recent_sums
    from segmentation_accountmonth as g
    -- Constants to the planner.
    cross join (select %(recent_firsts)s::date[] as firsts, %(recent_days)s::int[] as days) as r
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
-- So do the windows of 90 and 180 days.
early_bookings as (
    select
        t.account_id,
        coalesce(sum(-t.amount * 100) filter (where t.kind = 'fee' and t.booked_on < %(rolling_first)s), 0) as fees,
        count(*) filter (where t.channel in ('counter', 'phone') and t.booked_on < %(rolling_first)s) as counter_count,
        count(*) filter (where t.channel not in ('counter', 'phone') and t.booked_on < %(rolling_first)s) as digital_count,
        count(*) filter (where t.kind <> all (%(bank_made)s::text[])
                           and t.booked_on >= date_trunc('month', (%(as_of)s::date - 89)::timestamp)::date) as own_before_90d,
        count(*) filter (where t.kind <> all (%(bank_made)s::text[])
                           and t.booked_on >= date_trunc('month', (%(as_of)s::date - 179)::timestamp)::date
                           and t.booked_on < %(as_of)s::date - 179) as own_before_180d
    from customers_transaction_as_of(%(as_of)s::date) as t
    where t.booked_on >= date_trunc('month', %(rolling_first)s::timestamp)::date and t.booked_on < %(rolling_first)s
       or t.booked_on >= date_trunc('month', (%(as_of)s::date - 179)::timestamp)::date
          and t.booked_on < %(as_of)s::date - 179
       or t.booked_on >= date_trunc('month', (%(as_of)s::date - 89)::timestamp)::date
          and t.booked_on < %(as_of)s::date - 89
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
    m.own_90d - coalesce(k.own_before_90d, 0),
    m.own_180d - coalesce(k.own_before_180d, 0),
    case when m.last_own_on >= %(rolling_first)s then m.last_own_on end,
    coalesce(m.salary_mask, 0),
    m.repaid,
    m.recent_sums
from months as m
left join early as e on e.account_id = m.account_id
left join early_bookings as k on k.account_id = m.account_id
