-- Balance, day sums, rates used and the rounded lines of the contribution of every account known on the night's date.
-- A product of day sum and rate is divided once, with 30 decimals, and rounded once: exact to the cent.
-- grain   one row per account opened on or before the date
-- reads   customers_account_as_of, customers_product_as_of, customers_customer_as_of, stage_sum, stage_outflow, stage_fx,
--         stage_curve
-- writes  segmentation_accountmeasure
-- params  run_id, as_of, base_currency, families, classes, bands, default_fx, day_base, year_base, counter_cost,
--         digital_cost, maintenance, lgd_unsecured, lgd_secured, rw_company, rw_sme, rw_retail, rw_mortgage,
--         rw_mortgage_high, sme_limit, surcharge, capital_ratio, hurdle, month_days, year_days, rolling_days,
--         month_first, year_first, rolling_first, recent_days, term_floors, term_coefficients, point_families,
--         point_coefficients
with
families as (
    select f.family, f.side, f.interest, f.transfer, f.fee
    from jsonb_to_recordset(%(families)s::jsonb)
        as f (family text, side text, interest numeric, transfer numeric, fee numeric)
),
classes as (
    select c.class, c.pd from jsonb_to_recordset(%(classes)s::jsonb) as c (class text, pd numeric)
),
bands as (
    select b.upto, b.weight from jsonb_to_recordset(%(bands)s::jsonb) as b (upto numeric, weight numeric)
),
accounts as (
    select
        a.id as account_id, a.customer_id, a.product_id, a.currency, a.opened_on, a.matures_on, a.interest_rate,
        a.transfer_rate, a.five_class, a.days_past_due, a.collateral_value,
        (a.closed_on is null or a.closed_on > %(as_of)s) and a.status <> 'closed' as is_open, least(a.closed_on, %(as_of)s) as last_day
    from customers_account_as_of(%(as_of)s::date) as a
    where a.opened_on <= %(as_of)s
),
products as (
    select p.id as product_id, p.family, p.sales_fee_rate from customers_product_as_of(%(as_of)s::date) as p
),
owners as (
    select c.id as customer_id, c.kind, c.annual_revenue from customers_customer_as_of(%(as_of)s::date) as c
),
held as (
    select
        a.account_id, a.customer_id, a.product_id, a.currency, a.opened_on, a.matures_on, a.five_class, a.days_past_due, a.collateral_value,
        a.is_open, a.interest_rate as fed_interest, a.transfer_rate as fed_transfer, p.sales_fee_rate as fed_fee,
        p.family, f.side, f.interest, f.transfer, f.fee,
        o.kind, o.annual_revenue,
        greatest(a.last_day - greatest(a.opened_on, %(month_first)s) + 1, 0) as month_open,
        greatest(a.last_day - greatest(a.opened_on, %(year_first)s) + 1, 0) as year_open,
        greatest(a.last_day - greatest(a.opened_on, %(rolling_first)s) + 1, 0) as rolling_open,
        case when a.currency = %(base_currency)s then 1 else fx.rate end as fed_fx,
        coalesce(s.balance, 0) * 0.01 as balance,
        coalesce(s.month_sum, 0) * 0.01 as month_sum,
        coalesce(s.quarter_sum, 0) * 0.01 as quarter_sum,
        coalesce(s.year_sum, 0) * 0.01 as year_sum,
        coalesce(s.rolling_sum, 0) * 0.01 as rolling_sum,
        coalesce(s.month_fees, 0) as month_fees,
        coalesce(s.year_fees, 0) as year_fees,
        coalesce(s.rolling_fees, 0) as rolling_fees,
        coalesce(s.month_counter, 0) as month_counter,
        coalesce(s.year_counter, 0) as year_counter,
        coalesce(s.rolling_counter, 0) as rolling_counter,
        coalesce(s.month_digital, 0) as month_digital,
        coalesce(s.year_digital, 0) as year_digital,
        coalesce(s.rolling_digital, 0) as rolling_digital,
        coalesce(s.own_90d, 0) as own_90d,
        coalesce(s.own_180d, 0) as own_180d,
        s.last_own_on,
        coalesce(s.salary_mask, 0) as salary_mask,
        coalesce(u.mask, 0) as outflow_mask,
        coalesce(s.repaid, 0) * 0.01 as repaid,
        coalesce(s.recent_sums, array_fill(0::numeric, array[12])) as recent_cents,
        case
            when f.side <> 'deposit' then 0
            when p.family = 'term_deposit' then
                -- A term deposit that says no end counts as one of a year.
                (%(term_coefficients)s::numeric[])[1 + width_bucket(coalesce(a.matures_on - a.opened_on, 365), %(term_floors)s::int[])]
            else coalesce((%(point_coefficients)s::numeric[])[array_position(%(point_families)s::text[], p.family::text)], 0)
        end as point_coefficient
    from accounts as a
    join products as p on p.product_id = a.product_id
    join families as f on f.family = p.family
    join owners as o on o.customer_id = a.customer_id
    left join stage_sum as s on s.account_id = a.account_id
    left join stage_outflow as u on u.account_id = a.account_id
    left join stage_fx as fx on fx.currency = a.currency
),
-- The price of the day the account was opened, at the longest term that is not longer than its own.
curved as (
    select
        h.*,
        coalesce(h.fed_transfer, at_term.rate, shortest.rate) as given_transfer
    from held as h
    left join lateral (
        select c.rate
        from stage_curve as c
        where h.fed_transfer is null and h.side in ('deposit', 'debt')
          and c.currency = h.currency and c.valid_from <= h.opened_on
          and c.term_days <= coalesce(h.matures_on - h.opened_on, 0)
        order by c.term_days desc, c.valid_from desc
        limit 1
    ) as at_term on true
    left join lateral (
        select c.rate
        from stage_curve as c
        where h.fed_transfer is null and at_term.rate is null and h.side in ('deposit', 'debt')
          and c.currency = h.currency and c.valid_from <= h.opened_on
        order by c.term_days, c.valid_from desc
        limit 1
    ) as shortest on true
),
rated as (
    select
        c.*,
        coalesce(c.fed_fx, %(default_fx)s)::numeric(18, 8) as fx_rate,
        case when c.side in ('deposit', 'debt') then coalesce(c.fed_interest, c.interest)::numeric(12, 6) end as used_interest,
        case when c.side in ('deposit', 'debt') then coalesce(c.given_transfer, c.transfer)::numeric(12, 6) end as used_transfer,
        case when c.side = 'investment' then coalesce(c.fed_fee, c.fee)::numeric(12, 6) end as used_fee,
        case c.side when 'service' then 0 when 'investment' then 3
            else 4 + (c.side = 'debt')::int + (c.family = 'mortgage')::int end as inputs_asked,
        -- The balance is always given: a day without a row carries the last one forward.
        case c.side when 'service' then 0
            when 'investment' then 1 + (c.fed_fx is not null)::int + (c.fed_fee is not null)::int
            else 1 + (c.fed_fx is not null)::int + (c.fed_interest is not null)::int + (c.given_transfer is not null)::int
                + (c.side = 'debt' and c.five_class is not null)::int
                + (c.family = 'mortgage' and c.collateral_value is not null)::int end as inputs_given,
        case when c.side = 'debt' then k.pd else 0 end as pd,
        case when c.collateral_value > 0 then %(lgd_secured)s else %(lgd_unsecured)s end as lgd,
        case
            when c.side <> 'debt' then 0
            when c.family = 'mortgage' and coalesce(c.collateral_value, 0) <= 0 then %(rw_mortgage)s
            when c.family = 'mortgage' then coalesce(band.weight, %(rw_mortgage_high)s)
            when c.kind = 'individual' then %(rw_retail)s
            when c.annual_revenue < %(sme_limit)s then %(rw_sme)s
            else %(rw_company)s
        end as risk_weight
    from curved as c
    left join classes as k on k.class = coalesce(c.five_class, 'normal')
    left join lateral (
        select b.weight
        from bands as b
        where c.family = 'mortgage' and c.collateral_value > 0 and c.balance <= b.upto * c.collateral_value
        order by b.upto
        limit 1
    ) as band on true
),
priced as (
    select
        r.*,
        (r.fx_rate * case r.side
            when 'deposit' then r.used_transfer - r.used_interest
            when 'debt' then r.used_interest - r.used_transfer
            when 'investment' then r.used_fee
            else 0 end)::numeric(60, 30) as margin_factor,
        100 * case when r.side = 'investment' then %(year_base)s else %(day_base)s end as margin_base,
        (r.fx_rate * case when r.side = 'debt' then r.used_interest else 0 end)::numeric(60, 30) as interest_factor,
        (r.fx_rate * coalesce(r.pd, 0) * r.lgd)::numeric(60, 30) as loss_factor,
        (r.fx_rate * r.risk_weight * %(capital_ratio)s)::numeric(60, 30) as capital_factor,
        (r.fx_rate * r.point_coefficient)::numeric(60, 30) as point_factor
    from rated as r
)
insert into segmentation_accountmeasure
    (run_id, customer_id, account_id, product_id, as_of, family, side, currency, fx_rate, interest_rate, transfer_rate,
     fee_rate, inputs_asked, inputs_given, balance, month_sum, quarter_sum, year_sum, rolling_sum,
     is_open, days_past_due, five_class, own_90d, own_180d, last_own_on, salary_mask, outflow_mask, repaid, recent_sums,
     points_month, points_year,
     mtd_margin, mtd_fee, mtd_operation, mtd_loss, mtd_surcharge, mtd_capital, mtd_capital_cost,
     ytd_margin, ytd_fee, ytd_operation, ytd_loss, ytd_surcharge, ytd_capital, ytd_capital_cost,
     r12_margin, r12_fee, r12_operation, r12_loss, r12_surcharge, r12_capital, r12_capital_cost)
select
    %(run_id)s, p.customer_id, p.account_id, p.product_id, %(as_of)s, p.family, p.side, p.currency, p.fx_rate,
    p.used_interest, p.used_transfer, p.used_fee, p.inputs_asked, p.inputs_given,
    p.balance, p.month_sum, p.quarter_sum, p.year_sum, p.rolling_sum,
    p.is_open, p.days_past_due, p.five_class, p.own_90d, p.own_180d, p.last_own_on, p.salary_mask, p.outflow_mask, p.repaid,
    -- Sums over days are whole hundredths. Spelt out: a subquery for each account would take four times as long.
    array[
        p.recent_cents[1] * 0.01, p.recent_cents[2] * 0.01, p.recent_cents[3] * 0.01, p.recent_cents[4] * 0.01,
        p.recent_cents[5] * 0.01, p.recent_cents[6] * 0.01, p.recent_cents[7] * 0.01, p.recent_cents[8] * 0.01,
        p.recent_cents[9] * 0.01, p.recent_cents[10] * 0.01, p.recent_cents[11] * 0.01, p.recent_cents[12] * 0.01
    ],
    round(greatest(p.month_sum, 0) * p.point_factor / (10000 * %(month_days)s), 2),
    case when p.point_factor = 0 then 0 else (
        select sum(round(greatest(n.cents, 0) * p.point_factor / (100 * 10000 * n.days), 2))
        from unnest(p.recent_cents, %(recent_days)s::int[]) with ordinality as n (cents, days, i)
        where n.i <= extract(month from %(as_of)s::date)
    ) end,
    round(p.month_sum * p.margin_factor / p.margin_base, 2),
    round(p.month_fees * p.fx_rate * 0.01, 2),
    round(p.month_counter * %(counter_cost)s + p.month_digital * %(digital_cost)s
          + (p.month_open * %(maintenance)s)::numeric(60, 30) / %(year_base)s, 2),
    round(p.month_sum * p.loss_factor / %(year_base)s, 2),
    round((p.month_sum * p.interest_factor + p.month_fees * p.fx_rate * 0.01 * p.margin_base) * %(surcharge)s / p.margin_base, 2),
    round(p.month_sum * p.capital_factor / %(month_days)s, 2),
    round(p.month_sum * p.capital_factor * %(hurdle)s / %(year_base)s, 2),
    round(p.year_sum * p.margin_factor / p.margin_base, 2),
    round(p.year_fees * p.fx_rate * 0.01, 2),
    round(p.year_counter * %(counter_cost)s + p.year_digital * %(digital_cost)s
          + (p.year_open * %(maintenance)s)::numeric(60, 30) / %(year_base)s, 2),
    round(p.year_sum * p.loss_factor / %(year_base)s, 2),
    round((p.year_sum * p.interest_factor + p.year_fees * p.fx_rate * 0.01 * p.margin_base) * %(surcharge)s / p.margin_base, 2),
    round(p.year_sum * p.capital_factor / %(year_days)s, 2),
    round(p.year_sum * p.capital_factor * %(hurdle)s / %(year_base)s, 2),
    round(p.rolling_sum * p.margin_factor / p.margin_base, 2),
    round(p.rolling_fees * p.fx_rate * 0.01, 2),
    round(p.rolling_counter * %(counter_cost)s + p.rolling_digital * %(digital_cost)s
          + (p.rolling_open * %(maintenance)s)::numeric(60, 30) / %(year_base)s, 2),
    round(p.rolling_sum * p.loss_factor / %(year_base)s, 2),
    round((p.rolling_sum * p.interest_factor + p.rolling_fees * p.fx_rate * 0.01 * p.margin_base) * %(surcharge)s / p.margin_base, 2),
    round(p.rolling_sum * p.capital_factor / %(rolling_days)s, 2),
    round(p.rolling_sum * p.capital_factor * %(hurdle)s / %(year_base)s, 2)
from priced as p
