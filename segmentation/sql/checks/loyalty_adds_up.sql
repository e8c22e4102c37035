-- Everybody has one loyalty, and its lines add up to it; where nothing was known there is no score and no line.
-- grain   no row
-- reads   segmentation_behaviour, segmentation_loyalty
-- writes  none
-- params  run_id
select b.customer_id, l.score, l.coverage
from segmentation_behaviour as b
left join segmentation_loyalty as l on l.run_id = b.run_id and l.customer_id = b.customer_id
where b.run_id = %(run_id)s
  and (l.customer_id is null
       or coalesce(l.score, 0) <> l.tenure_points + l.holdings_points + l.wallet_points + l.activity_points
            + l.stability_points + l.advocacy_points + l.complaint_points + l.dissatisfied_points + l.outflow_points
            + l.payroll_points + l.clamp_points
       or l.score not between 0 and 100
       or (l.score is null) <> (l.coverage = 0)
       or (l.tenure_sub is null and l.tenure_points <> 0)
       or (l.holdings_sub is null and l.holdings_points <> 0)
       or (l.wallet_sub is null and l.wallet_points <> 0)
       or (l.activity_sub is null and l.activity_points <> 0)
       or (l.stability_sub is null and l.stability_points <> 0)
       or (l.advocacy_sub is null and l.advocacy_points <> 0))
limit 5
