-- Risk of each customer, component by component.
-- grain   one row per customer
-- reads   segmentation_behaviour
-- writes  segmentation_risk
-- params  run_id, as_of
insert into segmentation_risk
    (run_id, customer_id, as_of, score, coverage, in_guarantee_ring, warning_level, identity_expired, overdue_points,
     probability_points, leverage_points, concentration_points, guarantee_points, warning_points, kyc_points, floor_points)
select %(run_id)s, b.customer_id, %(as_of)s, null, 0, false, '', false, 0, 0, 0, 0, 0, 0, 0, 0
from segmentation_behaviour as b
where b.run_id = %(run_id)s
