-- Risk of each customer, component by component (segmentation/risk.py says how). A component's sub-score is null where its
-- input is missing or it weighs nothing; its weight is then shared out among the others.
-- grain   one row per customer
-- reads   customers_customer_as_of, customers_relation_as_of, customers_identity, customers_rowhistory,
--         segmentation_behaviour, segmentation_signal, stage_debt, stage_guarantee, stage_counterparty
-- writes  segmentation_risk
-- params  run_id, as_of, risk_weights, risk_band_limits, risk_band_points, risk_floors, risk_level_points,
--         risk_kyc_points, warning_kinds, probability_lowest, debt_ratio_low, debt_ratio_high, capital_share_low,
--         capital_share_high, hhi_low, hhi_high, ring_points, net_capital
with
weights as (
    select w.kind, w.overdue, w.probability, w.leverage, w.concentration, w.guarantee, w.warning, w.kyc
    from jsonb_to_recordset(%(risk_weights)s::jsonb)
        as w (kind text, overdue numeric, probability numeric, leverage numeric, concentration numeric, guarantee numeric,
              warning numeric, kyc numeric)
),
floors as (
    select array_position(array['normal', 'special_mention', 'substandard', 'doubtful', 'loss'], f.key) as rank, f.key as class,
        f.value::numeric as points
    from jsonb_each_text(%(risk_floors)s::jsonb) as f
),
levels as (
    select l.key as level, l.value::numeric as points from jsonb_each_text(%(risk_level_points)s::jsonb) as l
),
kyc_points as (
    select k.key as grade, k.value::numeric as points from jsonb_each_text(%(risk_kyc_points)s::jsonb) as k
),
customers as (
    select b.customer_id, c.kind, c.annual_income, c.kyc_grade, b.repaid
    from segmentation_behaviour as b
    join customers_customer_as_of(%(as_of)s::date) as c on c.id = b.customer_id
    where b.run_id = %(run_id)s
),
-- Once any relation is known, a customer without a guarantor is known to have none.
fed as (
    select exists (select from customers_relation_as_of(%(as_of)s::date)) as relations
),
-- The gravest of tonight's warnings.
warned as (
    select distinct on (g.customer_id) g.customer_id, g.level, l.points
    from segmentation_signal as g
    join levels as l on l.level = g.level
    where g.run_id = %(run_id)s and g.kind = any(%(warning_kinds)s::text[])
    order by g.customer_id, l.points desc, g.level
),
-- Primary documents as they were known on the date.
versions as (
    select i.customer_id, i.expires_on
    from customers_identity as i
    where i.is_primary and i.known_on <= %(as_of)s
    union all
    select h.customer_id, (h.row ->> 'expires_on')::date
    from customers_rowhistory as h
    where h.entity = 'identity' and h.superseded_on > %(as_of)s and h.known_on <= %(as_of)s
      and (h.row ->> 'is_primary')::boolean
),
expired as (
    select v.customer_id from versions as v group by v.customer_id having max(v.expires_on) < %(as_of)s
),
seen as (
    select
        c.customer_id, c.kind, c.kyc_grade,
        -- Nothing owed is known: no days overdue, no default, nothing to repay.
        case when d.customer_id is null then 0 else d.overdue_days end as overdue_days,
        case when d.customer_id is null then 0 else d.probability end as probability,
        case
            when c.kind = 'corporate' then null -- the feed has no liabilities
            when d.customer_id is null then 0
            -- Three months' repayments ÷ 3 over a year's income ÷ 12; an income of a cent must not burst the column.
            when c.annual_income > 0 then least((4 * greatest(c.repaid, 0))::numeric(60, 30) / c.annual_income, 1000000)
        end as debt_ratio,
        -- ``least`` passes over what is null: each null is asked for by itself.
        case when c.kind = 'corporate' and %(net_capital)s::numeric is not null
            then least(coalesce(d.exposure, 0)::numeric(60, 30) / %(net_capital)s::numeric, 1000000) end as capital_share,
        p.hhi,
        case when f.relations then coalesce(g.warned::numeric(60, 30) / g.guarantors, 0) end as guarantee_share,
        f.relations and coalesce(g.in_ring, false) as in_ring,
        coalesce(w.level, '') as warning_level,
        coalesce(w.points, 0) as warning_points,
        e.customer_id is not null as identity_expired,
        d.class_rank,
        case when d.customer_id is null then 1 else d.days_told::numeric(60, 30) / d.debts end as overdue_told,
        case when d.customer_id is null then 1 else d.classes_told::numeric(60, 30) / d.debts end as probability_told
    from customers as c
    cross join fed as f
    left join stage_debt as d on d.customer_id = c.customer_id
    left join stage_guarantee as g on g.customer_id = c.customer_id
    left join stage_counterparty as p on p.customer_id = c.customer_id
    left join warned as w on w.customer_id = c.customer_id
    left join expired as e on e.customer_id = c.customer_id
    offset 0 -- a fence, here and below: merged, every expression would be worked out anew wherever it is named
),
subs as (
    select
        s.*, w.overdue as overdue_w, w.probability as probability_w, w.leverage as leverage_w,
        w.concentration as concentration_w, w.guarantee as guarantee_w, w.warning as warning_w, w.kyc as kyc_w,
        -- One band on for every limit that is exceeded.
        case when w.overdue > 0 then
            round((%(risk_band_points)s::numeric[])[width_bucket(s.overdue_days - 1, %(risk_band_limits)s::int[]) + 1], 4) end
            as overdue_sub,
        case when w.probability > 0 and s.probability is not null then
            case when s.probability <= %(probability_lowest)s then 0 when s.probability >= 1 then 100
                else round(100 * (1 - ln(s.probability::numeric(60, 30)) / ln(%(probability_lowest)s::numeric(60, 30))), 4) end
        end as probability_sub,
        case when w.leverage > 0 and s.debt_ratio is not null then
            case when s.debt_ratio <= %(debt_ratio_low)s then 0 when s.debt_ratio >= %(debt_ratio_high)s then 100
                else round(100 * (s.debt_ratio - %(debt_ratio_low)s) / (%(debt_ratio_high)s - %(debt_ratio_low)s), 4) end
        end as leverage_sub,
        -- The worse of what is known.
        case when w.concentration > 0 then round(greatest(
            case when s.capital_share is not null then
                case when s.capital_share <= %(capital_share_low)s then 0 when s.capital_share >= %(capital_share_high)s then 100
                    else 100 * (s.capital_share - %(capital_share_low)s) / (%(capital_share_high)s - %(capital_share_low)s) end end,
            case when s.hhi is not null then
                case when s.hhi <= %(hhi_low)s then 0 when s.hhi >= %(hhi_high)s then 100
                    else 100 * (s.hhi - %(hhi_low)s) / (%(hhi_high)s - %(hhi_low)s) end end
        ), 4) end as concentration_sub,
        ((s.capital_share is not null)::int + (s.hhi is not null)::int) * 0.5 as concentration_told,
        case when w.guarantee > 0 and s.guarantee_share is not null then
            round(least(100 * s.guarantee_share + case when s.in_ring then %(ring_points)s else 0 end, 100), 4) end
            as guarantee_sub,
        case when w.warning > 0 then round(s.warning_points, 4) end as warning_sub,
        case when w.kyc > 0 and k.points is not null then
            round(least(k.points + case when s.identity_expired then coalesce(x.points, 0) else 0 end, 100), 4) end as kyc_sub
    from seen as s
    join weights as w on w.kind = s.kind
    left join kyc_points as k on k.grade = s.kyc_grade
    left join kyc_points as x on x.grade = 'expired'
    offset 0
),
-- ``whole`` is what the present components weigh together.
weighed as (
    select
        s.*,
        nullif(
            case when s.overdue_sub is not null then s.overdue_w else 0 end
            + case when s.probability_sub is not null then s.probability_w else 0 end
            + case when s.leverage_sub is not null then s.leverage_w else 0 end
            + case when s.concentration_sub is not null then s.concentration_w else 0 end
            + case when s.guarantee_sub is not null then s.guarantee_w else 0 end
            + case when s.warning_sub is not null then s.warning_w else 0 end
            + case when s.kyc_sub is not null then s.kyc_w else 0 end, 0) as whole,
        -- A component counts as known as far as its inputs are.
        case when s.overdue_sub is not null then s.overdue_w * s.overdue_told else 0 end
            + case when s.probability_sub is not null then s.probability_w * s.probability_told else 0 end
            + case when s.leverage_sub is not null then s.leverage_w else 0 end
            + case when s.concentration_sub is not null then s.concentration_w * s.concentration_told else 0 end
            + case when s.guarantee_sub is not null then s.guarantee_w else 0 end
            + case when s.warning_sub is not null then s.warning_w else 0 end
            + case when s.kyc_sub is not null then s.kyc_w else 0 end as known,
        s.overdue_w + s.probability_w + s.leverage_w + s.concentration_w + s.guarantee_w + s.warning_w + s.kyc_w as everything
    from subs as s
    offset 0
),
pointed as (
    select
        w.*,
        coalesce(round((w.overdue_w * w.overdue_sub)::numeric(60, 30) / w.whole, 4), 0) as overdue_points,
        coalesce(round((w.probability_w * w.probability_sub)::numeric(60, 30) / w.whole, 4), 0) as probability_points,
        coalesce(round((w.leverage_w * w.leverage_sub)::numeric(60, 30) / w.whole, 4), 0) as leverage_points,
        coalesce(round((w.concentration_w * w.concentration_sub)::numeric(60, 30) / w.whole, 4), 0) as concentration_points,
        coalesce(round((w.guarantee_w * w.guarantee_sub)::numeric(60, 30) / w.whole, 4), 0) as guarantee_points,
        coalesce(round((w.warning_w * w.warning_sub)::numeric(60, 30) / w.whole, 4), 0) as warned_points,
        coalesce(round((w.kyc_w * w.kyc_sub)::numeric(60, 30) / w.whole, 4), 0) as kyc_points
    from weighed as w
    offset 0
),
summed as (
    select
        p.*, f.class as worst_class, coalesce(f.points, 0) as floor,
        p.overdue_points + p.probability_points + p.leverage_points + p.concentration_points + p.guarantee_points
            + p.warned_points + p.kyc_points as total
    from pointed as p
    left join floors as f on f.rank = p.class_rank
),
-- Seven roundings up may reach a hair above the scale.
scored as (
    select s.*, case when s.whole is not null then least(greatest(s.total, round(s.floor, 4)), 100) end as score
    from summed as s
)
insert into segmentation_risk
    (run_id, customer_id, as_of, score, coverage, overdue_days, default_probability, debt_ratio, capital_share,
     counterparty_hhi, guarantee_share, in_guarantee_ring, warning_level, kyc_grade, identity_expired, worst_class,
     overdue_sub, probability_sub, leverage_sub, concentration_sub, guarantee_sub, warning_sub, kyc_sub, overdue_points,
     probability_points, leverage_points, concentration_points, guarantee_points, warning_points, kyc_points, floor_points)
select
    %(run_id)s, s.customer_id, %(as_of)s, s.score,
    -- Something is known even where it rounds to nothing.
    case when s.whole is null then 0 else greatest(round(s.known::numeric(60, 30) / s.everything, 4), 0.0001) end,
    s.overdue_days, s.probability, s.debt_ratio, s.capital_share, s.hhi, s.guarantee_share, s.in_ring, s.warning_level,
    s.kyc_grade, s.identity_expired, s.worst_class, s.overdue_sub, s.probability_sub, s.leverage_sub, s.concentration_sub,
    s.guarantee_sub, s.warning_sub, s.kyc_sub, s.overdue_points, s.probability_points, s.leverage_points,
    s.concentration_points, s.guarantee_points, s.warned_points, s.kyc_points, coalesce(s.score - s.total, 0)
from scored as s
