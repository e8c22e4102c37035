-- What each customer does and holds, added up over his accounts, and where he is in his life with the bank
-- (segmentation/behaviour.py says how).
-- grain   one row per customer
-- reads   customers_customer_as_of, customers_outsideholding_as_of, customers_transaction_as_of, segmentation_accountmeasure,
--         segmentation_contribution, stage_fx
-- writes  segmentation_behaviour
-- params  run_id, as_of, base_currency, families, product_classes, default_fx, recent_days, payroll_from_months,
--         dormant_after, lost_share, lost_below, new_for, bank_made
with
sides as (
    select f.family, f.side from jsonb_to_recordset(%(families)s::jsonb) as f (family text, side text)
),
classes as (
    select c.key as family, c.value as class from jsonb_each_text(%(product_classes)s::jsonb) as c
),
measures as (
    select
        m.customer_id, m.side, m.is_open, m.fx_rate, m.own_90d, m.own_180d, m.last_own_on, m.salary_mask, m.outflow_mask,
        m.repaid, m.recent_sums, m.points_month, m.points_year, c.class
    from segmentation_accountmeasure as m
    left join classes as c on c.family = m.family
    where m.run_id = %(run_id)s
),
added as (
    select
        m.customer_id,
        coalesce(array_agg(distinct m.class collate "C") filter (where m.is_open and m.class is not null), '{}') as classes,
        sum(m.own_90d) as own_90d,
        sum(m.own_180d) as own_180d,
        max(m.last_own_on) as last_own_on,
        bit_or(m.salary_mask) as salary_mask,
        bit_or(m.outflow_mask) as outflow_mask,
        sum(round(m.repaid * m.fx_rate, 2)) as repaid,
        array[
            coalesce(sum(m.recent_sums[1] * m.fx_rate) filter (where m.side = 'deposit'), 0),
            coalesce(sum(m.recent_sums[2] * m.fx_rate) filter (where m.side = 'deposit'), 0),
            coalesce(sum(m.recent_sums[3] * m.fx_rate) filter (where m.side = 'deposit'), 0),
            coalesce(sum(m.recent_sums[4] * m.fx_rate) filter (where m.side = 'deposit'), 0),
            coalesce(sum(m.recent_sums[5] * m.fx_rate) filter (where m.side = 'deposit'), 0),
            coalesce(sum(m.recent_sums[6] * m.fx_rate) filter (where m.side = 'deposit'), 0),
            coalesce(sum(m.recent_sums[7] * m.fx_rate) filter (where m.side = 'deposit'), 0),
            coalesce(sum(m.recent_sums[8] * m.fx_rate) filter (where m.side = 'deposit'), 0),
            coalesce(sum(m.recent_sums[9] * m.fx_rate) filter (where m.side = 'deposit'), 0),
            coalesce(sum(m.recent_sums[10] * m.fx_rate) filter (where m.side = 'deposit'), 0),
            coalesce(sum(m.recent_sums[11] * m.fx_rate) filter (where m.side = 'deposit'), 0),
            coalesce(sum(m.recent_sums[12] * m.fx_rate) filter (where m.side = 'deposit'), 0)
        ] as deposit_sums,
        array[
            coalesce(sum(m.recent_sums[1] * m.fx_rate) filter (where m.side in ('deposit', 'investment')), 0),
            coalesce(sum(m.recent_sums[2] * m.fx_rate) filter (where m.side in ('deposit', 'investment')), 0),
            coalesce(sum(m.recent_sums[3] * m.fx_rate) filter (where m.side in ('deposit', 'investment')), 0),
            coalesce(sum(m.recent_sums[4] * m.fx_rate) filter (where m.side in ('deposit', 'investment')), 0),
            coalesce(sum(m.recent_sums[5] * m.fx_rate) filter (where m.side in ('deposit', 'investment')), 0),
            coalesce(sum(m.recent_sums[6] * m.fx_rate) filter (where m.side in ('deposit', 'investment')), 0),
            coalesce(sum(m.recent_sums[7] * m.fx_rate) filter (where m.side in ('deposit', 'investment')), 0),
            coalesce(sum(m.recent_sums[8] * m.fx_rate) filter (where m.side in ('deposit', 'investment')), 0),
            coalesce(sum(m.recent_sums[9] * m.fx_rate) filter (where m.side in ('deposit', 'investment')), 0),
            coalesce(sum(m.recent_sums[10] * m.fx_rate) filter (where m.side in ('deposit', 'investment')), 0),
            coalesce(sum(m.recent_sums[11] * m.fx_rate) filter (where m.side in ('deposit', 'investment')), 0),
            coalesce(sum(m.recent_sums[12] * m.fx_rate) filter (where m.side in ('deposit', 'investment')), 0)
        ] as asset_sums,
        sum(m.points_month) as points_month,
        sum(m.points_year) as points_year
    from measures as m
    group by m.customer_id
),
-- What a customer is known to hold elsewhere: the newest word on each bank and family.
outside as (
    select
        n.customer_id,
        sum(round(n.amount * case when n.currency = %(base_currency)s then 1 else coalesce(x.rate, %(default_fx)s) end, 2))
            as assets
    from (
        select distinct on (h.customer_id, h.bank_name, h.family) h.customer_id, h.family, h.amount, h.currency
        from customers_outsideholding_as_of(%(as_of)s::date) as h
        where h.as_of <= %(as_of)s
        order by h.customer_id, h.bank_name, h.family, h.as_of desc
    ) as n
    join sides as s on s.family = n.family and s.side in ('deposit', 'investment')
    left join stage_fx as x on x.currency = n.currency
    group by n.customer_id
),
-- Silence is only known where bookings of that time were delivered at all.
heard as materialized (
    select
        exists (
            select from customers_transaction_as_of(%(as_of)s::date) as t where t.booked_on <= %(as_of)s::date - %(dormant_after)s
        ) as long_enough,
        exists (
            select from customers_transaction_as_of(%(as_of)s::date) as t
            where t.booked_on <= %(as_of)s::date - 90 - %(dormant_after)s
        ) as longer
),
customers as (
    select c.id as customer_id, c.opened_on, coalesce(c.closed_on <= %(as_of)s, false) as is_closed
    from customers_customer_as_of(%(as_of)s::date) as c
    join segmentation_contribution as k on k.run_id = %(run_id)s and k.period = 'ytd' and k.customer_id = c.id
),
-- Whoever booked in the last 90 days and not in the 90 before may have woken up, unless he did so shortly before these.
maybe_woken as (
    select a.customer_id
    from added as a
    join customers as c on c.customer_id = a.customer_id
    where a.own_90d > 0 and a.own_180d = a.own_90d and c.opened_on <= %(as_of)s::date - 90 - %(dormant_after)s
),
awake_before as (
    select distinct m.customer_id
    from customers_transaction_as_of(%(as_of)s::date) as t
    join segmentation_accountmeasure as m on m.run_id = %(run_id)s and m.account_id = t.account_id
    where t.booked_on > %(as_of)s::date - 90 - %(dormant_after)s and t.booked_on <= %(as_of)s::date - 180
      and t.kind <> all (%(bank_made)s::text[])
      and m.customer_id in (select w.customer_id from maybe_woken as w)
),
known as (
    select
        c.customer_id, c.opened_on, c.is_closed,
        coalesce(a.classes, '{}') as classes,
        coalesce(a.own_90d, 0) as own_90d,
        coalesce(a.own_180d, 0) as own_180d,
        a.last_own_on,
        coalesce(a.salary_mask, 0) as salary_mask,
        coalesce(a.outflow_mask, 0) as outflow_mask,
        coalesce(a.repaid, 0) as repaid,
        coalesce(a.asset_sums, array_fill(0::numeric, array[12])) as asset_sums,
        coalesce(a.deposit_sums, array_fill(0::numeric, array[12])) as deposit_sums,
        coalesce(a.points_month, 0) as points_month,
        coalesce(a.points_year, 0) as points_year,
        o.assets as outside_assets,
        h.longer and w.customer_id is not null and b.customer_id is null as has_woken,
        h.long_enough
        and c.opened_on <= %(as_of)s::date - %(dormant_after)s
        and coalesce(a.last_own_on <= %(as_of)s::date - %(dormant_after)s, true) as is_silent
    from customers as c
    cross join heard as h
    left join added as a on a.customer_id = c.customer_id
    left join outside as o on o.customer_id = c.customer_id
    left join maybe_woken as w on w.customer_id = c.customer_id
    left join awake_before as b on b.customer_id = c.customer_id
),
judged as (
    select
        k.*,
        k.asset_sums[4] + k.asset_sums[5] + k.asset_sums[6] as before_sum,
        d.days[4] + d.days[5] + d.days[6] as before_days,
        d.days[1] as month_days
    from known as k
    cross join (select %(recent_days)s::int[] as days) as d
)
insert into segmentation_behaviour
    (run_id, customer_id, as_of, classes, own_90d, own_180d, last_own_on, salary_mask, outflow_mask, repaid, asset_sums,
     deposit_sums, points_month, points_year, outside_assets, life)
select
    %(run_id)s, j.customer_id, %(as_of)s,
    case when bit_count(j.salary_mask::int::bit(6)) < %(payroll_from_months)s then j.classes
         else array(select distinct u.class collate "C" from unnest(j.classes || 'payroll'::text) as u (class) order by 1)
    end,
    j.own_90d, j.own_180d, j.last_own_on, j.salary_mask, j.outflow_mask, j.repaid, j.asset_sums, j.deposit_sums,
    j.points_month, j.points_year, j.outside_assets,
    case
        when j.is_closed then 'closed'
        when j.opened_on > %(as_of)s::date - %(new_for)s then 'new'
        when j.before_sum > 0
            and j.asset_sums[1] * j.before_days < %(lost_share)s * j.before_sum * j.month_days
            and (j.asset_sums[1] < %(lost_below)s * j.month_days or j.is_silent) then 'lost'
        when j.is_silent then 'dormant'
        when j.has_woken then 'reactivated'
        else 'active'
    end
from judged as j
