-- The scores of the night, in narrow rows for the years.
-- grain   one row per customer
-- reads   segmentation_standing
-- writes  segmentation_pastscore
-- params  run_id
insert into segmentation_pastscore (run_id, customer_id, contribution, contribution_score, loyalty, risk, tier)
select %(run_id)s, s.customer_id, s.contribution, s.contribution_score, s.loyalty, s.risk, s.tier
from segmentation_standing as s
where s.run_id = %(run_id)s
