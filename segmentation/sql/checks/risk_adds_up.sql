-- The lines of every customer's risk add up to it, a missing input has no points, and everybody has one.
-- grain   no row
-- reads   segmentation_behaviour, segmentation_risk
-- writes  none
-- params  run_id
select b.customer_id, r.score
from segmentation_behaviour as b
left join segmentation_risk as r on r.run_id = b.run_id and r.customer_id = b.customer_id
where b.run_id = %(run_id)s
  and (
      r.customer_id is null
      or r.score <> r.overdue_points + r.probability_points + r.leverage_points + r.concentration_points
          + r.guarantee_points + r.warning_points + r.kyc_points + r.floor_points
      or (r.overdue_sub is null and r.overdue_points <> 0)
      or (r.probability_sub is null and r.probability_points <> 0)
      or (r.leverage_sub is null and r.leverage_points <> 0)
      or (r.concentration_sub is null and r.concentration_points <> 0)
      or (r.guarantee_sub is null and r.guarantee_points <> 0)
      or (r.warning_sub is null and r.warning_points <> 0)
      or (r.kyc_sub is null and r.kyc_points <> 0)
  )
limit 5
