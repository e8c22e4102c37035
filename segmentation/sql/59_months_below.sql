-- For how many complete months in a row, newest first, a customer was below the share of the floor he has to keep. Tonight's
-- month is complete on its last day; a month counts only if it ended while the tier was held. Individuals: sums of the
-- months, so a past that was corrected counts as corrected. Firms: what the published month ends said of them, as far as
-- they are kept; a month nobody knows ends the row.
-- grain   one row per customer below in the newest complete month
-- reads   segmentation_accountmeasure, segmentation_publishednight, segmentation_standing, stage_figure, stage_held
-- writes  stage_below
-- params  run_id, as_of, families, recent_firsts, recent_days, year_days, tier_keep_share
with
families as (
    select f.family, f.coefficient from jsonb_to_recordset(%(families)s::jsonb) as f (family text, coefficient numeric)
),
-- 0 is tonight's month, which counts on its last day, 1 the one before.
months as (
    select n.place::int - 1 as back, n.first_day + n.days - 1 as last_day, n.days
    from unnest(%(recent_firsts)s::date[], %(recent_days)s::int[]) with ordinality as n (first_day, days, place)
    where n.place > 1 or extract(day from %(as_of)s::date + 1) = 1
),
assets as (
    select
        h.customer_id,
        array[
            sum(m.month_sum * m.fx_rate * f.coefficient), sum(m.recent_sums[2] * m.fx_rate * f.coefficient),
            sum(m.recent_sums[3] * m.fx_rate * f.coefficient), sum(m.recent_sums[4] * m.fx_rate * f.coefficient),
            sum(m.recent_sums[5] * m.fx_rate * f.coefficient), sum(m.recent_sums[6] * m.fx_rate * f.coefficient),
            sum(m.recent_sums[7] * m.fx_rate * f.coefficient), sum(m.recent_sums[8] * m.fx_rate * f.coefficient),
            sum(m.recent_sums[9] * m.fx_rate * f.coefficient), sum(m.recent_sums[10] * m.fx_rate * f.coefficient),
            sum(m.recent_sums[11] * m.fx_rate * f.coefficient), sum(m.recent_sums[12] * m.fx_rate * f.coefficient)
        ] as sums
    from stage_held as h
    join segmentation_accountmeasure as m on m.run_id = %(run_id)s and m.customer_id = h.customer_id
    join families as f on f.family = m.family
    where h.kind = 'individual' and h.place > 0 and m.side in ('deposit', 'investment')
    group by h.customer_id
),
individuals as (
    select h.customer_id, n.back, coalesce(a.sums[n.back + 1], 0) < h.floor * %(tier_keep_share)s * n.days as is_below
    from stage_held as h
    cross join months as n
    left join assets as a on a.customer_id = h.customer_id
    where h.kind = 'individual' and h.place > 0 and n.last_day > h.since
),
-- One night at a time: the planner reads that night's partition alone.
kept as (
    select n.back, s.customer_id, s.related_annual, s.deposit_year_sum, extract(doy from p.business_date)::int as days
    from months as n
    join segmentation_publishednight as p on p.business_date = n.last_day and p.kept
    cross join lateral (
        select g.customer_id, g.related_annual, g.deposit_year_sum
        from segmentation_standing as g
        where g.run_id = p.run_id and g.kind = 'corporate'
        offset 0
    ) as s
    where n.back > 0
    union all
    select 0, f.customer_id, f.contribution_annual, f.deposit_year_sum, %(year_days)s::int
    from stage_figure as f
    where f.kind = 'corporate'
),
firms as (
    select
        h.customer_id, n.back,
        coalesce(
            k.related_annual < h.floor * %(tier_keep_share)s
            and (h.deposit_floor is null or k.deposit_year_sum < h.deposit_floor * %(tier_keep_share)s * k.days),
            false
        ) as is_below
    from stage_held as h
    cross join months as n
    left join kept as k on k.customer_id = h.customer_id and k.back = n.back
    where h.kind = 'corporate' and h.place > 0 and n.last_day > h.since
),
told as (
    select i.customer_id, i.back, i.is_below from individuals as i
    union all
    select f.customer_id, f.back, f.is_below from firms as f
),
rows_below as (
    select
        t.customer_id,
        count(*) filter (where t.is_below) as below,
        min(t.back) filter (where not t.is_below) - min(t.back) as until_reached
    from told as t
    group by t.customer_id
)
insert into stage_below
select r.customer_id, coalesce(r.until_reached, r.below)
from rows_below as r
where coalesce(r.until_reached, r.below) > 0
