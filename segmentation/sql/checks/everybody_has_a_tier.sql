-- No customer is without a tier.
-- grain   no row
-- reads   segmentation_standing
-- writes  none
-- params  run_id
select s.customer_id, s.kind
from segmentation_standing as s
where s.run_id = %(run_id)s and s.tier is null
limit 5
