-- The tiers that changed tonight, first tiers included: what later nights go on from.
-- grain   one row per customer whose tier changed
-- reads   stage_tier
-- writes  segmentation_tierchange
-- params  run_id, as_of
insert into segmentation_tierchange (run_id, customer_id, on_date, was, becomes, why)
select %(run_id)s, t.customer_id, %(as_of)s, t.was, t.tier, t.why
from stage_tier as t
where t.was <> t.tier
order by t.customer_id
