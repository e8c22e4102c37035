-- What the tiers look at tonight, and the place the figures alone would give, counted from 0.
-- grain   one row per customer
-- reads   customers_customer_as_of, segmentation_accountmeasure, segmentation_related
-- writes  stage_figure
-- params  run_id, as_of, families, personal_floor_sums, contribution_floors, deposit_floor_sums, deposit_ranks, strategic
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
        coalesce(c.closed_on <= %(as_of)s, false) as is_closed,
        c.kind = 'corporate' and c.customer_no = any (%(strategic)s::text[]) as is_strategic,
        coalesce(h.weighted_month_sum, 0) as weighted_month_sum,
        coalesce(h.deposit_year_sum, 0) as deposit_year_sum,
        r.contribution_annual
    from customers_customer_as_of(%(as_of)s::date) as c
    join segmentation_related as r on r.run_id = %(run_id)s and r.customer_id = c.id
    left join held as h on h.customer_id = c.id
)
insert into stage_figure
select
    c.customer_id, c.kind, c.is_closed, c.is_strategic, c.weighted_month_sum, c.contribution_annual, c.deposit_year_sum,
    -- Floors are half-open: a value on the floor belongs to the tier above.
    case
        when c.kind = 'individual' then width_bucket(c.weighted_month_sum, %(personal_floor_sums)s::numeric[])
        else greatest(
            width_bucket(c.contribution_annual, %(contribution_floors)s::numeric[]),
            coalesce(
                (%(deposit_ranks)s::int[])[nullif(width_bucket(c.deposit_year_sum, %(deposit_floor_sums)s::numeric[]), 0)], 0
            )
        )
    end
from customers as c
