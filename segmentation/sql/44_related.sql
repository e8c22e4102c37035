-- Own value and the weighted values of related customers, added up.
-- grain   one row per customer
-- reads   segmentation_contribution
-- writes  segmentation_related
-- params  run_id, as_of
insert into segmentation_related
    (run_id, customer_id, as_of, primary_id, members, contribution, contribution_annual, deposit_points)
select %(run_id)s, c.customer_id, %(as_of)s, c.customer_id, 0, c.eva, c.eva_annual, 0
from segmentation_contribution as c
where c.run_id = %(run_id)s and c.period = 'ytd'
