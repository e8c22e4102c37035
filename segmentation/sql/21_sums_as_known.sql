-- The same as 20_sums_from_months for a date after which the bank learnt more: straight from balances and bookings as
-- they were known then. Each end-of-day balance holds until the day before the next.
-- grain   one row per account with a change
-- reads   customers_balance_as_of, customers_transaction_as_of
-- writes  stage_sum
-- params  as_of, month_first, quarter_first, year_first, rolling_first, recent_firsts, bank_made
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
        sum(cents * greatest(until - greatest(on_date, %(rolling_first)s), 0)) as rolling_sum,
        array[
            sum(cents * greatest(until - greatest(on_date, %(month_first)s), 0)),
            coalesce(sum(cents * (least(until, r.firsts[1]) - greatest(on_date, r.firsts[2])))
                     filter (where until > r.firsts[2] and on_date < r.firsts[1]), 0),
            coalesce(sum(cents * (least(until, r.firsts[2]) - greatest(on_date, r.firsts[3])))
                     filter (where until > r.firsts[3] and on_date < r.firsts[2]), 0),
            coalesce(sum(cents * (least(until, r.firsts[3]) - greatest(on_date, r.firsts[4])))
                     filter (where until > r.firsts[4] and on_date < r.firsts[3]), 0),
            coalesce(sum(cents * (least(until, r.firsts[4]) - greatest(on_date, r.firsts[5])))
                     filter (where until > r.firsts[5] and on_date < r.firsts[4]), 0),
            coalesce(sum(cents * (least(until, r.firsts[5]) - greatest(on_date, r.firsts[6])))
                     filter (where until > r.firsts[6] and on_date < r.firsts[5]), 0),
            coalesce(sum(cents * (least(until, r.firsts[6]) - greatest(on_date, r.firsts[7])))
                     filter (where until > r.firsts[7] and on_date < r.firsts[6]), 0),
            coalesce(sum(cents * (least(until, r.firsts[7]) - greatest(on_date, r.firsts[8])))
                     filter (where until > r.firsts[8] and on_date < r.firsts[7]), 0),
            coalesce(sum(cents * (least(until, r.firsts[8]) - greatest(on_date, r.firsts[9])))
                     filter (where until > r.firsts[9] and on_date < r.firsts[8]), 0),
            coalesce(sum(cents * (least(until, r.firsts[9]) - greatest(on_date, r.firsts[10])))
                     filter (where until > r.firsts[10] and on_date < r.firsts[9]), 0),
            coalesce(sum(cents * (least(until, r.firsts[10]) - greatest(on_date, r.firsts[11])))
                     filter (where until > r.firsts[11] and on_date < r.firsts[10]), 0),
            coalesce(sum(cents * (least(until, r.firsts[11]) - greatest(on_date, r.firsts[12])))
                     filter (where until > r.firsts[12] and on_date < r.firsts[11]), 0)
        ] as recent_sums
    from days
    cross join (select %(recent_firsts)s::date[] as firsts) as r
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
            as rolling_digital,
        count(*) filter (where t.kind <> all (%(bank_made)s::text[]) and t.booked_on > %(as_of)s::date - 90) as own_90d,
        count(*) filter (where t.kind <> all (%(bank_made)s::text[]) and t.booked_on > %(as_of)s::date - 180) as own_180d,
        max(t.booked_on) filter (where t.kind <> all (%(bank_made)s::text[]) and t.booked_on >= %(rolling_first)s)
            as last_own_on,
        bit_or(case when t.booked_on < r.firsts[7] or t.booked_on >= r.firsts[1] then 0
                    when t.booked_on >= r.firsts[2] then 1 when t.booked_on >= r.firsts[3] then 2
                    when t.booked_on >= r.firsts[4] then 4 when t.booked_on >= r.firsts[5] then 8
                    when t.booked_on >= r.firsts[6] then 16 else 32 end)
            filter (where t.kind = 'salary') as salary_mask,
        coalesce(sum(t.amount * 100) filter (where t.kind = 'loan_repayment' and t.amount > 0
                                               and t.booked_on >= r.firsts[4] and t.booked_on < r.firsts[1]), 0) as repaid
    from customers_transaction_as_of(%(as_of)s::date) as t
    cross join (select %(recent_firsts)s::date[] as firsts) as r
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
    coalesce(k.own_90d, 0),
    coalesce(k.own_180d, 0),
    k.last_own_on,
    coalesce(k.salary_mask, 0),
    coalesce(k.repaid, 0),
    coalesce(h.recent_sums, array_fill(0::numeric, array[12]))
from held as h
full join bookings as k using (account_id)
