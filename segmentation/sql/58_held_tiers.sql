-- The tier every customer held before tonight: his newest change of a published earlier night. A tier of another kind, or
-- one the bank has given up, is none.
-- grain   one row per customer who held a tier
-- reads   segmentation_publishednight, segmentation_tierchange, stage_figure
-- writes  stage_held
-- params  as_of, tier_ladder
with
ladder as (
    select l.kind, l.place, l.tier, l.floor, l.deposit_floor
    from jsonb_to_recordset(%(tier_ladder)s::jsonb)
        as l (kind text, place int, tier text, floor numeric, deposit_floor numeric)
),
changes as (
    select distinct on (c.customer_id) c.customer_id, c.becomes, c.on_date, c.why
    from segmentation_tierchange as c
    join segmentation_publishednight as p on p.run_id = c.run_id
    where p.business_date < %(as_of)s
    order by c.customer_id, c.on_date desc
)
insert into stage_held
select c.customer_id, f.kind, l.place, l.tier, c.on_date, c.why, l.floor, l.deposit_floor
from changes as c
join stage_figure as f on f.customer_id = c.customer_id
join ladder as l on l.kind = f.kind and l.tier = c.becomes
