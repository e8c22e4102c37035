-- Loyalty of each customer, component by component: what was seen, sub-scores, points, adjustments. The same formulas as
-- segmentation/loyalty.py. Quotients, roots and powers bear 30 decimals and are rounded once, to four. ``offset 0`` keeps the
-- planner from writing a step into the next one, where a root used ten times would be drawn ten times.
-- grain   one row per customer
-- reads   segmentation_behaviour, customers_customer_as_of, customers_account_as_of, customers_balance_as_of,
--         customers_transaction_as_of
-- writes  segmentation_loyalty
-- params  run_id, as_of, month_first, month_days, loyalty_w_tenure, loyalty_w_holdings, loyalty_w_wallet,
--         loyalty_w_activity, loyalty_w_stability, loyalty_w_advocacy, loyalty_complaint_points,
--         loyalty_dissatisfied_points, loyalty_outflow_points, loyalty_payroll_points, loyalty_outflow_months,
--         loyalty_payroll_months, loyalty_tenure_full, loyalty_steps, loyalty_least_months, loyalty_activity_bookings,
--         loyalty_activity_bookings_full, loyalty_activity_recency, loyalty_activity_recency_days, loyalty_activity_logins,
--         loyalty_activity_logins_full, loyalty_advocacy_referrals, loyalty_advocacy_referrals_full, loyalty_advocacy_answer,
--         loyalty_advocacy_promoter, loyalty_advocacy_passive, loyalty_advocacy_detractor
with
-- What no feed has ever told is missing; once it told anything, nothing is nothing.
fed as (
    select
        exists (select from customers_balance_as_of(%(as_of)s::date) as b where b.on_date <= %(as_of)s) as balances,
        exists (select from customers_transaction_as_of(%(as_of)s::date) as t where t.booked_on <= %(as_of)s) as bookings
),
-- Joined by app logins, successful referrals and answers to surveys when the app that keeps them exists: until then nobody
-- tells, and the components of whoever is not found here are missing.
engagement as (
    select null::bigint as customer_id, null::int as login_days, null::int as referrals, null::int as nps where false
),
-- Joined by complaints when their app exists: an open one, and one closed in 12 months that left him dissatisfied.
grievances as (
    select null::bigint as customer_id, null::boolean as is_open, null::boolean as left_dissatisfied where false
),
customers as (
    select c.id as customer_id, c.opened_on from customers_customer_as_of(%(as_of)s::date) as c
),
first_accounts as (
    select a.customer_id, min(a.opened_on) as opened_on
    from customers_account_as_of(%(as_of)s::date) as a
    where a.opened_on <= %(as_of)s
    group by a.customer_id
),
-- Days of the month to date and of the five complete months before it.
months as (
    select
        %(month_first)s::date as first,
        extract(year from %(month_first)s::date)::int * 12 + extract(month from %(month_first)s::date)::int as number,
        array[
            %(month_days)s,
            %(month_first)s::date - (%(month_first)s::date - interval '1 month')::date,
            (%(month_first)s::date - interval '1 month')::date - (%(month_first)s::date - interval '2 months')::date,
            (%(month_first)s::date - interval '2 months')::date - (%(month_first)s::date - interval '3 months')::date,
            (%(month_first)s::date - interval '3 months')::date - (%(month_first)s::date - interval '4 months')::date,
            (%(month_first)s::date - interval '4 months')::date - (%(month_first)s::date - interval '5 months')::date
        ] as days
),
seen as (
    select
        b.customer_id,
        greatest(extract(year from t.age) * 12 + extract(month from t.age), 0)::int as tenure_months,
        cardinality(b.classes) as class_count,
        b.own_90d,
        %(as_of)s::date - b.last_own_on as days_since_own,
        e.login_days,
        e.referrals,
        e.nps,
        coalesce(g.is_open, false) as complaint_open,
        coalesce(g.left_dissatisfied, false) as left_dissatisfied,
        bit_count(b.outflow_mask::int::bit(6)) >= %(loyalty_outflow_months)s as moves_out,
        bit_count(b.salary_mask::int::bit(6)) >= %(loyalty_payroll_months)s as is_paid_here,
        f.balances,
        f.bookings,
        case when f.balances then b.outside_assets end as outside,
        greatest(b.asset_sums[1], 0) as here_sum,
        -- Months that lie wholly after his first account: its first part would look like a rise that never was.
        case when f.balances then
            least(6, greatest(0, m.number - (extract(year from s.since)::int * 12 + extract(month from s.since)::int)
                                 + (extract(day from s.since) = 1)::int))
        end as whole_months,
        b.asset_sums[1]::numeric(60, 30) / m.days[1] as a1,
        b.asset_sums[2]::numeric(60, 30) / m.days[2] as a2,
        b.asset_sums[3]::numeric(60, 30) / m.days[3] as a3,
        b.asset_sums[4]::numeric(60, 30) / m.days[4] as a4,
        b.asset_sums[5]::numeric(60, 30) / m.days[5] as a5,
        b.asset_sums[6]::numeric(60, 30) / m.days[6] as a6
    from segmentation_behaviour as b
    join customers as c on c.customer_id = b.customer_id
    cross join fed as f
    cross join months as m
    left join first_accounts as k on k.customer_id = b.customer_id
    left join engagement as e on e.customer_id = b.customer_id
    left join grievances as g on g.customer_id = b.customer_id
    cross join lateral (select coalesce(k.opened_on, c.opened_on) as since) as s
    cross join lateral (select age(%(as_of)s::date, c.opened_on) as age) as t
    where b.run_id = %(run_id)s
),
varied as (
    select
        s.*,
        -- Both sums only over the whole months; squares of 30 decimals keep all 60.
        s.a1 * (s.whole_months >= 1)::int + s.a2 * (s.whole_months >= 2)::int + s.a3 * (s.whole_months >= 3)::int
            + s.a4 * (s.whole_months >= 4)::int + s.a5 * (s.whole_months >= 5)::int + s.a6 * (s.whole_months >= 6)::int as total,
        s.a1 * s.a1 * (s.whole_months >= 1)::int + s.a2 * s.a2 * (s.whole_months >= 2)::int
            + s.a3 * s.a3 * (s.whole_months >= 3)::int + s.a4 * s.a4 * (s.whole_months >= 4)::int
            + s.a5 * s.a5 * (s.whole_months >= 5)::int + s.a6 * s.a6 * (s.whole_months >= 6)::int as squares,
        case when s.here_sum + s.outside * %(month_days)s > 0
            then s.here_sum::numeric(60, 30) / (s.here_sum + s.outside * %(month_days)s) end as share
    from seen as s
    offset 0
),
measured as (
    select
        v.*,
        -- No one varies about nothing.
        case when v.whole_months >= %(loyalty_least_months)s and v.total > 0
            then sqrt(v.whole_months * v.squares - v.total * v.total)::numeric(90, 30) / v.total end as variation,
        case when v.bookings then %(loyalty_activity_bookings)s::numeric + %(loyalty_activity_recency)s else 0 end
            + case when v.login_days is not null then %(loyalty_activity_logins)s else 0 end as activity_told,
        case when v.referrals is not null then %(loyalty_advocacy_referrals)s::numeric else 0 end
            + case when v.nps is not null then %(loyalty_advocacy_answer)s else 0 end as advocacy_told
    from varied as v
    offset 0
),
judged as (
    select
        m.*,
        round(100 * least(m.tenure_months::numeric(60, 30) / %(loyalty_tenure_full)s, 1), 4) as tenure_sub,
        round((%(loyalty_steps)s::numeric[])[least(m.class_count + 1, cardinality(%(loyalty_steps)s::numeric[]))], 4)
            as holdings_sub,
        round(100 * m.share, 4) as wallet_sub,
        case when m.activity_told > 0 then round(100 * (
            case when m.bookings then
                %(loyalty_activity_bookings)s * least(m.own_90d::numeric(60, 30) / %(loyalty_activity_bookings_full)s, 1)
                + %(loyalty_activity_recency)s
                    * coalesce(exp(-m.days_since_own::numeric(60, 30) / %(loyalty_activity_recency_days)s), 0)
            else 0 end
            + case when m.login_days is not null then
                %(loyalty_activity_logins)s * least(m.login_days::numeric(60, 30) / %(loyalty_activity_logins_full)s, 1)
            else 0 end) / m.activity_told, 4) end as activity_sub,
        case when m.whole_months >= %(loyalty_least_months)s
            then round(100 * greatest(1 - coalesce(m.variation, 1), 0), 4) end as stability_sub,
        case when m.advocacy_told > 0 then round(100 * (
            case when m.referrals is not null then
                %(loyalty_advocacy_referrals)s * least(m.referrals::numeric(60, 30) / %(loyalty_advocacy_referrals_full)s, 1)
            else 0 end
            + case when m.nps is not null then
                %(loyalty_advocacy_answer)s * case when m.nps >= 9 then %(loyalty_advocacy_promoter)s
                    when m.nps >= 7 then %(loyalty_advocacy_passive)s else %(loyalty_advocacy_detractor)s end::numeric(60, 30)
            else 0 end) / m.advocacy_told, 4) end as advocacy_sub
    from measured as m
    offset 0
),
weighed as (
    select
        j.*,
        %(loyalty_w_tenure)s::numeric + %(loyalty_w_holdings)s
            + case when j.wallet_sub is not null then %(loyalty_w_wallet)s else 0 end
            + case when j.activity_sub is not null then %(loyalty_w_activity)s else 0 end
            + case when j.stability_sub is not null then %(loyalty_w_stability)s else 0 end
            + case when j.advocacy_sub is not null then %(loyalty_w_advocacy)s else 0 end as present,
        %(loyalty_w_tenure)s::numeric(60, 30) + %(loyalty_w_holdings)s
            + case when j.wallet_sub is not null then %(loyalty_w_wallet)s else 0 end
            + case when j.stability_sub is not null then %(loyalty_w_stability)s else 0 end
            + %(loyalty_w_activity)s * j.activity_told::numeric(60, 30)
                / (%(loyalty_activity_bookings)s::numeric + %(loyalty_activity_recency)s + %(loyalty_activity_logins)s)
            + %(loyalty_w_advocacy)s * j.advocacy_told::numeric(60, 30)
                / (%(loyalty_advocacy_referrals)s::numeric + %(loyalty_advocacy_answer)s) as known,
        %(loyalty_w_tenure)s::numeric + %(loyalty_w_holdings)s + %(loyalty_w_wallet)s + %(loyalty_w_activity)s
            + %(loyalty_w_stability)s + %(loyalty_w_advocacy)s as whole
    from judged as j
    offset 0
),
pointed as (
    select
        w.*,
        coalesce(round(%(loyalty_w_tenure)s * w.tenure_sub::numeric(60, 30) / nullif(w.present, 0), 4), 0) as tenure_points,
        coalesce(round(%(loyalty_w_holdings)s * w.holdings_sub::numeric(60, 30) / nullif(w.present, 0), 4), 0)
            as holdings_points,
        coalesce(round(%(loyalty_w_wallet)s * w.wallet_sub::numeric(60, 30) / nullif(w.present, 0), 4), 0) as wallet_points,
        coalesce(round(%(loyalty_w_activity)s * w.activity_sub::numeric(60, 30) / nullif(w.present, 0), 4), 0)
            as activity_points,
        coalesce(round(%(loyalty_w_stability)s * w.stability_sub::numeric(60, 30) / nullif(w.present, 0), 4), 0)
            as stability_points,
        coalesce(round(%(loyalty_w_advocacy)s * w.advocacy_sub::numeric(60, 30) / nullif(w.present, 0), 4), 0)
            as advocacy_points,
        case when w.present > 0 and w.complaint_open then %(loyalty_complaint_points)s else 0 end as complaint_points,
        case when w.present > 0 and w.left_dissatisfied then %(loyalty_dissatisfied_points)s else 0 end as dissatisfied_points,
        case when w.present > 0 and w.moves_out then %(loyalty_outflow_points)s else 0 end as outflow_points,
        case when w.present > 0 and w.is_paid_here then %(loyalty_payroll_points)s else 0 end as payroll_points
    from weighed as w
    offset 0
),
added as (
    select
        p.*,
        p.tenure_points + p.holdings_points + p.wallet_points + p.activity_points + p.stability_points + p.advocacy_points
            + p.complaint_points + p.dissatisfied_points + p.outflow_points + p.payroll_points as points
    from pointed as p
    offset 0
)
insert into segmentation_loyalty
    (run_id, customer_id, as_of, score, coverage, tenure_months, class_count, wallet_share, own_90d, days_since_own,
     login_days, variation, referrals, nps, tenure_sub, holdings_sub, wallet_sub, activity_sub, stability_sub, advocacy_sub,
     tenure_points, holdings_points, wallet_points, activity_points, stability_points, advocacy_points, complaint_points,
     dissatisfied_points, outflow_points, payroll_points, clamp_points)
select
    %(run_id)s, a.customer_id, %(as_of)s, case when a.present > 0 then least(greatest(a.points, 0), 100) end,
    coalesce(round(a.known / nullif(a.whole, 0), 4), 0), a.tenure_months, a.class_count, round(a.share, 8), a.own_90d,
    a.days_since_own, a.login_days, case when a.variation > 1000 then 1000 else round(a.variation, 8) end, a.referrals, a.nps,
    a.tenure_sub, a.holdings_sub, a.wallet_sub, a.activity_sub, a.stability_sub, a.advocacy_sub, a.tenure_points,
    a.holdings_points, a.wallet_points, a.activity_points, a.stability_points, a.advocacy_points, a.complaint_points,
    a.dissatisfied_points, a.outflow_points, a.payroll_points, least(greatest(a.points, 0), 100) - a.points
from added as a
