-- The tier every customer holds after tonight. So far: what the figures say tonight.
-- grain   one row per customer
-- reads   customers_customer_as_of, segmentation_accountmeasure, segmentation_contribution
-- writes  stage_tier
-- params  run_id, as_of, families, personal_tiers, personal_floor_sums, corporate_tiers, contribution_floors,
--         deposit_floor_sums, deposit_ranks, strategic
with
families as (
    select f.family, f.coefficient from jsonb_to_recordset(%(families)s::jsonb) as f (family text, coefficient numeric)
),
held as (
    select
        m.customer_id,
        coalesce(sum(m.year_sum * m.fx_rate) filter (where m.side = 'deposit'), 0) as deposit_year_sum,
        coalesce(sum(m.month_sum * m.fx_rate * f.coefficient) filter (where m.side in ('deposit', 'investment')), 0)
            as weighted_month_sum
    from segmentation_accountmeasure as m
    join families as f on f.family = m.family
    where m.run_id = %(run_id)s
    group by m.customer_id
),
customers as (
    select
        c.id as customer_id, c.kind,
        coalesce(h.deposit_year_sum, 0) as deposit_year_sum,
        coalesce(h.weighted_month_sum, 0) as weighted_month_sum,
        e.eva_annual,
        c.customer_no = any (%(strategic)s::text[]) as is_strategic
    from customers_customer_as_of(%(as_of)s::date) as c
    join segmentation_contribution as e on e.run_id = %(run_id)s and e.customer_id = c.id and e.period = 'ytd'
    left join held as h on h.customer_id = c.id
),
verdict as (
    select
        s.customer_id,
        -- Floors are half-open: a value on the floor belongs to the tier above.
        case
            when s.kind = 'individual' then
                (%(personal_tiers)s::text[])[1 + width_bucket(s.weighted_month_sum, %(personal_floor_sums)s::numeric[])]
            when s.is_strategic then (%(corporate_tiers)s::text[])[cardinality(%(corporate_tiers)s::text[])]
            else (%(corporate_tiers)s::text[])[1 + greatest(
                width_bucket(s.eva_annual, %(contribution_floors)s::numeric[]),
                coalesce(
                    (%(deposit_ranks)s::int[])[nullif(width_bucket(s.deposit_year_sum, %(deposit_floor_sums)s::numeric[]), 0)],
                    0
                )
            )]
        end as tier
    from customers as s
)
insert into stage_tier
select v.customer_id, '', v.tier, 'first', v.tier, %(as_of)s, 0, null, '', null, null
from verdict as v
