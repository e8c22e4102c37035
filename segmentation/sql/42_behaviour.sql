-- What each customer does and holds, added up over his accounts.
-- grain   one row per customer
-- reads   segmentation_contribution
-- writes  segmentation_behaviour
-- params  run_id, as_of
insert into segmentation_behaviour
    (run_id, customer_id, as_of, classes, own_90d, own_180d, last_own_on, salary_mask, outflow_mask, repaid, asset_sums,
     deposit_sums, points_month, points_year, outside_assets, life)
select
    %(run_id)s, c.customer_id, %(as_of)s, '{}'::varchar[], 0, 0, null, 0, 0, 0, array_fill(0::numeric, array[12]),
    array_fill(0::numeric, array[12]), 0, 0, null, 'active'
from segmentation_contribution as c
where c.run_id = %(run_id)s and c.period = 'ytd'
