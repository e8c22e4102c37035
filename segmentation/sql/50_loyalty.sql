-- Loyalty of each customer, component by component.
-- grain   one row per customer
-- reads   segmentation_behaviour
-- writes  segmentation_loyalty
-- params  run_id, as_of
insert into segmentation_loyalty
    (run_id, customer_id, as_of, score, coverage, tenure_months, class_count, own_90d, tenure_points, holdings_points,
     wallet_points, activity_points, stability_points, advocacy_points, complaint_points, dissatisfied_points,
     outflow_points, payroll_points, clamp_points)
select %(run_id)s, b.customer_id, %(as_of)s, null, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
from segmentation_behaviour as b
where b.run_id = %(run_id)s
